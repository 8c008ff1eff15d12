/** What is typed short: `/greeting` for a canned reply, `@name` for a colleague. */
import { folded } from "@/lib/match";

/** The letters after a `/` that the whole text begins with; null when it is no shortcut. */
export function slashWord(text: string): string | null {
  const found = /^\/([^\s/]*)$/.exec(text);
  return found ? (found[1] ?? "").toLowerCase() : null;
}

export interface Mention {
  start: number;
  matches: (name: string) => boolean;
}

/** The `@name` that is being typed at the caret. */
export function mentionAt(text: string, caret: number): Mention | null {
  const found = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret));
  if (!found) return null;
  const wanted = folded(found[1] ?? "");
  return { start: caret - (found[1] ?? "").length - 1, matches: (name) => folded(name).includes(wanted) };
}

export function withMention(text: string, caret: number, name: string): string {
  const mention = mentionAt(text, caret);
  return mention ? `${text.slice(0, mention.start)}@${name} ${text.slice(caret)}` : text;
}

/** The ids of those whose names stand in the text with an `@`. */
export function mentioned(text: string, people: readonly { id: string; name: string }[]): string[] {
  return people.filter((person) => person.name && text.includes(`@${person.name}`)).map((person) => person.id);
}
