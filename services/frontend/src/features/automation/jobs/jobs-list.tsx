/** Jobs: each firing of a rule, with what came of it. */
import { ListChecks } from "lucide-react";
import { useState } from "react";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { usePages } from "@/lib/paging";
import { Badge } from "@/ui/badge";
import { Filter } from "@/ui/field";
import { Card } from "@/ui/page";
import { PagedTable } from "@/ui/paged-table";
import { Empty } from "@/ui/states";
import { type Column, RowButton } from "@/ui/table";
import { Ago } from "@/ui/time";
import { JOB_STATUSES, type Job, type JobStatus, keys, listJobs } from "../api";
import { eventName } from "../describe";
import { JobSheet } from "./job-sheet";
import { JOB_TONES } from "./tones";

const EVERY_MS = 5000;

export function JobsList({ ruleId }: { ruleId?: string }) {
  const language = useLanguage();
  const { t, named, format } = language;
  const tenantId = useTenantId();
  const [status, setStatus] = useState<JobStatus | undefined>();
  const [opened, setOpened] = useState<string | null>(null);
  const filter = { ...(status && { status }), ...(ruleId && { rule_id: ruleId }) };
  const jobs = usePages(keys.jobs(tenantId, filter), (cursor) => listJobs(tenantId, filter, cursor), {
    every: EVERY_MS,
  });
  const columns: Column<Job>[] = [
    {
      id: "rule",
      label: t("rule.one"),
      render: (job) => (
        <>
          <RowButton>
            <bdi>{job.rule_name}</bdi>
          </RowButton>
          <span className="block text-xs text-ink-faint">{eventName(String(job.event.name ?? ""), language)}</span>
        </>
      ),
    },
    {
      id: "status",
      label: t("field.status"),
      render: (job) => <Badge tone={JOB_TONES[job.status]}>{named("rule_job", job.status)}</Badge>,
    },
    {
      id: "steps",
      label: t("jobs.steps"),
      wide: true,
      render: (job) => t("jobs.of", { done: format.number(job.step), all: format.number(job.actions.length) }),
    },
    {
      id: "reason",
      label: t("inbox.reason"),
      wide: true,
      className: "max-w-72",
      render: (job) => <bdi className="line-clamp-2 text-xs text-ink-soft">{job.reason ?? ""}</bdi>,
    },
    { id: "at", label: t("field.created"), render: (job) => <Ago at={job.created_at} /> },
  ];
  return (
    <Card
      title={t("automation.jobs")}
      bodyClassName=""
      actions={
        <Filter
          label={t("field.status")}
          any={t("jobs.any_status")}
          values={JOB_STATUSES}
          value={status}
          onChange={setStatus}
          name={(each) => named("rule_job", each)}
        />
      }
    >
      <PagedTable
        list={jobs}
        empty={
          <Empty icon={<ListChecks aria-hidden />} title={t("jobs.none")}>
            {t(status ? "jobs.none_of_status" : "jobs.none_hint")}
          </Empty>
        }
        label={t("automation.jobs")}
        columns={columns}
        rowKey={(job) => job.id}
        onOpen={(job) => setOpened(job.id)}
      />
      {opened && <JobSheet jobId={opened} onClose={() => setOpened(null)} />}
    </Card>
  );
}
