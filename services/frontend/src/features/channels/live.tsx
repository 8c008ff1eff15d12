/** How a channel lives, in a word and in its findings. */
import { CircleCheck, CircleX } from "lucide-react";
import { useLanguage } from "@/i18n";
import { Badge, Dot, type Tone } from "@/ui/badge";
import { Facts } from "@/ui/page";
import { Ago } from "@/ui/time";
import { type Channel, type Finding, type LiveState, SELF_CONTAINED } from "./api";

const TONES: Record<string, Tone> = {
  running: "good",
  ready: "good",
  starting: "accent",
  backing_off: "warn",
  dead: "bad",
};

export function LiveBadge({ channel }: { channel: Channel }) {
  const { t, named } = useLanguage();
  if (!channel.enabled) return <Badge>{t("channels.off")}</Badge>;
  // What nothing has to run for is idle by nature: it takes whatever comes.
  const state =
    channel.live.state === "idle" && SELF_CONTAINED.includes(channel.channel_type) ? "ready" : channel.live.state;
  const tone = TONES[state] ?? "neutral";
  return (
    <Badge tone={tone}>
      <Dot tone={tone} className="size-1.5" />
      {named("live", state)}
    </Badge>
  );
}

export function Findings({ findings }: { findings: readonly Finding[] }) {
  const { named } = useLanguage();
  return (
    <ul className="flex flex-col gap-2">
      {findings.map((finding) => (
        <li key={finding.name} className="flex items-start gap-2.5 text-sm">
          {finding.ok ? (
            <CircleCheck className="mt-0.5 size-4 shrink-0 text-good" aria-label="✓" />
          ) : (
            <CircleX className="mt-0.5 size-4 shrink-0 text-bad" aria-label="✗" />
          )}
          <span className="min-w-0">
            <span className="font-medium">{named("finding", finding.name)}</span>
            <bdi className="block text-ink-soft">{finding.words}</bdi>
          </span>
        </li>
      ))}
    </ul>
  );
}

export function LiveFacts({ channel }: { channel: Channel }) {
  const { t, format } = useLanguage();
  const live: LiveState = channel.live;
  return (
    <Facts
      items={[
        [t("field.status"), <LiveBadge key="state" channel={channel} />],
        [t("channels.last_event"), live.last_event_at ? <Ago key="event" at={live.last_event_at} /> : t("state.never")],
        ...(live.last_error
          ? [
              [
                t("channels.last_error"),
                <span key="error" className="text-bad">
                  <bdi>{live.last_error}</bdi> {live.last_error_at && <Ago at={live.last_error_at} />}
                </span>,
              ] as const,
            ]
          : []),
        [t("channels.errors"), format.number(live.errors ?? 0)],
        ...(live.restarts ? [[t("channels.restarts"), format.number(live.restarts)] as const] : []),
        ...(live.rate_limited ? [[t("channels.rate_limited"), format.number(live.rate_limited)] as const] : []),
        ...(typeof live.lag_seconds === "number"
          ? [[t("channels.lag"), format.duration(live.lag_seconds)] as const]
          : []),
      ]}
    />
  );
}
