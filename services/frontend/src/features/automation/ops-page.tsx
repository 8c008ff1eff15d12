/** Automation of every tenant that one reaches: where most waits, what runs next, what is stuck, what failed. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { CalendarClock, CheckCircle2, CirclePause, CirclePlay, Workflow } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, type Body, call } from "@/api/client";
import { useGo } from "@/app/go";
import { type Language, useLanguage } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/dialog";
import { Card, Facts, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { type Column, RowLink, Table } from "@/ui/table";
import { Ago, When } from "@/ui/time";
import { BY_OPERATIONS } from "./api";
import { scheduleInWords } from "./describe";
import { JOB_TONES } from "./jobs/tones";
import { readCron } from "./model/cron";

type Ops = Body<"AutomationOps">;
type Load = Body<"TenantLoad">;
type Schedule = Body<"Schedule">;
type RuleLoad = Body<"RuleLoad">;
type Troubled = Body<"TroubledJob">;

const EVERY_MS = 5000;
const KEY = ["ops", "automation"];

const tenantPath = (load: { tenant_id: string }) => `/t/${load.tenant_id}/automation`;

function rulePath(of: { tenant_id: string; rule_id: string; kind?: string }): string {
  return `/t/${of.tenant_id}/${of.kind === "webhook" ? "webhooks" : "automation"}/${of.rule_id}`;
}

export function OpsPage() {
  const { t } = useLanguage();
  const ops = useQuery({ queryKey: KEY, queryFn: () => call(api.GET("/ops/automation")), refetchInterval: EVERY_MS });
  return (
    <Page
      title={t("nav.ops_automation")}
      description={t("ops.description")}
      actions={
        <Switches resting={ops.data?.tenants.some((load) => load.paused_by?.startsWith(BY_OPERATIONS)) ?? false} />
      }
    >
      <Loaded query={ops}>{(data) => <OpsView ops={data} />}</Loaded>
    </Page>
  );
}

function OpsView({ ops }: { ops: Ops }) {
  const language = useLanguage();
  const { t, format } = language;
  return (
    <>
      <Card>
        <Facts
          items={[
            [t("automation.queue"), format.number(ops.waiting)],
            [t("automation.stuck"), count(ops.stuck, "warn", language)],
            [t("automation.failed"), count(ops.failed, "bad", language)],
          ]}
        />
      </Card>
      <Section
        title={t("ops.troubled")}
        columns={troubledColumns(language)}
        rows={ops.troubled}
        rowKey={(job) => job.id}
        pathOf={rulePath}
        none={<Empty icon={<CheckCircle2 aria-hidden />} title={t("ops.no_troubles")} />}
      />
      {ops.rules.length > 0 && (
        <Section
          title={t("ops.busy")}
          columns={ruleColumns(language)}
          rows={ops.rules}
          rowKey={(rule) => rule.rule_id}
          pathOf={rulePath}
        />
      )}
      <Section
        title={t("ops.schedules")}
        columns={scheduleColumns(language)}
        rows={ops.schedules}
        rowKey={(schedule) => schedule.rule_id}
        pathOf={rulePath}
        none={<Empty icon={<CalendarClock aria-hidden />} title={t("ops.no_schedules")} />}
      />
      <Section
        title={t("tenants.title")}
        columns={tenantColumns(language)}
        rows={ops.tenants}
        rowKey={(load) => load.tenant_id}
        pathOf={tenantPath}
        none={
          <Empty icon={<Workflow aria-hidden />} title={t("automation.none")}>
            {t("ops.none_hint")}
          </Empty>
        }
      />
    </>
  );
}

interface SectionProps<Row> {
  title: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  pathOf: (row: Row) => string;
  /** What stands there when there are no rows. */
  none?: ReactNode;
}

function Section<Row>({ title, columns, rows, rowKey, pathOf, none }: SectionProps<Row>) {
  const go = useGo();
  return (
    <Card title={title} bodyClassName="">
      {rows.length === 0 ? (
        none
      ) : (
        <Table label={title} columns={columns} rows={rows} rowKey={rowKey} onOpen={(row) => go(pathOf(row))} />
      )}
    </Card>
  );
}

function count(value: number, tone: Tone, { format }: Language) {
  return value > 0 ? <Badge tone={tone}>{format.number(value)}</Badge> : format.number(0);
}

interface Named {
  tenant_id: string;
  tenant_name: string;
  rule_id: string;
  name: string;
  kind?: string;
}

function ruleColumn<Row extends Named>({ t }: Language): Column<Row> {
  return {
    id: "rule",
    label: t("rule.one"),
    className: "max-w-72",
    render: (row) => (
      <>
        <RowLink to={rulePath(row)}>
          <bdi>{row.name}</bdi>
        </RowLink>
        <bdi className="block truncate text-xs text-ink-faint">{row.tenant_name}</bdi>
      </>
    ),
  };
}

