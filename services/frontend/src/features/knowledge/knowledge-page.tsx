/** What the bot knows: sources with their state, added by dropping, and what is wrong with those that failed. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  BookOpen,
  FileText,
  Globe,
  Link2,
  type LucideIcon,
  MessagesSquare,
  Network,
  Plus,
  Upload,
  X,
} from "lucide-react";
import { useState } from "react";
import { useGo } from "@/app/go";
import { useBrandId, useMay, useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Filter } from "@/ui/field";
import { Menu, MenuItem } from "@/ui/menu";
import { More } from "@/ui/more";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { type Column, RowLink, Table } from "@/ui/table";
import { Ago } from "@/ui/time";
import { type AddKind, AddSourceDialog } from "./add-source";
import { type Job, listJobs, listSources, type Source, type SourceStatus } from "./api";
import { DropArea } from "./drop-area";
import { Progress } from "./progress";
import { reasonOf } from "./reasons";

/** So often the list is read anew while something is being read into it, and otherwise. */
const MOVING_MS = 2000;
const STILL_MS = 15_000;

export const KIND_ICONS: Record<Source["kind"], LucideIcon> = {
  file: FileText,
  text: FileText,
  qa: MessagesSquare,
  url: Globe,
  sitemap: Network,
};

export const STATUS_TONES: Record<SourceStatus, Tone> = {
  pending: "neutral",
  processing: "accent",
  ready: "good",
  failed: "bad",
};

const STATUSES: readonly SourceStatus[] = ["ready", "processing", "pending", "failed"];

export function isMoving(source: Source): boolean {
  return source.status === "pending" || source.status === "processing";
}

export function KnowledgePage() {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const brandId = useBrandId();
  const mayEdit = useMay("editKnowledge");
  const queries = useQueryClient();
  const [status, setStatus] = useState<SourceStatus | undefined>();
  const [tag, setTag] = useState<string | undefined>();
  const [adding, setAdding] = useState<AddKind | null>(null);
  const sources = usePages<Source>(
    ["sources", tenantId, brandId, status, tag],
    (cursor) => listSources(tenantId, { brandId, status, tag }, cursor),
    { every: (items) => (items.some(isMoving) ? MOVING_MS : STILL_MS) },
  );
  const moving = sources.data?.some(isMoving) ?? false;
  const jobs = useQuery({
    queryKey: ["jobs", tenantId],
    queryFn: () => listJobs(tenantId),
    enabled: moving,
    refetchInterval: MOVING_MS,
  });
  const reload = () => queries.invalidateQueries({ queryKey: ["sources", tenantId] });
  return (
    <Page
      title={t("nav.knowledge")}
      description={t("knowledge.description")}
      actions={
        <>
          {tag && (
            <Button
              icon={<X className="size-3.5" aria-hidden />}
              aria-label={`${t("action.remove")}: ${tag}`}
              onClick={() => setTag(undefined)}
            >
              <bdi className="max-w-32 truncate">{tag}</bdi>
            </Button>
          )}
          <Filter
            label={t("field.status")}
            any={t("knowledge.any_status")}
            values={STATUSES}
            value={status}
            onChange={setStatus}
            name={(each) => named("status", each)}
          />
          {mayEdit && <AddMenu onAdd={setAdding} />}
        </>
      }
    >
      {mayEdit && <DropArea tenantId={tenantId} brandId={brandId} onUploaded={reload} />}
      <Card bodyClassName="">
        <Loaded query={sources}>
          {(items) =>
            items.length === 0 ? (
              <Empty
                icon={<BookOpen aria-hidden />}
                title={t(status || tag ? "knowledge.none_of_status" : "knowledge.none")}
              >
                {!status && !tag && t("knowledge.none_hint")}
              </Empty>
            ) : (
              <SourceTable sources={items} jobs={jobs.data?.items ?? []} onTag={setTag} />
            )
          }
        </Loaded>
        <More list={sources} />
      </Card>
      {adding && (
        <AddSourceDialog
          kind={adding}
          tenantId={tenantId}
          brandId={brandId}
          onClose={() => setAdding(null)}
          onAdded={reload}
        />
      )}
    </Page>
  );
}

