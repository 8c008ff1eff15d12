/** Where an agent writes: an answer or a note, with canned replies by `/`, people by `@`, and a draft by the model. */
import { useQuery } from "@tanstack/react-query";
import { Lock, Send, Sparkles, StickyNote, Zap } from "lucide-react";
import { type KeyboardEvent, type RefObject, useImperativeHandle, useRef, useState } from "react";
import { useTenantId } from "@/app/tenant";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { onForget } from "@/lib/forget";
import { Button, IconButton } from "@/ui/button";
import { Menu, MenuItem } from "@/ui/menu";
import { toast } from "@/ui/toast";
import type { Actions } from "./actions";
import { askDraft, type CannedReply, type Conversation, keys, listAgents, listCanned, renderCanned } from "./api";
import type { UploadedFile } from "./attach";
import { AttachButton, AttachedFiles } from "./attached";
import { mentionAt, mentioned, slashWord, withMention } from "./shorthand";
import { type Suggestion, Suggestions, useSuggestions } from "./suggestions";
import { threadOf } from "./threads";
import { useNotes } from "./use-notes";
import { useTypingSignal } from "./use-typing";

export type Mode = "reply" | "note";

export interface ComposerHandle {
  focus: (mode: Mode) => void;
}

interface Props {
  ref: RefObject<ComposerHandle | null>;
  conversation: Conversation;
  mine: boolean;
  actions: Actions;
}

interface Unsent {
  text: string;
  files: readonly UploadedFile[];
}

const NOTHING: Unsent = { text: "", files: [] };

/** What was typed, attached and not sent, by conversation and mode, for this visit only. */
const unsent = new Map<string, Unsent>();
onForget(() => unsent.clear());

export function Composer({ ref, conversation, mine, actions }: Props) {
  const { t } = useLanguage();
  const [mode, setMode] = useState<Mode>("reply");
  const field = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(ref, () => ({
    focus: (next) => {
      setMode(next);
      requestAnimationFrame(() => field.current?.focus());
    },
  }));
  const closed = conversation.state === "closed";
  const heldBy = conversation.state === "human" && !mine ? conversation.assignee : null;
  return (
    <div
      className={cx(
        "shrink-0 border-t px-3 pt-2 pb-3 transition-colors",
        mode === "note" ? "bg-warn-soft" : "bg-panel",
      )}
    >
      <div className="mx-auto max-w-3xl">
        <div className="mb-2 flex items-center gap-1" role="tablist" aria-label={t("inbox.write")}>
          <ModeTab mode="reply" current={mode} onChoose={setMode} />
          <ModeTab mode="note" current={mode} onChoose={setMode} />
        </div>
        {mode === "reply" && (closed || heldBy) ? (
          <Blocked text={closed ? t("inbox.is_closed") : t("inbox.held_by", { name: heldBy?.name ?? "" })}>
            {closed ? (
              <Button size="sm" busy={actions.busy} onClick={() => void actions.reopen()}>
                {t("inbox.reopen")}
              </Button>
            ) : (
              <Button size="sm" busy={actions.busy} onClick={() => void actions.take()}>
                {t("inbox.take_over")}
              </Button>
            )}
          </Blocked>
        ) : (
          <Editor key={mode} field={field} mode={mode} conversation={conversation} mine={mine} />
        )}
      </div>
    </div>
  );
}

function ModeTab({ mode, current, onChoose }: { mode: Mode; current: Mode; onChoose: (mode: Mode) => void }) {
  const { t } = useLanguage();
  const chosen = mode === current;
  return (
    <button
      type="button"
      role="tab"
      aria-selected={chosen}
      onClick={() => onChoose(mode)}
      className={cx(
        "flex items-center gap-1.5 rounded-md px-2 py-1 text-xs",
        chosen ? "bg-hover font-medium text-ink" : "text-ink-soft hover:text-ink",
      )}
    >
      {mode === "note" && <Lock className="size-3" aria-hidden />}
      {t(mode === "reply" ? "inbox.reply" : "inbox.note")}
    </button>
  );
}

function Blocked({ text, children }: { text: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg border bg-sunken px-3 py-2.5 text-sm text-ink-soft">
      <bdi>{text}</bdi>
      {children}
    </div>
  );
}

interface EditorProps {
  field: RefObject<HTMLTextAreaElement | null>;
  mode: Mode;
  conversation: Conversation;
  mine: boolean;
}

