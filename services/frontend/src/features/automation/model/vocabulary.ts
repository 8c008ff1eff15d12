/** What rules are made of: written from the platform's code, so that the editor offers what the server takes. */
import type { Body } from "@/api/client";
import words from "../../../../api/automation.json";

export type RuleDocument = Body<"RuleDocument">;
export type Trigger = RuleDocument["trigger"];
export type Condition = NonNullable<RuleDocument["conditions"]>;
export type Action = RuleDocument["actions"][number];
export type ActionType = Action["type"];
export type Limits = Body<"Limits">;
export type Kind = "text" | "choice" | "tags" | "number" | "flag";

export const EVENTS: Readonly<Record<string, readonly string[]>> = words.events;
export const FIELDS = words.fields as Readonly<Record<string, Kind>>;
export const ACTION_TYPES = words.actions as readonly ActionType[];

const WITHOUT_CONVERSATION: readonly string[] = words.without_conversation;

/** The operators of each kind, the usual one first. */
export const OPERATORS: Readonly<Record<Kind, readonly string[]>> = {
  text: ["contains", "not_contains", "is", "is_not", "begins_with", "has_words"],
  choice: ["is", "is_not"],
  tags: ["has_any", "has_all", "has_none"],
  number: ["more_than", "less_than", "is", "is_not"],
  flag: ["is"],
};

/** Names in groups by what stands before their first dot, in their order. */
export function grouped(names: readonly string[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const head = name.split(".")[0] ?? name;
    groups.set(head, [...(groups.get(head) ?? []), name]);
  }
  return [...groups];
}

export function eventsOf(trigger: Trigger): readonly string[] {
  if (trigger.type !== "event") return [];
  return typeof trigger.name === "string" ? [trigger.name] : trigger.name;
}

/** Whether whatever starts the rule happens in a conversation, so that it can act there. */
export function inConversation(trigger: Trigger): boolean {
  if (trigger.type === "cron") return false;
  return eventsOf(trigger).every((name) => EVENTS[name]?.includes("conversation_id") ?? false);
}

export function fits(action: ActionType, trigger: Trigger): boolean {
  return WITHOUT_CONVERSATION.includes(action) || inConversation(trigger);
}

/** The values that the events of a trigger carry; those of only one of several are among them. */
export function payloadOf(trigger: Trigger): string[] {
  if (trigger.type === "silence") return ["conversation_id", "message_id"];
  return [...new Set(eventsOf(trigger).flatMap((name) => EVENTS[name] ?? []))];
}
