/** The forms: before the chat, a request to be answered later, and the transcript. */

import type { JSX, TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { ApiError, type Ticket } from "../core/api";
import { inLanguage, type PreChatField } from "../core/config";
import { saveAs } from "./attachment";
import { useChat, useModel, useScreen, useWords } from "./hooks";
import { Outcome, Page } from "./page";

const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "email" | "tel" | "select" | "textarea";
  readonly required?: boolean;
  readonly options?: readonly string[];
  readonly value?: string;
  readonly error?: string | undefined;
}

const AUTOCOMPLETE: Readonly<Record<string, string>> = { name: "name", email: "email", tel: "tel", phone: "tel" };

function Field({
  name,
  label,
  type = "text",
  required = false,
  options = [],
  value = "",
  error,
}: FieldProps): JSX.Element {
  const words = useWords();
  const shared = {
    name,
    id: `xin-${name}`,
    dir: type === "email" || type === "tel" ? ("ltr" as const) : ("auto" as const),
    "aria-invalid": !!error,
    "aria-required": required,
    ...(error ? { "aria-describedby": `xin-${name}-error` } : {}),
  };
  return (
    <div class="field">
      <label for={`xin-${name}`}>
        <bdi>{label}</bdi> {!required && <small>({words.t("form.optional")})</small>}
      </label>
      {type === "select" ? (
        <select {...shared}>
          <option value="">{words.t("form.choose")}</option>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      ) : type === "textarea" ? (
        <textarea {...shared} rows={5} maxLength={8000} defaultValue={value} />
      ) : (
        <input
          {...shared}
          type={type as "text"}
          maxLength={320}
          defaultValue={value}
          autocomplete={AUTOCOMPLETE[name] ?? "on"}
        />
      )}
      {error && (
        <p class="error-text" id={`xin-${name}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

type Values = Readonly<Record<string, string>>;
interface Rule {
  readonly name: string;
  readonly type?: string;
  readonly required?: boolean;
}

/** A form that checks itself in the chat's own words: the browser's bubbles speak the browser's language. */
function useForm(rules: readonly Rule[], submit: (values: Values) => Promise<void>) {
  const model = useModel();
  const words = useWords();
  const [errors, setErrors] = useState<Values>({});
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
    const wrong: Record<string, string> = {};
    for (const { name, type, required } of rules) {
      const value = values[name] ?? "";
      if (required && value === "") wrong[name] = words.t("form.required");
      else if (type === "email" && value !== "" && !EMAIL.test(value)) wrong[name] = words.t("form.badEmail");
    }
    setErrors(wrong);
    const first = Object.keys(wrong)[0];
    if (first) return (form.elements.namedItem(first) as HTMLElement | null)?.focus();
    setBusy(true);
    try {
      await submit(values);
    } catch (error) {
      const said = error instanceof ApiError && error.problem.status === 422 ? error.problem.detail : "";
      model.toast(said || words.t("form.failed"));
    }
    setBusy(false);
  };
  return { errors, busy, onSubmit };
}

/** Asked before the first message, where the tenant wants it. */
export function PreChat(): JSX.Element {
  const model = useModel();
  const words = useWords();
  const { fields } = model.config.pre_chat;
  const { errors, busy, onSubmit } = useForm(fields, async (values) => {
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
    try {
      await model.client.introduce(given);
    } catch (error) {
      // What was written is not lost for want of a network: it goes with a request for a person.
      if (!(error instanceof ApiError) || error.problem.status === 422) throw error;
    }
    model.screen.patch({ introduced: true });
  });
  const labelOf = (field: PreChatField) =>
    inLanguage(field.label, ...model.textLocales) ?? Object.values(field.label)[0] ?? field.name;
  return (
    <div class="page-body">
      <form class="card form" noValidate onSubmit={onSubmit}>
        <h2>{words.t("prechat.title")}</h2>
        <p class="muted">{words.t("prechat.text")}</p>
        {fields.map((field) => (
          <Field
            key={field.name}
            name={field.name}
            label={labelOf(field)}
            type={field.type}
            required={field.required}
            options={field.options ?? []}
            error={errors[field.name]}
          />
        ))}
        <button type="submit" class="primary" disabled={busy}>
          {words.t("prechat.start")}
        </button>
      </form>
    </div>
  );
}

const TICKET_RULES: readonly Rule[] = [
  { name: "name", required: true },
  { name: "email", type: "email", required: true },
  { name: "problem", required: true },
];

/** A request that is answered later, by e-mail where the brand has any: outside the hours, or whenever it is preferred. */
export function TicketForm(): JSX.Element {
  const model = useModel();
  const words = useWords();
  const { conversation } = useChat();
  const { config } = useScreen();
  const [ticket, setTicket] = useState<{ ticket: Ticket; email: string } | null>(null);
  const { errors, busy, onSubmit } = useForm(
    TICKET_RULES,
    async ({ name = "", email = "", subject = "", problem = "" }) => {
      const request = {
        name,
        email,
        problem,
        ...(subject ? { subject } : {}),
        ...(conversation.id ? { conversation_id: conversation.id } : {}),
      };
      setTicket({ ticket: await model.client.api.openTicket(model.client.token, request), email });
    },
  );
  const promise = words.t(config.mail ? "ticket.text" : conversation.id ? "ticket.here" : "ticket.later");
  const away = !model.hours.open_now && inLanguage(config.hours.message, ...model.textLocales);
  return (
    <Page title={words.t("ticket.title")}>
      {ticket ? (
        <Outcome class="card done">
          <h2>{words.t("ticket.sent", { n: ticket.ticket.number })}</h2>
          <p class="muted">{config.mail ? words.t("ticket.sentText", { email: ticket.email }) : promise}</p>
          <button type="button" class="primary" onClick={() => model.show("chat")}>
            {words.t("back")}
          </button>
        </Outcome>
      ) : (
        <form class="card form" noValidate onSubmit={onSubmit}>
          <p class="muted" dir="auto">
            {away || promise}
          </p>
          <Field
            name="name"
            required
            label={words.t("form.name")}
            value={model.client.contact.name ?? ""}
            error={errors["name"]}
          />
          <Field
            name="email"
            type="email"
            required
            label={words.t("form.email")}
            value={model.client.contact.email ?? ""}
            error={errors["email"]}
          />
          <Field name="subject" label={words.t("form.subject")} />
          <Field name="problem" type="textarea" required label={words.t("form.problem")} error={errors["problem"]} />
          <button type="submit" class="primary" disabled={busy}>
            {words.t("ticket.send")}
          </button>
        </form>
      )}
    </Page>
  );
}

const MAIL_RULES: readonly Rule[] = [{ name: "email", type: "email", required: true }];

export function TranscriptForm(): JSX.Element {
  const model = useModel();
  const words = useWords();
  const { conversation } = useChat();
  const { mail } = useScreen().config;
  const [mailed, setMailed] = useState("");
  const id = conversation.id ?? "";
  const { errors, busy, onSubmit } = useForm(MAIL_RULES, async ({ email = "" }) => {
    try {
      await model.client.api.mailTranscript(model.client.token, id, email);
      setMailed(email);
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.code !== "mail_not_set_up") throw error;
      model.toast(words.t("transcript.noMail"));
    }
  });
  const download = async () => {
    try {
      saveAs(await model.client.api.transcript(model.client.token, id), `chat-${id.slice(0, 8)}.txt`);
    } catch {
      model.toast(words.t("form.failed"));
    }
  };
  return (
    <Page title={words.t("transcript.title")}>
      <form class="card form" noValidate onSubmit={onSubmit}>
        <p class="muted">{words.t(mail ? "transcript.text" : "transcript.keep")}</p>
        <button type="button" class="secondary" onClick={download}>
          {words.t("transcript.download")}
        </button>
        {mailed && <Outcome class="">{words.t("transcript.mailed", { email: mailed })}</Outcome>}
        {mail && !mailed && (
          <>
            <Field
              name="email"
              type="email"
              required
              label={words.t("form.email")}
              value={model.client.contact.email ?? ""}
              error={errors["email"]}
            />
            <button type="submit" class="primary" disabled={busy}>
              {words.t("transcript.mail")}
            </button>
          </>
        )}
      </form>
    </Page>
  );
}
