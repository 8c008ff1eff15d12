import { describe, expect, it } from "vitest";
import { Problem } from "@/api/problem";
import en from "@/locales/en.json";
import { about, countOf, newComparison, newGroup, readConditions, writeConditions } from "./conditions";
import { EVERY, inForm, readCron, type Schedule, workdaysOf, writeCron } from "./cron";
import { BodyIsNoJson, blankCard, changesOf, documentOf, draftOf, EMPTY, variablesOf } from "./draft";
import { judge } from "./judged";
import { emptyValues, messageAt, placesOf } from "./places";
import {
  ACTION_TYPES,
  type Action,
  type Condition,
  EVENTS,
  eventsOf,
  FIELDS,
  fits,
  grouped,
  OPERATORS,
  payloadOf,
  type Trigger,
} from "./vocabulary";

const ID = "01a21556-cfdf-78b9-826f-f44086cc3c6a";

const TRIGGERS: Trigger[] = [
  { type: "event", name: "message.received" },
  { type: "event", name: ["conversation.created", "csat.received"] },
  { type: "cron", cron: "0 9 * * mon,tue", timezone: "Asia/Tehran" },
  { type: "cron", cron: "7 3-5 1 */2 *", timezone: null },
  { type: "silence", minutes: 90, waiting_for: "visitor" },
];

const CONDITIONS: Condition[] = [
  { all: [] },
  { all: [{ field: "message.text", op: "contains", value: "refund" }] },
  { any: [{ field: "message.text", op: "has_words", value: ["a", "b"] }] },
  { all: [{ field: "channel.type", op: "is_not", value: ["web", "telegram"] }] },
  { all: [{ field: "conversation.tags", op: "has_all", value: ["vip", "late"] }] },
  { all: [{ field: "conversation.messages", op: "more_than", value: 3 }] },
  { all: [{ field: "hours.open", op: "is", value: false }] },
  { all: [{ variable: "plan", op: "begins_with", value: "pro" }] },
  { all: [{ event: "score", op: "is", value: ["1", "2"] }] },
  { not: { any: [{ field: "message.language", op: "is", value: "fa" }] } },
  {
    all: [
      { not: { field: "conversation.tags", op: "has_any", value: "seen" } },
      {
        any: [
          { not: { all: [{ field: "hours.open", op: "is", value: true }] } },
          { event: "by", op: "is", value: "bot" },
        ],
      },
    ],
  },
];

const ACTIONS: { [Type in Action["type"]]: Action & { type: Type } } = {
  reply: { type: "reply", text: { en: "Hello", fa: "سلام" } },
  canned_reply: { type: "canned_reply", canned_reply_id: ID },
  webhook: { type: "webhook", url: "https://example.com/", body: { said: "{{message.text}}", deep: [1, null] } },
  ticket: { type: "ticket", subject: "S", problem: "P", priority: "high" },
  assign: { type: "assign", agent_id: null },
  tag: { type: "tag", add: ["a"], remove: ["b"] },
  hand_over: { type: "hand_over", reason: "Urgent" },
  note: { type: "note", text: "N" },
  email: { type: "email", to: "a@example.com", subject: "S", text: "T" },
  close: { type: "close" },
  wait: { type: "wait", minutes: 5 },
  set_variable: { type: "set_variable", name: "plan", value: "pro" },
};

const LIMITS = {
  cool_down_minutes: 5,
  per_conversation: 1,
  quiet_hours: { begins: "22:00", ends: "07:00", timezone: null },
  misfire: { policy: "skip", grace_seconds: 60 },
} as const;

const stored = { ...EMPTY, name: "R", actions: Object.values(ACTIONS), limits: LIMITS };

describe("what is stored comes back as it was", () => {
  it.each(TRIGGERS)("trigger %j", (trigger) => {
    expect(documentOf(draftOf({ ...stored, trigger })).trigger).toEqual(trigger);
  });

  it.each(CONDITIONS)("condition %j", (condition) => {
    expect(writeConditions(readConditions(condition))).toEqual(condition);
  });

  it.each(ACTION_TYPES)("action %s", (type) => {
    const action = ACTIONS[type];
    expect(documentOf(draftOf({ ...stored, actions: [action] })).actions).toEqual([action]);
  });

  it("limits, those that are set and those that are not", () => {
    expect(documentOf(draftOf(stored)).limits).toEqual(LIMITS);
    expect(documentOf(draftOf(EMPTY)).limits).toMatchObject({ cool_down_minutes: null, quiet_hours: null });
  });
});

