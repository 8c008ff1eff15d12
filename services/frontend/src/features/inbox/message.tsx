/** A message: whose it is, its words, files, sources, and for the bot's own the way to why it said that. */

import { useQuery } from "@tanstack/react-query";
import {
  Bot,
  Check,
  CheckCheck,
  CircleAlert,
  Clock,
  Download,
  FileText,
  HelpCircle,
  RotateCw,
  Trash2,
} from "lucide-react";
import { useEffect, useState } from "react";
import { download } from "@/api/client";
import { type Key, useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { saveBlob } from "@/lib/save";
import { Badge } from "@/ui/badge";
import { IconButton } from "@/ui/button";
import { Markdown } from "@/ui/markdown";
import { ReplyMode } from "@/ui/reply-mode";
import { Skeleton } from "@/ui/states";
import { toast } from "@/ui/toast";
import type { Conversation, Message } from "./api";
import type { Outgoing } from "./thread";

interface Props {
  message: Message;
  conversation: Conversation;
  onTrace: (messageId: string) => void;
}

const LOOKS = {
  visitor: "self-start rounded-es-sm border bg-panel text-ink",
  agent: "self-end rounded-ee-sm bg-accent text-accent-ink [&_a]:text-accent-ink [&_code]:bg-white/20",
  bot: "self-end rounded-ee-sm border border-line bg-accent-soft text-ink",
} as const;

export function MessageBubble({ message, conversation, onTrace }: Props) {
  const { t, format } = useLanguage();
  const who =
    message.role === "visitor"
      ? "visitor"
      : message.role === "agent"
        ? "agent"
        : message.role === "system"
          ? "system"
          : "bot";
  if (who === "system") return <p className="self-center text-center text-xs text-ink-faint">{message.text}</p>;
  return (
    <article
      aria-label={t(`inbox.by_${who}`)}
      className={cx(
        "flex max-w-[85%] flex-col gap-1 sm:max-w-[75%]",
        who === "visitor" ? "self-start" : "items-end self-end",
      )}
    >
      {who !== "visitor" && (
        <span className="flex items-center gap-1 px-1 text-2xs text-ink-faint">
          {who === "bot" && <Bot className="size-3" aria-hidden />}
          <bdi>{who === "agent" ? (message.author?.name ?? t("inbox.by_agent")) : t("inbox.by_bot")}</bdi>
        </span>
      )}
      <div className={cx("max-w-full rounded-2xl px-3.5 py-2 text-sm", LOOKS[who])}>
        {message.deleted_at ? (
          <em className="opacity-70">{t("inbox.deleted")}</em>
        ) : (
          <Words message={message} markdown={who !== "visitor"} />
        )}
        <Files message={message} />
      </div>
      <footer className="flex flex-wrap items-center gap-x-2 gap-y-1 px-1 text-2xs text-ink-faint">
        <time dateTime={message.created_at} title={format.dateTime(message.created_at)}>
          {format.time(message.created_at)}
        </time>
        {message.edited_at && <span>{t("inbox.edited")}</span>}
        {who === "agent" && <DeliveryMark message={message} read={message.seq <= conversation.visitor_read_seq} />}
        {who === "bot" && <Sources message={message} onTrace={onTrace} />}
      </footer>
    </article>
  );
}

/** What stands in place of words: a reply that a person stopped by taking over has none. */
const WORDLESS: Partial<Record<string, Key>> = { streaming: "state.thinking", interrupted: "inbox.stopped" };

function Words({ message, markdown }: { message: Message; markdown: boolean }) {
  const { t } = useLanguage();
  if (!message.text)
    return message.attachments.length > 0 ? null : (
      <em className="opacity-70">{t(WORDLESS[message.status] ?? "inbox.no_words")}</em>
    );
  if (markdown) return <Markdown text={message.text} />;
  return (
    <p dir="auto" lang={message.language ?? undefined} className="whitespace-pre-wrap">
      {message.text}
    </p>
  );
}

/** What a browser shows without running anything in it. */
const PICTURES = /^image\/(png|jpeg|gif|webp)$/;

/** A picture comes with the session's token, so it is fetched and shown from memory. Without it the file is still there to be saved. */
function Picture({ id, name }: { id: string; name: string }) {
  const [url, setUrl] = useState<string | null>(null);
  const picture = useQuery({
    queryKey: ["attachment", id],
    queryFn: () => download(`/admin/attachments/${id}`),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { data } = picture;
  useEffect(() => {
    if (!data) return;
    const made = URL.createObjectURL(data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [data]);
  if (picture.error) return null;
  return url ? (
    <img src={url} alt={name} className="mb-1 max-h-60 max-w-full rounded-lg bg-sunken object-contain" />
  ) : (
    <Skeleton className="mb-1 h-40 w-56 max-w-full rounded-lg" />
  );
}

function Files({ message }: { message: Message }) {
  const { t, format } = useLanguage();
  if (message.attachments.length === 0) return null;
  const save = (id: string, name: string) =>
    void download(`/admin/attachments/${id}`)
      .then((blob) => saveBlob(blob, name))
      .catch(toast.failed);
  return (
    <ul className="mt-2 flex flex-col gap-1 first:mt-0">
      {message.attachments.map((file) => {
        const name = file.name ?? t("inbox.file");
        return (
          <li key={file.id}>
            {PICTURES.test(file.mime ?? "") && <Picture id={file.id} name={name} />}
            <button
              type="button"
              onClick={() => save(file.id, name)}
              className="flex w-full items-center gap-2 rounded-lg border border-current/20 px-2.5 py-1.5 text-start text-xs hover:bg-black/5"
            >
              <FileText className="size-4 shrink-0" aria-hidden />
              <bdi className="min-w-0 flex-1 truncate font-medium">{name}</bdi>
              {file.size !== null && <span className="opacity-80">{format.bytes(file.size)}</span>}
              <Download className="size-3.5 shrink-0" aria-hidden />
            </button>
          </li>
        );
      })}
    </ul>
  );
}

/** One tick: with us. Two: with the visitor. In colour: read. */
function DeliveryMark({ message, read }: { message: Message; read: boolean }) {
  const { named, t } = useLanguage();
  const status = read ? "read" : (message.delivery?.status ?? "sent");
  if (status === "failed") {
    return (
      <span className="flex items-center gap-1 text-bad">
        <CircleAlert className="size-3" aria-hidden />
        <bdi>{message.delivery?.words ?? t("inbox.not_delivered")}</bdi>
      </span>
    );
  }
  const Icon = status === "pending" ? Clock : status === "sent" ? Check : CheckCheck;
  const label = named("receipt", status);
  return (
    <span title={label} className={status === "read" ? "text-accent-text" : undefined}>
      <Icon className="size-3" aria-hidden />
      <span className="sr-only">{label}</span>
    </span>
  );
}

function Sources({ message, onTrace }: { message: Message; onTrace: (messageId: string) => void }) {
  const { t } = useLanguage();
  const titles = [...new Set(message.citations.map((citation) => String(citation.title ?? "")))].filter(Boolean);
  return (
    <>
      {message.mode && <ReplyMode reply={{ ...message, mode: message.mode }} className="h-4" />}
      {titles.slice(0, 3).map((title) => (
        <Badge key={title} tone="accent" className="h-4">
          <FileText className="size-2.5" aria-hidden />
          <bdi className="max-w-36 truncate">{title}</bdi>
        </Badge>
      ))}
      <button
        type="button"
        onClick={() => onTrace(message.id)}
        className="flex items-center gap-1 font-medium text-accent-text hover:underline"
      >
        <HelpCircle className="size-3" aria-hidden />
        {t("trace.why")}
      </button>
    </>
  );
}

interface OutgoingProps {
  outgoing: Outgoing;
  onRetry: () => void;
  onDrop: () => void;
}

export function OutgoingBubble({ outgoing, onRetry, onDrop }: OutgoingProps) {
  const { t } = useLanguage();
  const failed = outgoing.failure !== undefined;
  return (
    <article
      aria-label={t("inbox.by_agent")}
      aria-busy={!failed}
      className="flex max-w-[85%] flex-col items-end gap-1 self-end sm:max-w-[75%]"
    >
      <div
        className={cx(
          "max-w-full rounded-2xl rounded-ee-sm px-3.5 py-2 text-sm whitespace-pre-wrap",
          failed ? "border border-bad bg-bad-soft text-ink" : "bg-accent/80 text-accent-ink",
        )}
      >
        {outgoing.text && <p dir="auto">{outgoing.text}</p>}
        {outgoing.files.map((file) => (
          <p key={file.id} className="flex items-center gap-1.5 text-xs">
            <FileText className="size-3.5" aria-hidden />
            <bdi>{file.name}</bdi>
          </p>
        ))}
      </div>
      <footer className="flex items-center gap-2 px-1 text-2xs text-ink-faint">
        {failed ? (
          <>
            <span role="alert" className="text-bad">
              <bdi>{outgoing.failure}</bdi>
            </span>
            <IconButton size="iconSm" label={t("action.retry")} onClick={onRetry}>
              <RotateCw className="size-3" aria-hidden />
            </IconButton>
            <IconButton size="iconSm" label={t("action.delete")} onClick={onDrop}>
              <Trash2 className="size-3" aria-hidden />
            </IconButton>
          </>
        ) : (
          <>
            <Clock className="size-3" aria-hidden />
            {t("inbox.sending")}
          </>
        )}
      </footer>
    </article>
  );
}