function Editor({ field, mode, conversation, mine }: EditorProps) {
  const { t } = useLanguage();
  const tenantId = useTenantId();
  const place = `${conversation.id}:${mode}`;
  const [{ text, files }, setShown] = useState(() => unsent.get(place) ?? NOTHING);
  const [caret, setCaret] = useState(0);
  const [drafting, setDrafting] = useState(false);
  const typing = useTypingSignal(conversation.id);
  const notes = useNotes(conversation.id);
  const canned = useQuery({
    queryKey: keys.canned(tenantId),
    queryFn: () => listCanned(tenantId),
    staleTime: 60_000,
    retry: false,
  });
  const agents = useQuery({ queryKey: keys.agents(tenantId), queryFn: () => listAgents(tenantId), staleTime: 30_000 });

  const keep = (change: (before: Unsent) => Partial<Unsent>) => {
    const before = unsent.get(place) ?? NOTHING;
    const after = { ...before, ...change(before) };
    unsent.set(place, after);
    setShown(after);
  };
  const write = (next: string) => {
    keep(() => ({ text: next }));
    if (mode === "reply") typing.typed(next);
  };
  const replace = (next: string) => {
    write(next);
    requestAnimationFrame(() => field.current?.focus());
  };
  const insertCanned = (reply: CannedReply) =>
    void renderCanned(reply.id, conversation.id)
      .then((rendered) => {
        const { text: now } = unsent.get(place) ?? NOTHING; // not what it was when the reply was asked for
        replace(
          slashWord(now) === null ? `${now}${now && !/\s$/.test(now) ? " " : ""}${rendered.text}` : rendered.text,
        );
      })
      .catch(toast.failed);
  const suggested: Suggestion[] =
    mode === "reply"
      ? cannedSuggestions(canned.data?.items ?? [], slashWord(text), insertCanned)
      : (agents.data ?? [])
          .filter((agent) => mentionAt(text, caret)?.matches(agent.name))
          .map((agent) => ({
            id: agent.id,
            title: agent.name,
            detail: agent.email ?? "",
            choose: () => replace(withMention(text, caret, agent.name)),
          }));
  const suggestions = useSuggestions(suggested);

  const send = () => {
    const words = text.trim();
    if (!words && files.length === 0) return;
    keep(() => NOTHING);
    if (mode === "note")
      void notes.add(words, mentioned(words, agents.data ?? [])).catch(() => {
        const { text: next } = unsent.get(place) ?? NOTHING;
        replace(next ? `${words}\n\n${next}` : words);
      });
    else threadOf(conversation.id).send(words, files);
    typing.stopped();
  };
  const draft = async () => {
    setDrafting(true);
    await askDraft(conversation.id)
      .then((answer) => {
        if (answer.text === "") return toast.done(t("inbox.draft_none"));
        const own = (unsent.get(place) ?? NOTHING).text.trimEnd();
        const words = answer.text.replace(/\s*\[\d+\]/g, ""); // a visitor would see marks of no sources
        replace(own ? `${own}\n\n${words}` : words);
      })
      .catch(toast.failed);
    setDrafting(false);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (suggestions.onKeyDown(event)) return;
    if (event.key === "Escape") event.currentTarget.blur();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
    }
  };
  const label = t(mode === "reply" ? "inbox.reply_label" : "inbox.note_label");
  return (
    <div className="relative">
      <Suggestions state={suggestions} label={t(mode === "reply" ? "inbox.canned" : "inbox.mention")} />
      <div className="rounded-lg border border-line-strong bg-raised focus-within:border-accent">
        <textarea
          ref={field}
          aria-label={label}
          placeholder={mode === "reply" && !mine ? t("inbox.reply_takes") : label}
          dir="auto"
          rows={2}
          value={text}
          onChange={(event) => {
            write(event.target.value);
            setCaret(event.target.selectionStart);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onBlur={typing.stopped}
          onKeyDown={onKeyDown}
          className="block field-sizing-content max-h-56 min-h-16 w-full resize-none bg-transparent px-3 py-2 text-sm outline-none"
        />
        <AttachedFiles
          files={files}
          onRemove={(id) => keep((before) => ({ files: before.files.filter((file) => file.id !== id) }))}
        />
        <div className="flex items-center gap-1 px-1.5 pb-1.5">
          {mode === "reply" && (
            <>
              <AttachButton
                conversationId={conversation.id}
                onAttached={(file) => keep((before) => ({ files: [...before.files, file] }))}
              />
              <CannedMenu replies={canned.data?.items ?? []} onChoose={insertCanned} />
              <Button
                variant="ghost"
                size="sm"
                busy={drafting}
                icon={<Sparkles className="size-3.5" aria-hidden />}
                onClick={() => void draft()}
              >
                {t("inbox.draft")}
              </Button>
            </>
          )}
          <span className="flex-1" />
          <Button
            size="sm"
            variant="primary"
            disabled={text.trim() === "" && files.length === 0}
            icon={
              mode === "note" ? (
                <StickyNote className="size-3.5" aria-hidden />
              ) : (
                <Send className="flip-rtl size-3.5" aria-hidden />
              )
            }
            onClick={send}
          >
            {t(mode === "note" ? "inbox.add_note" : "action.send")}
          </Button>
        </div>
      </div>
    </div>
  );
}

function cannedSuggestions(
  replies: readonly CannedReply[],
  wanted: string | null,
  choose: (reply: CannedReply) => void,
): Suggestion[] {
  if (wanted === null) return [];
  return replies
    .filter((reply) => `${reply.shortcut} ${reply.title}`.toLowerCase().includes(wanted))
    .slice(0, 8)
    .map((reply) => ({
      id: reply.id,
      title: `/${reply.shortcut.replace(/^\//, "")}`,
      detail: reply.title || reply.text,
      choose: () => choose(reply),
    }));
}

function CannedMenu({
  replies,
  onChoose,
}: {
  replies: readonly CannedReply[];
  onChoose: (reply: CannedReply) => void;
}) {
  const { t } = useLanguage();
  if (replies.length === 0) return null;
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <IconButton size="iconSm" label={t("inbox.canned")}>
          <Zap className="size-4" aria-hidden />
        </IconButton>
      }
    >
      {replies.map((reply) => (
        <MenuItem key={reply.id} onSelect={() => onChoose(reply)}>
          <bdi>{reply.title || reply.shortcut}</bdi>
        </MenuItem>
      ))}
    </Menu>
  );
}
