/** One ticket: what is wrong, its clocks, what was said about it, and the conversation that it came from. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, Lock, MessagesSquare, Pencil } from "lucide-react";
import { type ReactNode, useState } from "react";
import { download } from "@/api/client";
import { asProblem } from "@/api/problem";
import { FormDialog } from "@/app/form-dialog";
import { LeaveGuard } from "@/app/leave-guard";
import { useMay } from "@/app/tenant";
import { keys as inboxKeys, listAgents } from "@/features/inbox/api";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { saveBlob } from "@/lib/save";
import { Button, buttonClass, IconButton } from "@/ui/button";
import { Field, FormProblem, Input, Select, Textarea, Toggle } from "@/ui/field";
import { Markdown } from "@/ui/markdown";
import { Facts } from "@/ui/page";
import { Failure, Loaded } from "@/ui/states";
import { When } from "@/ui/time";
import { toast } from "@/ui/toast";
import { Tokens } from "@/ui/tokens";
import {
  addComment,
  changeTicket,
  getTicket,
  keys,
  PRIORITIES,
  type Priority,
  STATUSES,
  type TicketComment,
  type TicketDetail,
  type TicketStatus,
} from "./api";
import { SlaClock, StatusBadge } from "./marks";

export function TicketPanel({ ticketId }: { ticketId: string }) {
  const ticket = useQuery({ queryKey: keys.one(ticketId), queryFn: () => getTicket(ticketId) });
  // Erased while it was open: what was read of it is shown no longer.
  if (ticket.error && asProblem(ticket.error).status === 404)
    return <Failure error={ticket.error} onRetry={() => ticket.refetch()} />;
  return <Loaded query={ticket}>{(data) => <Detail ticket={data} />}</Loaded>;
}

function useReload(ticket: TicketDetail) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.one(ticket.id) }),
      queries.invalidateQueries({ queryKey: keys.lists(ticket.tenant_id) }),
    ]);
}

function Detail({ ticket }: { ticket: TicketDetail }) {
  const { format } = useLanguage();
  return (
    <div className="flex flex-col gap-6 p-5">
      <div className="flex flex-col gap-2">
        <div className="flex flex-wrap items-center gap-2">
          <span className="text-sm text-ink-faint">#{format.number(ticket.number, { useGrouping: false })}</span>
          <StatusBadge status={ticket.status} />
          <SlaClock sla={ticket.sla} />
        </div>
        <Subject ticket={ticket} />
        <p dir="auto" className="text-sm whitespace-pre-wrap text-ink-soft">
          {ticket.problem}
        </p>
      </div>
      <Controls ticket={ticket} />
      <FactsOf ticket={ticket} />
      <Comments ticket={ticket} />
      <Transcript ticket={ticket} />
    </div>
  );
}

function Subject({ ticket }: { ticket: TicketDetail }) {
  const { t } = useLanguage();
  const mayEdit = useMay("manageTickets");
  const [editing, setEditing] = useState(false);
  return (
    <div className="flex items-start gap-1">
      <h2 className="min-w-0 text-base font-semibold">
        <bdi>{ticket.subject}</bdi>
      </h2>
      {mayEdit && (
        <IconButton size="iconSm" label={t("tickets.change_subject")} onClick={() => setEditing(true)}>
          <Pencil className="size-3.5" aria-hidden />
        </IconButton>
      )}
      {editing && <SubjectDialog ticket={ticket} onClose={() => setEditing(false)} />}
    </div>
  );
}

function SubjectDialog({ ticket, onClose }: { ticket: TicketDetail; onClose: () => void }) {
  const { t } = useLanguage();
  const reload = useReload(ticket);
  const form = useForm({ subject: ticket.subject }, async ({ subject }) => {
    await changeTicket(ticket.id, { subject, version: ticket.version });
    await reload();
    onClose();
  });
  return (
    <FormDialog
      form={form}
      shown={["subject"]}
      onClose={onClose}
      title={t("tickets.change_subject")}
      action={t("action.save")}
    >
      <Field label={t("tickets.subject")} error={form.error("subject")}>
        <Input
          required
          maxLength={200}
          dir="auto"
          value={form.values.subject}
          onChange={(event) => form.set("subject", event.target.value)}
        />
      </Field>
    </FormDialog>
  );
}

function Controls({ ticket }: { ticket: TicketDetail }) {
  const { t, named } = useLanguage();
  const reload = useReload(ticket);
  const agents = useQuery({
    queryKey: inboxKeys.agents(ticket.tenant_id),
    queryFn: () => listAgents(ticket.tenant_id),
    staleTime: 30_000,
  });
  const mayEdit = useMay("manageTickets");
  const [busy, setBusy] = useState(false);
  const change = async (body: Parameters<typeof changeTicket>[1]) => {
    setBusy(true); // a second change before the first is seen would be refused as an older version's
    await changeTicket(ticket.id, { ...body, version: ticket.version }).catch(toast.failed);
    await reload();
    setBusy(false);
  };
  const known = agents.data ?? [];
  const assigned = ticket.assignee;
  const people = assigned && !known.some((agent) => agent.id === assigned.id) ? [...known, assigned] : known;
  return (
    <fieldset disabled={busy || !mayEdit} className="grid gap-3 sm:grid-cols-3">
      <Field label={t("field.status")}>
        <Select
          value={ticket.status}
          onChange={(event) => void change({ status: event.target.value as TicketStatus })}
          options={STATUSES.map((each) => ({ value: each, label: named("ticket", each) }))}
        />
      </Field>
      <Field label={t("tickets.priority")}>
        <Select
          value={ticket.priority}
          onChange={(event) => void change({ priority: event.target.value as Priority })}
          options={PRIORITIES.map((each) => ({ value: each, label: named("priority", each) }))}
        />
      </Field>
      <Field label={t("inbox.assignee")}>
        <Select
          value={assigned?.id ?? ""}
          onChange={(event) => void change({ assignee_id: event.target.value || null })}
          options={[
            { value: "", label: t("inbox.nobody") },
            ...people.map((agent) => ({ value: agent.id, label: agent.name })),
          ]}
        />
      </Field>
      <Field label={t("field.tags")} className="sm:col-span-3">
        <Tokens label={t("field.tags")} maxLength={60} value={ticket.tags} onChange={(tags) => void change({ tags })} />
      </Field>
    </fieldset>
  );
}

function FactsOf({ ticket }: { ticket: TicketDetail }) {
  const { t, named, format } = useLanguage();
  const { sla } = ticket;
  const save = () =>
    void download(`/api/tickets/${ticket.id}?format=txt`)
      .then((blob) => saveBlob(blob, `ticket-${ticket.number}.txt`))
      .catch(toast.failed);
  return (
    <>
      <Facts
        items={[
          [
            t("tickets.requester"),
            <bdi key="who">{[ticket.requester.name, ticket.requester.email].filter(Boolean).join(" · ")}</bdi>,
          ],
          ...(ticket.device ? [[t("tickets.device"), <bdi key="device">{ticket.device}</bdi>] as const] : []),
          [t("tickets.source"), named("source", ticket.source)],
          [t("field.created"), <When key="made" at={ticket.created_at} />],
          ...(sla?.first_response_due_at
            ? [
                [
                  t("tickets.first_response"),
                  sla.first_responded_at ? (
                    <When key="first" at={sla.first_responded_at} />
                  ) : (
                    format.ago(sla.first_response_due_at)
                  ),
                ] as const,
              ]
            : []),
          ...(sla?.resolution_due_at
            ? [
                [
                  t("tickets.resolution"),
                  sla.resolved_at ? <When key="done" at={sla.resolved_at} /> : format.ago(sla.resolution_due_at),
                ] as const,
              ]
            : []),
        ]}
      />
      <div className="flex flex-wrap gap-2">
        {ticket.conversation_id && (
          <Link
            to="/t/$tenantId/inbox/$conversationId"
            params={{ tenantId: ticket.tenant_id, conversationId: ticket.conversation_id }}
            className={buttonClass({ size: "sm" })}
          >
            <MessagesSquare className="size-3.5" aria-hidden />
            {t("tickets.conversation")}
          </Link>
        )}
        <Button size="sm" icon={<Download className="size-3.5" aria-hidden />} onClick={save}>
          {t("tickets.as_text")}
        </Button>
      </div>
    </>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3">
      <h3 className="text-xs font-medium text-ink-faint">{title}</h3>
      {children}
    </section>
  );
}

/** What the requester mailed along. */
function CommentFiles({ ticketId, comment }: { ticketId: string; comment: TicketComment }) {
  const { format } = useLanguage();
  const save = (number: number, name: string) =>
    void download(`/api/tickets/${ticketId}/comments/${comment.id}/files/${number}`)
      .then((blob) => saveBlob(blob, name))
      .catch(toast.failed);
  return (
    <ul className="mt-2 flex flex-wrap gap-2 empty:hidden">
      {comment.files.map((file, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a comment's files are known by their place
        <li key={index} className="max-w-full">
          <Button
            size="sm"
            className="max-w-full"
            icon={<Download className="size-3.5 shrink-0" aria-hidden />}
            onClick={() => save(index + 1, file.name)}
          >
            <bdi className="truncate">{file.name}</bdi>
            <span className="shrink-0 text-ink-faint">{format.bytes(file.size)}</span>
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** Whether a comment was meant for the requester and did not get there. */
const reachedNobody = (comment: TicketComment) =>
  comment.public && comment.author_kind !== "requester" && comment.told_by === null;

function Comments({ ticket }: { ticket: TicketDetail }) {
  const mayComment = useMay("manageTickets");
  const { t, named, format } = useLanguage();
  const reload = useReload(ticket);
  const form = useForm({ text: "", public: false }, async (values) => {
    await addComment(ticket.id, values);
    form.reset({ text: "", public: values.public });
    await reload();
  });
  return (
    <Part title={t("tickets.comments")}>
      {ticket.comments.map((comment) => (
        <div
          key={comment.id}
          className={
            comment.public
              ? "rounded-lg border bg-panel px-3 py-2"
              : "rounded-lg border border-warn/30 bg-warn-soft px-3 py-2"
          }
        >
          <p className="mb-0.5 flex items-center gap-1.5 text-2xs text-ink-faint">
            {!comment.public && <Lock className="size-3" aria-hidden />}
            <bdi className="font-medium text-ink-soft">{comment.author_name}</bdi> ·{" "}
            {format.dateTime(comment.created_at)}
            {comment.told_by && <> · {named("told_by", comment.told_by)}</>}
            {reachedNobody(comment) && <span className="text-bad">· {named("told_by", "nobody")}</span>}
          </p>
          <p dir="auto" className="text-sm whitespace-pre-wrap">
            {comment.text}
          </p>
          <CommentFiles ticketId={ticket.id} comment={comment} />
        </div>
      ))}
      {mayComment && (
        <form className="flex flex-col gap-3" onSubmit={form.onSubmit}>
          <LeaveGuard dirty={form.values.text !== "" && !form.busy} />
          <FormProblem problem={form.problem} shown={["text"]} />
          <Field label={t("tickets.comment")} hideLabel error={form.error("text")}>
            <Textarea
              required
              rows={3}
              dir="auto"
              placeholder={t("tickets.comment")}
              value={form.values.text}
              onChange={(event) => form.set("text", event.target.value)}
            />
          </Field>
          <div className="flex flex-wrap items-center justify-between gap-3">
            <Toggle
              checked={form.values.public}
              onChange={(value) => form.set("public", value)}
              label={t("tickets.public")}
              hint={
                <span className={ticket.reached_by ? "" : "text-warn"}>
                  {named("reached_by", ticket.reached_by ?? "nobody")}
                </span>
              }
            />
            <Button type="submit" variant="primary" size="sm" busy={form.busy}>
              {t("action.add")}
            </Button>
          </div>
        </form>
      )}
    </Part>
  );
}

function Transcript({ ticket }: { ticket: TicketDetail }) {
  const { t, format } = useLanguage();
  if (ticket.transcript.length === 0) return null;
  return (
    <Part title={t("tickets.transcript")}>
      <ol className="flex flex-col gap-3 rounded-lg border bg-panel p-3">
        {ticket.transcript.map((message) => (
          <li key={message.seq} className="text-sm">
            <span className="text-2xs text-ink-faint">
              <bdi className="font-medium text-ink-soft">{message.name}</bdi> · {format.dateTime(message.created_at)}
            </span>
            <Markdown text={message.text} />
          </li>
        ))}
      </ol>
    </Part>
  );
}
