/** A conversation in a list: who, what was said last, whose it is, how long somebody waits. */
import { Bot, CircleCheck, Clock } from "lucide-react";
import { useEffect, useRef } from "react";
import { ChannelMark } from "@/features/channels/brand-marks";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { Avatar, Badge } from "@/ui/badge";
import type { Conversation } from "./api";
import { isAnonymous, visitorName } from "./people";

interface Props {
  conversation: Conversation;
  open: boolean;
  onOpen: (id: string) => void;
  snippet?: string | undefined;
}

export function ConversationRow({ conversation, open, onOpen, snippet }: Props) {
  const { t, tn, named, format } = useLanguage();
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (open) row.current?.scrollIntoView?.({ block: "nearest" });
  }, [open]);
  const name = visitorName(conversation, t);
  const { last_message: last, unread } = conversation;
  const said = snippet ?? last?.text ?? conversation.subject ?? "";
  return (
    <li className="border-b">
      <button
        ref={row}
        type="button"
        aria-current={open ? "true" : undefined}
        onClick={() => onOpen(conversation.id)}
        className={cx(
          "flex w-full items-start gap-3 px-3 py-2.5 text-start transition-colors",
          open ? "bg-accent-soft" : "hover:bg-hover",
        )}
      >
        <span className="relative shrink-0">
          <Avatar name={name} anonymous={isAnonymous(conversation)} size={34} />
          <ChannelMark
            type={conversation.channel_type}
            size={16}
            className="absolute -end-1 -bottom-1 rounded-md ring-2 ring-panel"
          />
        </span>
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <bdi className={cx("min-w-0 flex-1 truncate text-sm", unread > 0 ? "font-semibold" : "font-medium")}>
              {name}
            </bdi>
            <time dateTime={conversation.updated_at} className="shrink-0 text-2xs text-ink-faint">
              {format.brief(last?.created_at ?? conversation.updated_at)}
            </time>
          </span>
          <span className="mt-0.5 flex items-center gap-1">
            {said !== "" && !snippet && (last?.role === "agent" || last?.role === "bot") && (
              <span className="shrink-0 text-xs text-ink-faint">
                {t(last.role === "agent" ? "inbox.you_said" : "inbox.bot_said")}
              </span>
            )}
            <span
              dir="auto"
              className={cx("start-of-page min-w-0 flex-1 truncate text-xs", unread > 0 ? "text-ink" : "text-ink-soft")}
            >
              {said}
            </span>
            {unread > 0 && (
              <span className="min-w-4.5 shrink-0 rounded-full bg-accent px-1 text-center text-2xs leading-4.5 font-semibold text-accent-ink">
                <span className="sr-only">{tn("inbox.unread", unread)}</span>
                <span aria-hidden>{format.number(unread)}</span>
              </span>
            )}
          </span>
          <span className="mt-1 flex flex-wrap items-center gap-1 empty:hidden">
            {conversation.state === "waiting" && (
              <Badge tone="warn">
                <Clock className="size-3" aria-hidden />
                {conversation.waiting_since ? format.ago(conversation.waiting_since) : named("conversation", "waiting")}
              </Badge>
            )}
            {conversation.state === "bot" && (
              <Badge>
                <Bot className="size-3" aria-hidden />
                {named("conversation", "bot")}
              </Badge>
            )}
            {conversation.state === "closed" && (
              <Badge>
                <CircleCheck className="size-3" aria-hidden />
                {named("conversation", "closed")}
              </Badge>
            )}
            {conversation.assignee && conversation.state !== "closed" && (
              <Badge tone="accent">
                <bdi className="max-w-28 truncate">{conversation.assignee.name}</bdi>
              </Badge>
            )}
            {conversation.tags.slice(0, 2).map((tag) => (
              <Badge key={tag}>
                <bdi className="max-w-24 truncate">{tag}</bdi>
              </Badge>
            ))}
          </span>
        </span>
      </button>
    </li>
  );
}
