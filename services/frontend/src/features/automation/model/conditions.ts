/** Conditions as the editor holds them: a tree of groups and comparisons, each with an id of its own and perhaps negated. */
import { type Condition, FIELDS, type Kind, OPERATORS } from "./vocabulary";

export interface Comparison {
  id: string;
  kind: "comparison";
  negated: boolean;
  /** A field's name, `variable.<name>` or `event.<key>`. */
  about: string;
  op: string;
  value: string[] | number | boolean;
}

export interface Group {
  id: string;
  kind: "group";
  negated: boolean;
  mode: "all" | "any";
  parts: Part[];
}

export type Part = Comparison | Group;

let last = 0;

/** An id for a part of a form: it stays with the part while parts move. */
export function partId(): string {
  last += 1;
  return `part-${last}`;
}

export function kindOf(about: string): Kind {
  return FIELDS[about] ?? "text";
}

export function newComparison(about = "message.text"): Comparison {
  const kind = kindOf(about);
  const value = kind === "number" ? 0 : kind === "flag" ? true : [];
  return { id: partId(), kind: "comparison", negated: false, about, op: OPERATORS[kind][0] ?? "is", value };
}

export function newGroup(parts: Part[] = [], mode: Group["mode"] = "all"): Group {
  return { id: partId(), kind: "group", negated: false, mode, parts };
}

/** The same comparison of something else: operator and value stay where they still mean something. */
export function about(before: Comparison, name: string): Comparison {
  const after = newComparison(name);
  const kept = OPERATORS[kindOf(name)].includes(before.op) && typeof before.value === typeof after.value;
  const choice = kindOf(name) === "choice" || kindOf(before.about) === "choice";
  return {
    ...after,
    id: before.id,
    negated: before.negated,
    ...(kept && !choice && { op: before.op, value: before.value }),
  };
}

/** The tree of a stored condition; what stands alone becomes a group of one. */
export function readConditions(condition: Condition): Group {
  const part = read(condition);
  return part.kind === "group" ? part : newGroup([part]);
}

/** What is stored of a tree. A negated group of one is the negated part itself. */
export function writeConditions(group: Group): Condition {
  return write(group);
}

function read(condition: Condition): Part {
  if ("not" in condition) {
    const part = read(condition.not as Condition);
    return { ...part, negated: !part.negated };
  }
  if ("all" in condition) return newGroup(condition.all.map(read), "all");
  if ("any" in condition) return newGroup(condition.any.map(read), "any");
  const name =
    "variable" in condition
      ? `variable.${condition.variable}`
      : "event" in condition
        ? `event.${condition.event}`
        : condition.field;
  const value = typeof condition.value === "string" ? [condition.value] : condition.value;
  return { ...newComparison(name), op: condition.op, value };
}

function write(part: Part): Condition {
  const bare = part.kind === "group" ? writeGroup(part) : writeComparison(part);
  return part.negated ? { not: bare } : bare;
}

function writeGroup({ mode, parts }: Group): Condition {
  // `any` of nothing is refused; `all` of nothing is always true, which is what an empty group says.
  return mode === "any" && parts.length > 0 ? { any: parts.map(write) } : { all: parts.map(write) };
}

function writeComparison({ about: name, op, value }: Comparison): Condition {
  const written = Array.isArray(value) && value.length <= 1 ? (value[0] ?? "") : value;
  const [head = "", ...rest] = name.split(".");
  const what = head === "variable" || head === "event" ? { [head]: rest.join(".") } : { field: name };
  return { ...what, op, value: written } as Condition;
}

/** How many comparisons there are. */
export function countOf(part: Part): number {
  return part.kind === "group" ? part.parts.reduce((sum, each) => sum + countOf(each), 0) : 1;
}
