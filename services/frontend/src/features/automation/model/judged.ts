/** Conditions with what a trial found: the server tells each comparison, in order; the groups follow from them. */
import type { Comparison, Group, Part } from "./conditions";

export interface Judged<Found> {
  part: Part;
  /** With its negation. */
  holds: boolean;
  /** Of a comparison. */
  found?: Found;
  /** Of a group. */
  parts: Judged<Found>[];
}

/** A tree of verdicts; null when the comparisons are not those of this tree. */
export function judge<Found extends { holds: boolean }>(group: Group, all: readonly Found[]): Judged<Found> | null {
  const left = [...all];
  const judged = judgeGroup(group, left);
  return judged && left.length === 0 ? judged : null;
}

function judgeGroup<Found extends { holds: boolean }>(group: Group, left: Found[]): Judged<Found> | null {
  const parts: Judged<Found>[] = [];
  for (const part of group.parts) {
    const judged = part.kind === "group" ? judgeGroup(part, left) : judgeOne(part, left);
    if (!judged) return null;
    parts.push(judged);
  }
  const plain =
    group.mode === "any" && parts.length > 0 ? parts.some((each) => each.holds) : parts.every((each) => each.holds);
  return { part: group, holds: plain !== group.negated, parts };
}

function judgeOne<Found extends { holds: boolean }>(part: Comparison, left: Found[]): Judged<Found> | null {
  const found = left.shift();
  return found ? { part, holds: found.holds !== part.negated, found, parts: [] } : null;
}
