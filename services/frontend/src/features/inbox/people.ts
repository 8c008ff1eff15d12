/** How people in a conversation are called. */
import type { Language } from "@/i18n";
import type { Conversation } from "./api";

const text = (value: unknown) => (typeof value === "string" && value.trim() !== "" ? value : undefined);

/** The visitor's name, else the address, else a word with a few letters of the id to tell visitors apart. */
export function visitorName(conversation: Conversation, t: Language["t"]): string {
  const { visitor } = conversation;
  const id = text(visitor.id) ?? conversation.id;
  return text(visitor.name) ?? text(visitor.email) ?? text(visitor.username) ?? `${t("inbox.visitor")} ${id.slice(-4)}`;
}

export function isAnonymous({ visitor }: Conversation): boolean {
  return !(text(visitor.name) ?? text(visitor.email) ?? text(visitor.username));
}

/** What else is known of the visitor, by name, fit to show. */
export function visitorFacts(conversation: Conversation): [string, string][] {
  return Object.entries(conversation.visitor)
    .filter(([name]) => !["name", "avatar_url"].includes(name))
    .flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, String(value)] as [string, string]] : [],
    );
}
