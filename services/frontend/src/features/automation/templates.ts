/** Rules to begin with: each works as it is, or after an address has been filled in. What visitors read is in their language. */
import type { Language } from "@/i18n";
import { workdaysOf } from "./model/cron";
import { EMPTY, type RuleParts } from "./model/draft";

export const TEMPLATES = [
  "welcome_closed",
  "ticket_of_gap",
  "close_silent",
  "late_answer",
  "bad_rating",
  "urgent_words",
  "morning_call",
] as const;
export type Template = (typeof TEMPLATES)[number];

type Parts = Omit<RuleParts, "name" | "description">;

const CLOSED = {
  en: "Hello {{visitor.name}}, we are not at our desks right now. Leave your question here: we answer first thing when we are back.",
  fa: "سلام {{visitor.name}}، همکاران ما الان پشت میز نیستند. پرسشتان را همین‌جا بنویسید؛ اولِ وقت کاری پاسخ می‌دهیم.",
  es: "Hola, {{visitor.name}}: ahora mismo no estamos. Deje aquí su pregunta y le responderemos en cuanto volvamos.",
};
const GOODBYE = {
  en: "We have not heard from you for a day, so we close this conversation. Just write again if there is anything else.",
  fa: "یک روز است که پیامی از شما نداریم، پس این گفتگو را می‌بندیم. هر وقت کاری داشتید دوباره بنویسید.",
  es: "Hace un día que no sabemos de usted, así que cerramos esta conversación. Escriba de nuevo cuando lo necesite.",
};

/** The parts of a template; what agents read is in the language of whoever writes the rule. */
export function partsOf(template: Template, { t, named, locale }: Language): RuleParts {
  const parts: Record<Template, Partial<Parts>> = {
    welcome_closed: {
      trigger: { type: "event", name: "conversation.created" },
      conditions: { all: [{ field: "hours.open", op: "is", value: false }] },
      actions: [
        { type: "reply", text: CLOSED },
        { type: "tag", add: ["outside-hours"], remove: [] },
      ],
      limits: { per_conversation: 1 },
    },
    ticket_of_gap: {
      trigger: { type: "event", name: "knowledge.gap" },
      actions: [
        {
          type: "ticket",
          subject: t("template_text.gap_subject", { question: "{{message.text}}" }),
          problem: t("template_text.gap_problem", { question: "{{message.text}}" }),
          priority: "normal",
        },
      ],
      limits: { per_conversation: 1 },
    },
    close_silent: {
      trigger: { type: "silence", minutes: 1440, waiting_for: "visitor" },
      conditions: { all: [{ field: "conversation.state", op: "is_not", value: "closed" }] },
      actions: [{ type: "reply", text: GOODBYE }, { type: "close" }],
    },
    late_answer: {
      trigger: { type: "silence", minutes: 10, waiting_for: "team" },
      conditions: { all: [{ field: "conversation.state", op: "is", value: ["waiting", "human"] }] },
      actions: [
        { type: "tag", add: ["late"], remove: [] },
        { type: "note", text: t("template_text.late_note") },
      ],
      limits: { cool_down_minutes: 60 },
    },
    bad_rating: {
      trigger: { type: "event", name: "csat.received" },
      conditions: { all: [{ event: "score", op: "is", value: ["1", "2"] }] },
      actions: [
        {
          type: "webhook",
          url: "https://",
          body: { text: t("template_text.bad_rating", { score: "{{event.score}}", name: "{{visitor.name}}" }) },
        },
      ],
    },
    urgent_words: {
      trigger: { type: "event", name: "message.received" },
      conditions: {
        any: [
          { field: "message.text", op: "contains", value: t("template_text.urgent_words").split("|") },
          { field: "conversation.tags", op: "has_any", value: "vip" },
        ],
      },
      actions: [{ type: "hand_over", reason: t("template_text.urgent_reason") }],
      limits: { cool_down_minutes: 60 },
    },
    morning_call: {
      trigger: { type: "cron", cron: `0 9 * * ${workdaysOf(locale).join(",")}`, timezone: null },
      actions: [{ type: "webhook", url: "https://", body: { text: t("template_text.morning") } }],
    },
  };
  return {
    ...EMPTY,
    ...parts[template],
    name: named("template", template),
    description: named("template_hint", template),
  };
}