describe("conditions", () => {
  it("that stand alone become a group of one", () => {
    const group = readConditions({ field: "message.text", op: "is", value: "a" });
    expect(writeConditions(group)).toEqual({ all: [{ field: "message.text", op: "is", value: "a" }] });
  });

  it("have an operator and a value for each kind of field", () => {
    for (const name of Object.keys(FIELDS)) {
      const made = newComparison(name);
      expect(OPERATORS[FIELDS[name] ?? "text"]).toContain(made.op);
    }
    expect(newComparison("hours.open").value).toBe(true);
    expect(newComparison("conversation.messages").value).toBe(0);
  });

  it("keep operator and value when another text is compared, not when another kind is", () => {
    const text = { ...newComparison("message.text"), op: "begins_with", value: ["a"] };
    expect(about(text, "visitor.name")).toMatchObject({ op: "begins_with", value: ["a"], id: text.id });
    expect(about(text, "hours.open")).toMatchObject({ op: "is", value: true });
    expect(about(text, "channel.type")).toMatchObject({ op: "is", value: [] });
  });

  it("are counted, and those without a value found", () => {
    const group = newGroup([newComparison(), newGroup([{ ...newComparison(), negated: true }], "any")]);
    expect(countOf(group)).toBe(2);
    expect(emptyValues(writeConditions(group))).toEqual(["conditions.all.0.value", "conditions.all.1.any.0.not.value"]);
  });
});

describe("what a trial found", () => {
  const group = readConditions({
    all: [
      {
        any: [
          { event: "score", op: "is", value: "1" },
          { event: "score", op: "is", value: "2" },
        ],
      },
      { not: { variable: "asked", op: "is", value: "yes" } },
    ],
  });
  const found = (...holds: boolean[]) =>
    judge(
      group,
      holds.map((each) => ({ holds: each })),
    );

  it("is judged with groups and negations", () => {
    expect(found(false, true, false)?.holds).toBe(true);
    expect(found(false, true, true)?.parts.map((each) => each.holds)).toEqual([true, false]);
    expect(found(false, false, false)?.parts[0]?.holds).toBe(false);
    expect(judge(newGroup(), [])?.holds).toBe(true);
  });

  it("belongs to the rule that was tried, or is not told", () => {
    expect(found(true)).toBeNull();
    expect(found(true, true, true, true)).toBeNull();
  });
});

describe("schedules", () => {
  const PLAIN: [string, Schedule][] = [
    ["*/15 * * * *", { every: "minutes", minutes: 15 }],
    ["5 * * * *", { every: "hour", minute: 5 }],
    ["30 8 * * *", { every: "day", time: "08:30" }],
    ["0 9 * * mon,wed", { every: "week", days: ["mon", "wed"], time: "09:00" }],
    ["0 9 1 * *", { every: "month", day: 1, time: "09:00" }],
    ["0 9 1 * mon", { every: "text", cron: "0 9 1 * mon" }],
    ["0 9 * jan *", { every: "text", cron: "0 9 * jan *" }],
    ["nonsense", { every: "text", cron: "nonsense" }],
  ];
  it.each(PLAIN)("%s is read and written", (cron, schedule) => {
    expect(readCron(cron)).toEqual(schedule);
    expect(writeCron(schedule)).toBe(cron);
  });

  it("weekdays in numbers and in spans are understood", () => {
    expect(readCron("0 9 * * 1-5")).toEqual({
      every: "week",
      days: ["mon", "tue", "wed", "thu", "fri"],
      time: "09:00",
    });
    expect(readCron("0 9 * * sat-mon")).toMatchObject({ days: ["mon", "sat", "sun"] });
    expect(readCron("0 9 * * 0,7")).toMatchObject({ days: ["sun"] });
    expect(readCron("0 9 * * mon#1")).toMatchObject({ every: "text" });
  });

  it("change their form and keep the time", () => {
    const day: Schedule = { every: "day", time: "07:45" };
    expect(inForm(day, "week", workdaysOf("fa"))).toMatchObject({
      days: ["sat", "sun", "mon", "tue", "wed"],
      time: "07:45",
    });
    expect(inForm(day, "text", [])).toEqual({ every: "text", cron: "45 7 * * *" });
    for (const every of EVERY) expect(readCron(writeCron(inForm(day, every, ["mon"])))).toBeDefined();
  });
});