function troubledColumns(language: Language): Column<Troubled>[] {
  const { t, named } = language;
  return [
    ruleColumn(language),
    {
      id: "status",
      label: t("field.status"),
      render: (job) => (
        <Badge tone={job.status === "failed" ? JOB_TONES.failed : "warn"}>
          {job.status === "failed" ? named("rule_job", "failed") : t("automation.stuck")}
        </Badge>
      ),
    },
    {
      id: "reason",
      label: t("inbox.reason"),
      className: "max-w-72",
      render: (job) => <bdi className="line-clamp-2 text-xs text-ink-soft">{job.reason ?? ""}</bdi>,
    },
    { id: "at", label: t("field.updated"), wide: true, render: (job) => <Ago at={job.finished_at ?? job.due_at} /> },
  ];
}

function ruleColumns(language: Language): Column<RuleLoad>[] {
  const { t, format } = language;
  return [
    ruleColumn(language),
    { id: "waiting", label: t("automation.queue"), render: (rule) => format.number(rule.waiting) },
    { id: "stuck", label: t("automation.stuck"), render: (rule) => count(rule.stuck, "warn", language) },
    { id: "failed", label: t("automation.failed"), render: (rule) => count(rule.failed, "bad", language) },
  ];
}

function scheduleColumns(language: Language): Column<Schedule>[] {
  const { t } = language;
  return [
    ruleColumn(language),
    {
      id: "when",
      label: t("schedule.every"),
      wide: true,
      render: (schedule) => (
        <>
          {scheduleInWords(readCron(schedule.cron), language)}
          {schedule.timezone && <bdi className="block text-xs text-ink-faint">{schedule.timezone}</bdi>}
        </>
      ),
    },
    {
      id: "next",
      label: t("rule.next_fire"),
      render: (schedule) => (schedule.next_fire_at ? <When at={schedule.next_fire_at} /> : t("rule.off")),
    },
    {
      id: "last",
      label: t("rule.last_fired"),
      wide: true,
      render: (schedule) => (schedule.last_fired_at ? <Ago at={schedule.last_fired_at} /> : "—"),
    },
  ];
}

function tenantColumns(language: Language): Column<Load>[] {
  const { t, format } = language;
  return [
    {
      id: "tenant",
      label: t("ops.tenant"),
      render: (load) => (
        <RowLink to={tenantPath(load)}>
          <bdi>{load.tenant_name}</bdi>
        </RowLink>
      ),
    },
    {
      id: "state",
      label: t("field.status"),
      wide: true,
      render: (load) =>
        load.paused_at ? <Badge tone="warn">{t("rule.off")}</Badge> : <Badge tone="good">{t("rule.on")}</Badge>,
    },
    { id: "rules", label: t("automation.active"), wide: true, render: (load) => format.number(load.active_rules) },
    { id: "waiting", label: t("automation.queue"), render: (load) => format.number(load.waiting) },
    { id: "stuck", label: t("automation.stuck"), render: (load) => count(load.stuck, "warn", language) },
    { id: "failed", label: t("automation.failed"), render: (load) => count(load.failed, "bad", language) },
    {
      id: "next",
      label: t("rule.next_fire"),
      wide: true,
      render: (load) => (load.next_fire_at ? <Ago at={load.next_fire_at} /> : "—"),
    },
  ];
}

const WORDS = {
  pause: { title: "ops.pause_title", hint: "ops.pause_hint", action: "automation.pause_all" },
  resume: { title: "ops.resume_title", hint: "ops.resume_hint", action: "automation.resume_all" },
} as const;

/** The switches of all tenants together: those that their own people have paused go on resting. */
function Switches({ resting }: { resting: boolean }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<"pause" | "resume" | null>(null);
  const act = async () => {
    await call(asking === "pause" ? api.POST("/ops/automation/pause") : api.POST("/ops/automation/resume"));
    await queries.invalidateQueries({ queryKey: KEY });
  };
  return (
    <>
      {resting && (
        <Button
          variant="primary"
          icon={<CirclePlay className="size-4" aria-hidden />}
          onClick={() => setAsking("resume")}
        >
          {t("automation.resume_all")}
        </Button>
      )}
      <Button icon={<CirclePause className="size-4" aria-hidden />} onClick={() => setAsking("pause")}>
        {t("automation.pause_all")}
      </Button>
      {asking && (
        <Confirm
          open
          onClose={() => setAsking(null)}
          title={t(WORDS[asking].title)}
          description={t(WORDS[asking].hint)}
          action={t(WORDS[asking].action)}
          danger={asking === "pause"}
          onConfirm={act}
        />
      )}
    </>
  );
}
