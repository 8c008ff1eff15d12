/** What was asked and not answered, grouped; one answer becomes knowledge. */
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleHelp, MessagesSquare, PartyPopper } from "lucide-react";
import { useState } from "react";
import { api, type Body, call } from "@/api/client";
import { FormDialog } from "@/app/form-dialog";
import { useBrandId, useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, Input, Textarea } from "@/ui/field";
import { More } from "@/ui/more";
import { Card, Page, Tabs } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { Ago } from "@/ui/time";
import { toast } from "@/ui/toast";

type Gap = Body<"GapView">;
type Status = Gap["status"];

const STATUSES = ["open", "answered", "dismissed"] as const satisfies readonly Status[];

export function GapsPage() {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const mayEdit = useMay("editKnowledge");
  const queries = useQueryClient();
  const [status, setStatus] = useState<Status>("open");
  const [answering, setAnswering] = useState<Gap | null>(null);
  const gaps = usePages(["gaps", tenantId, brandId, status], (cursor) =>
    call(
      api.GET("/admin/knowledge_gaps", {
        params: {
          query: { tenant_id: tenantId, status, ...(brandId && { brand_id: brandId }), ...(cursor && { cursor }) },
        },
      }),
    ),
  );
  const reload = () => queries.invalidateQueries({ queryKey: ["gaps", tenantId] });
  const move = async (gap: Gap, to: "dismiss" | "reopen") => {
    const params = { path: { gap_id: gap.id }, query: { tenant_id: tenantId } };
    const action =
      to === "dismiss"
        ? api.POST("/admin/knowledge_gaps/{gap_id}/dismiss", { params })
        : api.POST("/admin/knowledge_gaps/{gap_id}/reopen", { params });
    await call(action).catch(toast.failed);
    await reload();
  };
  return (
    <Page
      title={t("nav.gaps")}
      description={t("gaps.description")}
      tabs={
        <Tabs<Status>
          label={t("field.status")}
          value={status}
          onChange={setStatus}
          tabs={STATUSES.map((id) => ({ id, label: named("gap", id) }))}
        />
      }
    >
      <Loaded query={gaps}>
        {(items) =>
          items.length === 0 ? (
            <Card>
              <Empty
                icon={status === "open" ? <PartyPopper aria-hidden /> : <CircleHelp aria-hidden />}
                title={t(status === "open" ? "gaps.none_open" : "gaps.none")}
              >
                {status === "open" && t("gaps.none_hint")}
              </Empty>
            </Card>
          ) : (
            <ul className="flex flex-col gap-3">
              {items.map((gap) => (
                <GapCard
                  key={gap.id}
                  gap={gap}
                  mayEdit={mayEdit}
                  onAnswer={() => setAnswering(gap)}
                  onMove={(to) => void move(gap, to)}
                />
              ))}
            </ul>
          )
        }
      </Loaded>
      <More list={gaps} />
      {answering && <AnswerDialog gap={answering} onClose={() => setAnswering(null)} onDone={reload} />}
    </Page>
  );
}

interface GapCardProps {
  gap: Gap;
  mayEdit: boolean;
  onAnswer: () => void;
  onMove: (to: "dismiss" | "reopen") => void;
}

function GapCard({ gap, mayEdit, onAnswer, onMove }: GapCardProps) {
  const { t, tn, format } = useLanguage();
  const seesInbox = useMay("answer");
  const others = gap.examples.filter((example) => example !== gap.question);
  return (
    <li className="flex flex-col gap-2 rounded-xl border bg-panel p-4 sm:flex-row sm:items-start sm:gap-4">
      <div className="min-w-0 flex-1">
        <h2 dir="auto" className="text-sm font-semibold">
          {gap.question}
        </h2>
        <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-ink-faint">
          <Badge tone="warn">{tn("gaps.asked", gap.count)}</Badge>
          {gap.languages.map((language) => (
            <Badge key={language}>{format.language(language)}</Badge>
          ))}
          <span>
            {t("gaps.last")} <Ago at={gap.last_asked_at} />
          </span>
          <span>{t("gaps.evidence", { share: format.percent(gap.evidence) })}</span>
        </p>
        {others.length > 0 && (
          <ul className="mt-2 flex flex-col gap-0.5 border-s-2 ps-3 text-xs text-ink-soft">
            {others.map((example) => (
              <li key={example} dir="auto">
                {example}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="flex shrink-0 flex-wrap gap-2">
        {seesInbox && gap.conversation_ids[0] && (
          <Link
            to="/t/$tenantId/inbox/$conversationId"
            params={{ tenantId: gap.tenant_id, conversationId: gap.conversation_ids[0] }}
            className="flex h-7 items-center gap-1.5 rounded-md px-2 text-xs text-ink-soft hover:bg-hover"
          >
            <MessagesSquare className="size-3.5" aria-hidden />
            {t("gaps.conversation")}
          </Link>
        )}
        {mayEdit && gap.status === "open" && (
          <>
            <Button size="sm" onClick={() => onMove("dismiss")}>
              {t("gaps.dismiss")}
            </Button>
            <Button size="sm" variant="primary" onClick={onAnswer}>
              {t("gaps.answer")}
            </Button>
          </>
        )}
        {mayEdit && gap.status !== "open" && (
          <Button size="sm" onClick={() => onMove("reopen")}>
            {t("inbox.reopen")}
          </Button>
        )}
        {gap.source_id && (
          <Link
            to="/t/$tenantId/knowledge/$sourceId"
            params={{ tenantId: gap.tenant_id, sourceId: gap.source_id }}
            className="flex h-7 items-center rounded-md px-2 text-xs text-accent-text hover:underline"
          >
            {t("gaps.source")}
          </Link>
        )}
      </div>
    </li>
  );
}

function AnswerDialog({ gap, onClose, onDone }: { gap: Gap; onClose: () => void; onDone: () => Promise<unknown> }) {
  const { t } = useLanguage();
  const form = useForm({ question: gap.question, answer: "" }, async (body) => {
    const params = { path: { gap_id: gap.id }, query: { tenant_id: gap.tenant_id } };
    await call(api.POST("/admin/knowledge_gaps/{gap_id}/answer", { params, body }));
    await onDone();
    toast.done(t("gaps.answered"));
    onClose();
  });
  return (
    <FormDialog
      form={form}
      shown={["question", "answer"]}
      onClose={onClose}
      title={t("gaps.answer")}
      description={t("gaps.answer_hint")}
      wide
      action={t("gaps.save")}
    >
      <Field label={t("knowledge.question")} error={form.error("question")}>
        <Input
          required
          dir="auto"
          maxLength={2000}
          value={form.values.question}
          onChange={(event) => form.set("question", event.target.value)}
        />
      </Field>
      <Field label={t("knowledge.answer")} error={form.error("answer")}>
        <Textarea
          required
          dir="auto"
          rows={6}
          value={form.values.answer}
          onChange={(event) => form.set("answer", event.target.value)}
        />
      </Field>
    </FormDialog>
  );
}
