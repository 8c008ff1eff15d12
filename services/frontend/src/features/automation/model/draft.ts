/** A rule as the editor holds it, and the way from and to what is stored. */
import { type Group, newGroup, partId, readConditions, writeConditions } from "./conditions";
import type { Action, ActionType, Condition, Limits, RuleDocument, Trigger } from "./vocabulary";

type WebhookAction = Extract<Action, { type: "webhook" }>;

/** An action's values. The body of a webhook is text while it is written. */
export type CardValue = Exclude<Action, { type: "webhook" }> | (Omit<WebhookAction, "body"> & { body: string });

export interface ActionCard {
  id: string;
  value: CardValue;
}

export interface Draft {
  name: string;
  description: string;
  brandId: string | null;
  trigger: Trigger;
  conditions: Group;
  actions: ActionCard[];
  limits: Required<Limits>;
}

/** Anything that has a rule's parts: one that is stored, or a template. */
export interface RuleParts {
  name: string;
  description: string;
  brand_id?: string | null;
  trigger: object;
  conditions: object;
  actions: readonly object[];
  limits: object;
}

export const NO_LIMITS: Required<Limits> = {
  cool_down_minutes: null,
  per_conversation: null,
  quiet_hours: null,
  misfire: { policy: "once", grace_seconds: 300 },
};

export const EMPTY: RuleParts = {
  name: "",
  description: "",
  trigger: { type: "event", name: "message.received" },
  conditions: { all: [] },
  actions: [],
  limits: {},
};

/** A body that is not JSON; what is wrong with it is told at its field. */
export class BodyIsNoJson extends Error {
  constructor(readonly index: number) {
    super(`actions.${index}.body`);
  }
}

export function draftOf(rule: RuleParts): Draft {
  return {
    name: rule.name,
    description: rule.description,
    brandId: rule.brand_id ?? null,
    trigger: rule.trigger as Trigger,
    conditions: rule.conditions ? readConditions(rule.conditions as Condition) : newGroup(),
    actions: rule.actions.map((action) => cardOf(action as Action)),
    limits: { ...NO_LIMITS, ...(rule.limits as Limits) },
  };
}

/** What is stored of a draft; throws `BodyIsNoJson`. */
export function documentOf(draft: Draft): RuleDocument {
  return {
    trigger: draft.trigger,
    conditions: writeConditions(draft.conditions),
    actions: draft.actions.map(({ value }, index) => actionOf(value, index)),
    limits: draft.limits,
  };
}

/** What of a rule is not as it was: all that is sent when it is saved. */
export function changesOf(before: Draft, after: Draft): Partial<RuleDocument & { name: string; description: string }> {
  const whole = (draft: Draft) => ({ ...documentOf(draft), name: draft.name, description: draft.description });
  const [old, now] = [whole(before), whole(after)];
  const differs = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(old[name as keyof typeof old]);
  return Object.fromEntries(Object.entries(now).filter(differs));
}

export function cardOf(action: Action): ActionCard {
  const value =
    action.type === "webhook" ? { ...action, body: action.body ? JSON.stringify(action.body, null, 2) : "" } : action;
  return { id: partId(), value: value as CardValue };
}

function actionOf(value: CardValue, index: number): Action {
  if (value.type === "hand_over" && !value.reason?.trim()) return { type: "hand_over" } as Action; // the server's words
  if (value.type !== "webhook") return value;
  if (value.body.trim() === "") return { ...value, body: null };
  try {
    return { ...value, body: JSON.parse(value.body) };
  } catch {
    throw new BodyIsNoJson(index);
  }
}

const BLANK: { [Type in ActionType]: CardValue & { type: Type } } = {
  reply: { type: "reply", text: "" },
  canned_reply: { type: "canned_reply", canned_reply_id: "" },
  webhook: { type: "webhook", url: "https://", body: "" },
  ticket: { type: "ticket", subject: "", problem: "", priority: "normal" },
  assign: { type: "assign", agent_id: null },
  tag: { type: "tag", add: [], remove: [] },
  hand_over: { type: "hand_over", reason: "" },
  note: { type: "note", text: "" },
  email: { type: "email", to: "{{visitor.email}}", subject: "", text: "" },
  close: { type: "close" },
  wait: { type: "wait", minutes: 10 },
  set_variable: { type: "set_variable", name: "", value: "" },
};

export function blankCard(type: ActionType): ActionCard {
  return { id: partId(), value: BLANK[type] };
}

/** The variables that a rule's own actions set: what its texts may name. */
export function variablesOf(cards: readonly ActionCard[]): string[] {
  const names = cards.flatMap(({ value }) => (value.type === "set_variable" && value.name ? [value.name] : []));
  return [...new Set(names)];
}
