/** One source: its facts, how its reading went, and the passages that answer from it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ArrowLeft, CircleAlert, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { FormDialog } from "@/app/form-dialog";
import { useGo } from "@/app/go";
import { useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { useForm } from "@/lib/form";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Field, Input, Toggle } from "@/ui/field";
import { More } from "@/ui/more";
import { Card, Facts, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { Ago, When } from "@/ui/time";
import { toast } from "@/ui/toast";
import {
  addSource,
  cancelJob,
  changeSource,
  getSource,
  type Job,
  listJobs,
  listPassages,
  removeSource,
  requeueJob,
  type Source,
} from "./api";
import { isMoving, STATUS_TONES } from "./knowledge-page";
import { PassageRow } from "./passage-row";
import { Progress } from "./progress";
import { reasonOf } from "./reasons";
import { splitTags } from "./tags";

const POLL_MS = 2000;

export function SourcePage() {
  const { t } = useLanguage();
  const go = useGo();
  const tenantId = useTenantId();
  const { sourceId = "" } = useParams({ strict: false });
  const mayEdit = useMay("editKnowledge");
  const queries = useQueryClient();
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const source = useQuery({
    queryKey: ["source", tenantId, sourceId],
    queryFn: () => getSource(tenantId, sourceId),
    refetchInterval: (query) => (query.state.data && isMoving(query.state.data) ? POLL_MS : false),
  });
  const back = () => go(`/t/${tenantId}/knowledge`);
  return (
    <Page
      title={source.data?.title ?? t("nav.knowledge")}
      actions={
        <>
          <Button variant="ghost" icon={<ArrowLeft className="flip-rtl size-4" aria-hidden />} onClick={back}>
            {t("nav.knowledge")}
          </Button>
          {mayEdit && source.data && (
            <>
              <ReadAgain source={source.data} />
              <IconButton variant="secondary" label={t("action.edit")} onClick={() => setOpen("edit")}>
                <Pencil className="size-4" aria-hidden />
              </IconButton>
              <IconButton variant="danger" label={t("action.delete")} onClick={() => setOpen("delete")}>
                <Trash2 className="size-4" aria-hidden />
              </IconButton>
            </>
          )}
        </>
      }
    >
      <Loaded query={source}>
        {(data) => (
          <>
            <Summary source={data} />
            <Jobs source={data} mayEdit={mayEdit} />
            <Passages source={data} mayEdit={mayEdit} />
            {open === "edit" && <EditDialog source={data} onClose={() => setOpen(null)} />}
            {open === "delete" && (
              <Confirm
                open
                onClose={() => setOpen(null)}
                title={t("knowledge.delete_title", { title: data.title })}
                description={t("knowledge.delete_hint")}
                action={t("action.delete")}
                onConfirm={async () => {
                  await removeSource(tenantId, data.id);
                  await queries.invalidateQueries({ queryKey: ["sources", tenantId] });
                  back();
                }}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** A page or a sitemap is fetched anew; the old passages answer until the new ones are there. */
function ReadAgain({ source }: { source: Source }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const { kind, url } = source;
  if ((kind !== "url" && kind !== "sitemap") || !url || source.parent_id || isMoving(source)) return null;
  const readAgain = async () => {
    setBusy(true);
    const { title, tags, visibility } = source;
    await addSource(source.brand_id, { kind, url, tags, visibility, ...(title !== url && { title }) }).catch(
      toast.failed,
    );
    await queries.invalidateQueries({ queryKey: ["source", source.tenant_id, source.id] });
    setBusy(false);
  };
  return (
    <Button busy={busy} icon={<RotateCw className="size-3.5" aria-hidden />} onClick={() => void readAgain()}>
      {t("knowledge.read_again")}
    </Button>
  );
}

function Summary({ source }: { source: Source }) {
  const language = useLanguage();
  const { t, named, format } = language;
  const why = reasonOf(source, language);
  return (
    <Card>
      {source.status === "failed" && why && (
        <p className="mb-4 flex items-start gap-2 rounded-lg bg-bad-soft px-3 py-2 text-sm text-bad">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          <bdi>{why}</bdi>
        </p>
      )}
      <Facts
        items={[
          [
            t("field.status"),
            <Badge key="status" tone={STATUS_TONES[source.status]}>
              {named("status", source.status)}
            </Badge>,
          ],
          [t("field.kind"), named("kind", source.kind)],
          ...(source.filename ? [[t("kind.file"), <bdi key="file">{source.filename}</bdi>] as const] : []),
          [t("knowledge.passages"), format.number(source.passages)],
          ...(source.language ? [[t("language.label"), format.language(source.language)] as const] : []),
          ...(source.url
            ? [
                [
                  t("field.address"),
                  <a
                    key="url"
                    dir="ltr"
                    href={source.url}
                    target="_blank"
                    rel="noreferrer noopener"
                    className="text-accent-text underline"
                  >
                    {source.url}
                  </a>,
                ] as const,
              ]
            : []),
          ...(source.byte_size ? [[t("field.size"), format.bytes(source.byte_size)] as const] : []),
          [t("knowledge.visibility"), t(source.visibility === "internal" ? "knowledge.internal" : "knowledge.public")],
          ...(source.tags.length
            ? [
                [
                  t("field.tags"),
                  <span key="tags" className="flex flex-wrap gap-1">
                    {source.tags.map((tag) => (
                      <Badge key={tag}>{tag}</Badge>
                    ))}
                  </span>,
                ] as const,
              ]
            : []),
          [t("field.updated"), <When key="updated" at={source.updated_at} />],
        ]}
      />
    </Card>
  );
}