describe("drafts", () => {
  it("say only what has changed", () => {
    const before = draftOf(stored);
    expect(changesOf(before, before)).toEqual({});
    expect(changesOf(before, { ...before, name: "Other" })).toEqual({ name: "Other" });
    const fewer = { ...before, actions: before.actions.slice(0, 1) };
    expect(changesOf(before, fewer)).toEqual({ actions: [ACTIONS.reply] });
  });

  it("refuse a body that is not JSON at its place, and leave an empty one out", () => {
    const card = blankCard("webhook");
    const draft = { ...draftOf(EMPTY), actions: [card] };
    expect(documentOf(draft).actions).toEqual([{ type: "webhook", url: "https://", body: null }]);
    const broken = { ...card, value: { ...card.value, body: "{" } as typeof card.value };
    expect(() => documentOf({ ...draft, actions: [broken] })).toThrow(BodyIsNoJson);
  });

  it("know the variables that they set", () => {
    expect(variablesOf(draftOf(stored).actions)).toEqual(["plan"]);
  });

  it("offer an action only where there is a conversation to act in", () => {
    expect(fits("reply", { type: "event", name: "message.received" })).toBe(true);
    expect(fits("reply", { type: "event", name: ["message.received", "channel.dead"] })).toBe(false);
    expect(fits("reply", { type: "cron", cron: "* * * * *" })).toBe(false);
    expect(fits("webhook", { type: "cron", cron: "* * * * *" })).toBe(true);
    expect(payloadOf({ type: "event", name: ["csat.received"] })).toContain("score");
    expect(eventsOf({ type: "silence", minutes: 1, waiting_for: "team" })).toEqual([]);
  });
});

describe("what the server says", () => {
  const document = documentOf(
    draftOf({
      ...stored,
      conditions: {
        all: [
          { any: [{ event: "score", op: "is", value: "" }] },
          { not: { field: "hours.open", op: "is", value: true } },
        ],
      },
      actions: [ACTIONS.reply, ACTIONS.webhook],
    }),
  );
  const placed = (field: string, message = "wrong") =>
    Object.keys(placesOf(new Problem(422, "invalid_input", "", [{ field, message }]), document));

  it.each([
    ["name", "name"],
    ["rule.trigger.event.name", "trigger.name"],
    ["actions.0.reply.text.dict[str,str].fa", "actions.0.text.fa"],
    ["rule.actions.1.webhook.url", "actions.1.url"],
    ["conditions.all.all.0.any.any.0.event.op", "conditions.all.0.any.0.op"],
    ["conditions.all.all.1.not.not.flag.value", "conditions.all.1.not.value"],
    ["limits.misfire.grace_seconds", "limits.misfire.grace_seconds"],
  ])("of %s stands at %s", (field, place) => {
    expect(placed(field)).toEqual([place]);
  });

  it("of the whole stands at the action that it names", () => {
    expect(placed("body", "actions.1: `reply` needs a conversation")).toEqual(["actions.1"]);
  });

  it("is found by a place or by what is around it", () => {
    const places = { "actions.0.text.fa": "too long" };
    expect(messageAt(places, "actions.0.text")).toBe("too long");
    expect(messageAt(places, "actions.0.te")).toBeUndefined();
  });
});

describe("the words of all that rules are made of", () => {
  const keys = new Set(Object.keys(en));
  const without = (prefix: string, names: readonly string[]) => names.filter((name) => !keys.has(`${prefix}.${name}`));

  it("are in the language files", () => {
    expect(without("event", Object.keys(EVENTS))).toEqual([]);
    expect(without("event_value", [...new Set(Object.values(EVENTS).flat())])).toEqual([]);
    expect(
      without(
        "event_group",
        grouped(Object.keys(EVENTS)).map(([group]) => group),
      ),
    ).toEqual([]);
    expect(
      without(
        "rule_field_group",
        grouped(Object.keys(FIELDS)).map(([group]) => group),
      ),
    ).toEqual([]);
    expect(without("rule_field", Object.keys(FIELDS))).toEqual([]);
    expect(without("rule_action", ACTION_TYPES)).toEqual([]);
    expect(without("step_done", ACTION_TYPES)).toEqual([]);
    expect(without("compare", [...new Set(Object.values(OPERATORS).flat())])).toEqual([]);
  });
});
