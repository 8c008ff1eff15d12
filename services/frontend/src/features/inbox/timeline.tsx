/** What was said and noted, in order, by day; it stays at the end while one is there and says when something new came. */
import { useQuery } from "@tanstack/react-query";
import { ArrowDown, StickyNote } from "lucide-react";
import { Fragment, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useLanguage } from "@/i18n";
import { useStore } from "@/lib/store";
import { Button } from "@/ui/button";
import { Failure, Rows } from "@/ui/states";
import { toast } from "@/ui/toast";
import { type Conversation, keys, listNotes, type Message, type Note } from "./api";
import { MessageBubble, OutgoingBubble } from "./message";
import { type OpenThread, threadOf } from "./threads";
import { useVisitorTyping } from "./use-inbox";

type Item = { at: string; message: Message; note?: undefined } | { at: string; note: Note; message?: undefined };

const NEAR_END_PX = 80;

/** Messages in the order of their numbers, as the visitor sees them, each note before the first message that is younger. */
export function woven(messages: readonly Message[], notes: readonly Note[]): Item[] {
  const time = (at: string) => Date.parse(at);
  const waiting = [...notes].sort((one, other) => time(one.created_at) - time(other.created_at));
  const items: Item[] = [];
  const noteUntil = (end: number) => {
    for (let note = waiting[0]; note && time(note.created_at) <= end; note = waiting[0]) {
      items.push({ at: note.created_at, note });
      waiting.shift();
    }
  };
  for (const message of messages) {
    noteUntil(time(message.created_at));
    items.push({ at: message.created_at, message });
  }
  noteUntil(Number.POSITIVE_INFINITY);
  return items;
}

export function Timeline({
  conversation,
  onTrace,
}: {
  conversation: Conversation;
  onTrace: (messageId: string) => void;
}) {
  const { t, format } = useLanguage();
  const thread = threadOf(conversation.id);
  const state = useStore(thread.state);
  const loaded = useStore(thread.loaded);
  const error = useStore(thread.error);
  const typing = useVisitorTyping(conversation.id);
  const notes = useQuery({
    queryKey: keys.notes(conversation.id),
    queryFn: () => listNotes(conversation.id),
    retry: false,
  });
  const scroller = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const older = useOlder(thread, scroller);
  useEffect(() => void thread.load(), [thread]);
  const count = state.messages.length + state.outgoing.length + (notes.data?.items.length ?? 0);
  const toEnd = () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  // biome-ignore lint/correctness/useExhaustiveDependencies: what came is a reason to follow it, when one is at the end
  useLayoutEffect(() => {
    if (atEnd) toEnd();
  }, [count, typing, loaded]);
  const onScroll = () => {
    const box = scroller.current;
    if (box) setAtEnd(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX);
  };
  if (!loaded)
    return (
      <div className="min-h-0 flex-1">
        {error ? <Failure error={error} onRetry={() => void thread.load()} /> : <Rows />}
      </div>
    );
  const items = woven(state.messages, notes.data?.items ?? []);
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it by its focus
        tabIndex={0}
        onScroll={onScroll}
        className="scroll-quiet h-full overflow-y-auto focus-visible:outline-none"
      >
        <div
          role="log"
          aria-label={t("inbox.messages")}
          className="mx-auto flex min-h-full max-w-3xl flex-col justify-end gap-3 px-4 py-5"
        >
          {state.hasOlder && (
            <Button size="sm" className="self-center" busy={older.busy} onClick={() => void older.read()}>
              {t("inbox.older")}
            </Button>
          )}
          {items.map((item, index) => (
            <Fragment key={item.message?.id ?? item.note?.id}>
              <DayLine at={item.at} before={items[index - 1]?.at} />
              {item.message ? (
                <MessageBubble message={item.message} conversation={conversation} onTrace={onTrace} />
              ) : (
                <NoteCard note={item.note} />
              )}
            </Fragment>
          ))}
          {state.outgoing.map((each) => (
            <OutgoingBubble
              key={each.clientMessageId}
              outgoing={each}
              onRetry={() => thread.retry(each.clientMessageId)}
              onDrop={() => thread.drop(each.clientMessageId)}
            />
          ))}
          {typing && <TypingDots label={t("inbox.visitor_types")} />}
        </div>
      </div>
      {!atEnd && (
        <Button
          size="sm"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-float"
          icon={<ArrowDown className="size-3.5" aria-hidden />}
          onClick={toEnd}
        >
          {t("inbox.to_end")}
        </Button>
      )}
      <span className="sr-only">{format.dateTime(conversation.updated_at)}</span>
    </div>
  );
}

/** Reads older messages; what is being read stays where it is when they come above it. */
function useOlder(thread: OpenThread, scroller: RefObject<HTMLDivElement | null>) {
  const [busy, setBusy] = useState(false);
  const first = useStore(thread.state).messages[0]?.seq;
  const belowTop = useRef<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another first message is the reason to look
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && belowTop.current !== null) box.scrollTop = box.scrollHeight - belowTop.current;
    belowTop.current = null;
  }, [first]);
  const read = async () => {
    setBusy(true);
    const box = scroller.current;
    belowTop.current = box && box.scrollHeight - box.scrollTop;
    try {
      await thread.loadOlder();
    } catch (error) {
      belowTop.current = null;
      toast.failed(error);
    }
    setBusy(false);
  };
  return { busy, read };
}

function DayLine({ at, before }: { at: string; before: string | undefined }) {
  const { format } = useLanguage();
  if (before && new Date(before).toDateString() === new Date(at).toDateString()) return null;
  return (
    <div className="flex items-center gap-3 py-1 text-2xs text-ink-faint">
      <span className="h-px flex-1 bg-line" />
      {format.day(at)}
      <span className="h-px flex-1 bg-line" />
    </div>
  );
}

function NoteCard({ note }: { note: Note }) {
  const { t, format } = useLanguage();
  return (
    <div className="self-stretch rounded-lg border border-warn/30 bg-warn-soft px-3 py-2">
      <p className="mb-0.5 flex items-center gap-1.5 text-2xs font-medium text-warn">
        <StickyNote className="size-3" aria-hidden />
        {t("inbox.note_by")} <bdi>{note.author?.name}</bdi> · {format.time(note.created_at)}
      </p>
      <p dir="auto" className="text-sm whitespace-pre-wrap text-ink">
        {note.text}
      </p>
    </div>
  );
}

const DELAYS = ["[animation-delay:0ms]", "[animation-delay:150ms]", "[animation-delay:300ms]"];

function TypingDots({ label }: { label: string }) {
  return (
    <div role="status" className="flex w-fit items-center gap-1 rounded-2xl rounded-es-sm border bg-panel px-3 py-2.5">
      <span className="sr-only">{label}</span>
      {DELAYS.map((delay) => (
        <span
          key={delay}
          aria-hidden
          className={`size-1.5 animate-[bounce-dot_1.2s_infinite] rounded-full bg-ink-faint ${delay}`}
        />
      ))}
    </div>
  );
}