function Jobs({ source, mayEdit }: { source: Source; mayEdit: boolean }) {
  const { t } = useLanguage();
  const jobs = useQuery({
    queryKey: ["jobs", source.tenant_id, source.id, source.status],
    queryFn: () => listJobs(source.tenant_id, source.id),
    refetchInterval: isMoving(source) ? POLL_MS : false,
  });
  const queries = useQueryClient();
  const act = async (action: Promise<unknown>) => {
    await action.catch(toast.failed);
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["jobs", source.tenant_id] }),
      queries.invalidateQueries({ queryKey: ["source", source.tenant_id, source.id] }),
    ]);
  };
  return (
    <Card title={t("knowledge.reading")} bodyClassName="">
      <Loaded query={jobs}>
        {({ items }) => (
          <ul className="divide-y">
            {items.slice(0, 5).map((job) => (
              <JobRow
                key={job.id}
                job={job}
                onRetry={mayEdit ? () => void act(requeueJob(source.tenant_id, job.id)) : undefined}
                onCancel={mayEdit ? () => void act(cancelJob(source.tenant_id, job.id)) : undefined}
              />
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

interface JobRowProps {
  job: Job;
  onRetry: (() => void) | undefined;
  onCancel: (() => void) | undefined;
}

const JOB_TONES = {
  pending: "neutral",
  running: "accent",
  completed: "good",
  failed: "bad",
  cancelled: "neutral",
} as const;

function JobRow({ job, onRetry, onCancel }: JobRowProps) {
  const language = useLanguage();
  const { t, named } = language;
  const why = reasonOf(job, language);
  const running = job.status === "running";
  return (
    <li className="flex flex-wrap items-center gap-3 px-4 py-2.5">
      <Badge tone={JOB_TONES[job.status]}>{named("job", job.status)}</Badge>
      <span className="min-w-0 flex-1 text-xs text-ink-soft">
        {why ? <bdi>{why}</bdi> : job.stage && named("stage", job.stage)}
      </span>
      {running && <Progress share={job.progress} label={named("stage", job.stage ?? "waiting")} />}
      <span className="text-xs text-ink-faint">
        <Ago at={job.finished_at ?? job.created_at} />
      </span>
      {(job.status === "failed" || job.status === "cancelled") && onRetry && (
        <Button size="sm" icon={<RotateCw className="size-3" aria-hidden />} onClick={onRetry}>
          {t("knowledge.rerun")}
        </Button>
      )}
      {(running || job.status === "pending") && onCancel && (
        <Button size="sm" onClick={onCancel}>
          {t("action.cancel")}
        </Button>
      )}
    </li>
  );
}

function Passages({ source, mayEdit }: { source: Source; mayEdit: boolean }) {
  const { t } = useLanguage();
  const passages = usePages(["passages", source.id, source.live_version], (cursor) =>
    listPassages(source.tenant_id, source.id, cursor),
  );
  return (
    <Card title={t("knowledge.passages")} description={t("knowledge.passages_hint")} bodyClassName="">
      <Loaded query={passages}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={t("knowledge.no_passages")}>{t("knowledge.no_passages_hint")}</Empty>
          ) : (
            <ol className="divide-y">
              {items.map((passage) => (
                <PassageRow key={passage.id} passage={passage} sourceId={source.id} mayEdit={mayEdit} />
              ))}
            </ol>
          )
        }
      </Loaded>
      <More list={passages} />
    </Card>
  );
}

function EditDialog({ source, onClose }: { source: Source; onClose: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const form = useForm(
    { title: source.title, tags: source.tags.join(", "), internal: source.visibility === "internal" },
    async (values) => {
      const visibility = values.internal ? "internal" : "public";
      await changeSource(source.tenant_id, source.id, {
        title: values.title,
        tags: splitTags(values.tags),
        visibility,
      });
      await queries.invalidateQueries({ queryKey: ["source", source.tenant_id, source.id] });
      onClose();
    },
  );
  return (
    <FormDialog
      form={form}
      shown={["title", "tags"]}
      onClose={onClose}
      title={t("action.edit")}
      action={t("action.save")}
    >
      <Field label={t("field.title")} error={form.error("title")}>
        <Input
          required
          maxLength={500}
          dir="auto"
          value={form.values.title}
          onChange={(event) => form.set("title", event.target.value)}
        />
      </Field>
      <Field label={t("field.tags")} hint={t("knowledge.tags_hint")} optional error={form.error("tags")}>
        <Input value={form.values.tags} onChange={(event) => form.set("tags", event.target.value)} />
      </Field>
      <Toggle
        checked={form.values.internal}
        onChange={(internal) => form.set("internal", internal)}
        label={t("knowledge.internal")}
        hint={t("knowledge.internal_hint")}
      />
    </FormDialog>
  );
}
