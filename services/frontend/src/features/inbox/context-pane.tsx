/** What is known about a conversation: the visitor, whose it is, tags, how long and why somebody waits. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Eraser, Plus, Star, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useMay, useTenantId } from "@/app/tenant";
import { ChannelMark } from "@/features/channels/brand-marks";
import { useLanguage } from "@/i18n";
import { Avatar, Badge, Dot, type Tone } from "@/ui/badge";
import { buttonClass, IconButton } from "@/ui/button";
import { Field, Input, Select } from "@/ui/field";
import { Facts } from "@/ui/page";
import { Ago, When } from "@/ui/time";
import type { Actions } from "./actions";
import { type Agent, type Conversation, keys, listAgents } from "./api";
import { ConversationTickets } from "./conversation-tickets";
import { isAnonymous, visitorFacts, visitorName } from "./people";

interface Props {
  conversation: Conversation;
  actions: Actions;
  onTag: (tag: string) => void;
}

const PRESENCE_TONES: Record<Agent["presence"], Tone> = { online: "good", away: "warn", offline: "neutral" };

export function ContextPane({ conversation, actions, onTag }: Props) {
  const { t, named, format } = useLanguage();
  const name = visitorName(conversation, t);
  const mayErase = useMay("manageData");
  return (
    <div className="flex flex-col divide-y">
      <Part>
        <div className="flex items-center gap-3">
          <Avatar name={name} anonymous={isAnonymous(conversation)} size={40} />
          <div className="min-w-0">
            <p className="truncate text-sm font-semibold">
              <bdi>{name}</bdi>
            </p>
            <p className="flex items-center gap-1.5 text-xs text-ink-faint">
              <ChannelMark type={conversation.channel_type} size={14} className="rounded" />
              {named("channel", conversation.channel_type)}
              {conversation.locale && ` · ${format.language(conversation.locale)}`}
            </p>
          </div>
        </div>
        <Facts
          items={visitorFacts(conversation).map(
            ([key, value]) => [named("visitor", key), <bdi key={key}>{value}</bdi>] as const,
          )}
        />
      </Part>
      <Part title={t("inbox.assignee")}>
        <Assignee conversation={conversation} actions={actions} />
      </Part>
      <Part title={t("field.tags")}>
        <Tags conversation={conversation} actions={actions} onTag={onTag} />
      </Part>
      <Part title={t("inbox.conversation")}>
        <Facts
          items={[
            [t("field.created"), <When key="made" at={conversation.created_at} />],
            [t("tenant.brand"), <bdi key="brand">{conversation.brand_name}</bdi>],
            ...(conversation.waiting_since
              ? [[t("inbox.waiting_since"), <Ago key="wait" at={conversation.waiting_since} />] as const]
              : []),
            ...(conversation.handoff_reason
              ? [[t("inbox.reason"), <bdi key="why">{conversation.handoff_reason}</bdi>] as const]
              : []),
            ...(conversation.closed_at
              ? [[t("inbox.closed_at"), <When key="closed" at={conversation.closed_at} />] as const]
              : []),
          ]}
        />
        {conversation.csat && <Csat score={conversation.csat.score} comment={conversation.csat.comment} />}
      </Part>
      <Part title={t("nav.tickets")}>
        <ConversationTickets conversation={conversation} />
      </Part>
      {mayErase && (
        <Part>
          <Link
            to="/t/$tenantId/data"
            params={{ tenantId: conversation.tenant_id }}
            search={{ erase: conversation.id }}
            className={buttonClass({ size: "sm" }, "self-start")}
          >
            <Eraser className="size-3.5" aria-hidden />
            {t("inbox.erase")}
          </Link>
        </Part>
      )}
    </div>
  );
}

function Part({ title, children }: { title?: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3 p-4">
      {title && <h3 className="text-xs font-medium text-ink-faint">{title}</h3>}
      {children}
    </section>
  );
}

function Assignee({ conversation, actions }: { conversation: Conversation; actions: Actions }) {
  const { t, named } = useLanguage();
  const tenantId = useTenantId();
  const agents = useQuery({ queryKey: keys.agents(tenantId), queryFn: () => listAgents(tenantId), staleTime: 30_000 });
  const assigned = conversation.assignee;
  const found = agents.data?.find((agent) => agent.id === assigned?.id);
  const known = agents.data ?? [];
  const options = [
    { value: "", label: t("inbox.nobody") },
    ...known.map((agent) => ({ value: agent.id, label: `${agent.name} · ${named("presence", agent.presence)}` })),
    ...(assigned && !found ? [{ value: assigned.id, label: assigned.name }] : []),
  ];
  return (
    <div className="flex items-center gap-2">
      {found && <Dot tone={PRESENCE_TONES[found.presence]} />}
      <Select
        aria-label={t("inbox.assignee")}
        value={assigned?.id ?? ""}
        disabled={actions.busy || conversation.state === "closed"}
        onChange={(event) => void actions.assign(event.target.value || null)}
        options={options}
      />
    </div>
  );
}

function Tags({ conversation, actions, onTag }: Props) {
  const { t } = useLanguage();
  const [typed, setTyped] = useState("");
  const { tags } = conversation;
  const add = () => {
    if (actions.busy) return; // it would be told what the tags were before the one that is under way
    const tag = typed.trim();
    setTyped("");
    if (tag && !tags.includes(tag)) void actions.setTags([...tags, tag]);
  };
  return (
    <>
      <div className="flex flex-wrap gap-1 empty:hidden">
        {tags.map((tag) => (
          <Badge key={tag} className="h-6 ps-2 pe-0.5">
            <button type="button" onClick={() => onTag(tag)} title={t("inbox.only_tag")} className="hover:underline">
              <bdi>{tag}</bdi>
            </button>
            <button
              type="button"
              aria-label={`${t("action.remove")}: ${tag}`}
              className="rounded p-0.5 hover:bg-hover"
              disabled={actions.busy}
              onClick={() => void actions.setTags(tags.filter((each) => each !== tag))}
            >
              <X className="size-3" aria-hidden />
            </button>
          </Badge>
        ))}
      </div>
      <form
        className="flex gap-1.5"
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <Field label={t("inbox.add_tag")} hideLabel className="flex-1">
          <Input
            maxLength={60}
            dir="auto"
            placeholder={t("inbox.add_tag")}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </Field>
        <IconButton type="submit" variant="secondary" label={t("inbox.add_tag")}>
          <Plus className="size-4" aria-hidden />
        </IconButton>
      </form>
    </>
  );
}

const STARS = [1, 2, 3, 4, 5];

function Csat({ score, comment }: { score: number; comment: string | null }) {
  const { t, format } = useLanguage();
  return (
    <div className="flex flex-col gap-1">
      <div role="img" aria-label={t("inbox.csat", { score: format.number(score) })} className="flex gap-0.5">
        {STARS.map((star) => (
          <Star
            key={star}
            aria-hidden
            className={star <= score ? "size-4 fill-warn text-warn" : "size-4 text-line-strong"}
          />
        ))}
      </div>
      {comment && (
        <p dir="auto" className="text-sm text-ink-soft">
          {comment}
        </p>
      )}
    </div>
  );
}
