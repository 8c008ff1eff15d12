/** A ticket's state, priority and clock at a glance. */
import { Timer, TimerOff } from "lucide-react";
import { useLanguage } from "@/i18n";
import { Badge, type Tone } from "@/ui/badge";
import type { Priority, Sla, TicketStatus } from "./api";

const STATUS_TONES: Record<TicketStatus, Tone> = { open: "accent", pending: "warn", solved: "good", closed: "neutral" };
const PRIORITY_TONES: Record<Priority, Tone> = { urgent: "bad", high: "warn", normal: "neutral", low: "neutral" };
const SLA_TONES: Record<Sla["state"], Tone> = {
  ok: "neutral",
  due_soon: "warn",
  breached: "bad",
  met: "good",
  paused: "neutral",
};

export function StatusBadge({ status }: { status: TicketStatus }) {
  const { named } = useLanguage();
  return <Badge tone={STATUS_TONES[status]}>{named("ticket", status)}</Badge>;
}

export function PriorityBadge({ priority }: { priority: Priority }) {
  const { named } = useLanguage();
  return <Badge tone={PRIORITY_TONES[priority]}>{named("priority", priority)}</Badge>;
}

/** The next thing that is due, or how it ended. */
export function dueAt(sla: Sla): string | null {
  if (sla.state === "met" || sla.state === "paused") return null;
  return sla.first_responded_at ? sla.resolution_due_at : sla.first_response_due_at;
}

export function SlaClock({ sla }: { sla: Sla | null }) {
  const { named, format } = useLanguage();
  if (!sla) return null;
  const due = dueAt(sla);
  const Icon = sla.state === "paused" ? TimerOff : Timer;
  return (
    <Badge tone={SLA_TONES[sla.state]}>
      <Icon className="size-3" aria-hidden />
      {named("sla", sla.state)}
      {due && <time dateTime={due}> · {format.ago(due)}</time>}
    </Badge>
  );
}