function AddMenu({ onAdd }: { onAdd: (kind: AddKind) => void }) {
  const { t } = useLanguage();
  return (
    <Menu
      trigger={
        <Button variant="primary" icon={<Plus className="size-4" aria-hidden />}>
          {t("knowledge.add")}
        </Button>
      }
    >
      <MenuItem
        icon={<Upload className="size-4" aria-hidden />}
        onSelect={() => document.getElementById("knowledge-files")?.click()}
      >
        {t("knowledge.add_file")}
      </MenuItem>
      <MenuItem icon={<Link2 className="size-4" aria-hidden />} onSelect={() => onAdd("url")}>
        {t("knowledge.add_url")}
      </MenuItem>
      <MenuItem icon={<Network className="size-4" aria-hidden />} onSelect={() => onAdd("sitemap")}>
        {t("knowledge.add_sitemap")}
      </MenuItem>
      <MenuItem icon={<MessagesSquare className="size-4" aria-hidden />} onSelect={() => onAdd("qa")}>
        {t("knowledge.add_qa")}
      </MenuItem>
      <MenuItem icon={<FileText className="size-4" aria-hidden />} onSelect={() => onAdd("text")}>
        {t("knowledge.add_text")}
      </MenuItem>
    </Menu>
  );
}

interface SourceTableProps {
  sources: readonly Source[];
  jobs: readonly Job[];
  onTag: (tag: string) => void;
}

function SourceTable({ sources, jobs, onTag }: SourceTableProps) {
  const { t, named, format } = useLanguage();
  const tenantId = useTenantId();
  const go = useGo();
  const columns: Column<Source>[] = [
    {
      id: "title",
      label: t("field.title"),
      className: "w-full max-w-0",
      render: (source) => <SourceName source={source} onTag={onTag} />,
    },
    {
      id: "status",
      label: t("field.status"),
      render: (source) => {
        const job = jobs.find((each) => each.source_id === source.id && each.status === "running");
        return isMoving(source) && job ? (
          <Progress share={job.progress} label={named("stage", job.stage ?? "waiting")} />
        ) : (
          <Badge tone={STATUS_TONES[source.status]}>{named("status", source.status)}</Badge>
        );
      },
    },
    { id: "passages", label: t("knowledge.passages"), wide: true, render: (source) => format.number(source.passages) },
    { id: "updated", label: t("field.updated"), wide: true, render: (source) => <Ago at={source.updated_at} /> },
  ];
  return (
    <Table
      label={t("nav.knowledge")}
      columns={columns}
      rows={sources}
      rowKey={(source) => source.id}
      onOpen={(source) => go(`/t/${tenantId}/knowledge/${source.id}`)}
    />
  );
}

/** A document's own title took the place of its file's name, under which people look for it too. */
const isRenamed = ({ filename, title }: Source) => filename !== null && !filename.startsWith(title);

function SourceName({ source, onTag }: { source: Source; onTag: (tag: string) => void }) {
  const language = useLanguage();
  const { t } = language;
  const Icon = KIND_ICONS[source.kind];
  return (
    <div className="flex min-w-0 items-center gap-3">
      <Icon className="size-4 shrink-0 text-ink-faint" aria-hidden />
      <div className="min-w-0">
        <RowLink to={`/t/${source.tenant_id}/knowledge/${source.id}`}>
          <bdi>{source.title}</bdi>
        </RowLink>
        {source.status === "failed" ? (
          <span dir="auto" className="start-of-page block truncate text-xs text-bad">
            {reasonOf(source, language)}
          </span>
        ) : (
          (source.url || isRenamed(source)) && (
            <span dir="ltr" className="block truncate text-start text-xs text-ink-faint">
              {source.url ?? source.filename}
            </span>
          )
        )}
        {(source.tags.length > 0 || source.visibility === "internal") && (
          <div className="mt-1 flex flex-wrap gap-1">
            {source.visibility === "internal" && <Badge tone="warn">{t("knowledge.internal")}</Badge>}
            {source.tags.map((tag) => (
              <button
                key={tag}
                type="button"
                title={t("knowledge.only_tag")}
                onClick={(event) => {
                  event.stopPropagation();
                  onTag(tag);
                }}
              >
                <Badge className="hover:underline">
                  <bdi>{tag}</bdi>
                </Badge>
              </button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
