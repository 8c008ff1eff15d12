/** Where what the server says of a rule belongs in the editor. */
import type { FieldProblem, Problem } from "@/api/problem";
import type { Condition, RuleDocument } from "./vocabulary";

/** Messages by their place in the document, such as `actions.0.text` or `conditions.all.1.value`. */
export type Places = Readonly<Record<string, string>>;

/**
 * The server names a place with the kinds of the parts that it went through (`actions.0.reply.text.str`); the place is
 * what of that the document itself has. A refusal of the whole names the part in its first words.
 */
export function placesOf(problem: Problem | null, document: RuleDocument | null): Places {
  const found: Record<string, string> = {};
  for (const each of problem?.errors ?? []) {
    const [place, message] = placeOf(each, document);
    found[place] = message;
  }
  return found;
}

function placeOf({ field, message }: FieldProblem, document: RuleDocument | null): [string, string] {
  const named = /^(actions\.\d+): (.*)$/s.exec(message);
  if (named) return [named[1] ?? "", named[2] ?? message];
  const steps = field.replace(/^(body|rule)\./, "").split(".");
  const [head = ""] = steps;
  if (!document || !(head in document)) return [steps.join("."), message];
  return [resolve(document, steps).join("."), message];
}

/** The longest way through a value that takes some of the steps in their order. */
function resolve(value: unknown, steps: readonly string[]): string[] {
  const [first, ...rest] = steps;
  if (first === undefined || typeof value !== "object" || value === null) return [];
  const skipped = resolve(value, rest);
  if (!(first in value)) return skipped;
  const taken = [first, ...resolve((value as Record<string, unknown>)[first], rest)];
  return taken.length > skipped.length ? taken : skipped;
}

/** What is said of a place or of something in it. */
export function messageAt(places: Places, place: string): string | undefined {
  const within = Object.keys(places).find((each) => each === place || each.startsWith(`${place}.`));
  return within === undefined ? undefined : places[within];
}

/** What was said of no place that the editor has. */
export function unplaced(places: Places): string[] {
  const known = /^(name|description|trigger|conditions|actions|limits)(\.|$)/;
  return Object.entries(places)
    .filter(([place]) => !known.test(place))
    .map(([, message]) => message);
}

/** The places of comparisons that compare with nothing yet. */
export function emptyValues(condition: Condition, place = "conditions"): string[] {
  if ("not" in condition) return emptyValues(condition.not as Condition, `${place}.not`);
  for (const mode of ["all", "any"] as const) {
    const parts = (condition as Partial<Record<typeof mode, Condition[]>>)[mode];
    if (parts) return parts.flatMap((part, index) => emptyValues(part, `${place}.${mode}.${index}`));
  }
  const { value } = condition as { value: unknown };
  return value === "" || Number.isNaN(value) ? [`${place}.value`] : [];
}
