import { Fragment, type JSX, type RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { isVisible } from "../core/conversation";
import type { Message } from "../core/protocol";
import type { ChatState } from "../core/state";
import { Csat } from "./csat";
import { useChat, useModel, useScreen, useWords } from "./hooks";
import { Icon } from "./icons";
import { MessageView } from "./message";
import type { Notice } from "./model";
import { PendingView } from "./pending";
import { Welcome } from "./welcome";

const GROUP_MS = 5 * 60_000;
const NEAR_PX = 80;

/** The conversation. It stays at its end while the reader is there, and lets one who reads above be. */
export function Thread(): JSX.Element {
  const chat = useChat();
  const screen = useScreen();
  const words = useWords();
  const messages = chat.conversation.messages.filter(isVisible);
  const place = useRef<HTMLDivElement>(null);
  const { atEnd, missed, toEnd } = useEnd(place, chat, screen.open && screen.view === "chat");
  const isEmpty = messages.length === 0 && chat.outbox.length === 0;
  return (
    <div class="thread-frame">
      <div
        class="thread"
        ref={place}
        role="log"
        aria-live="off"
        aria-label={words.t("title", { name: useModel().counterpart(chat) })}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        tabIndex={0}
      >
        <div class="thread-content">
          {isEmpty ? <Welcome /> : <Messages messages={messages} chat={chat} notices={screen.notices} />}
          {chat.outbox.map((item) => (
            <PendingView key={item.id} item={item} online={chat.link === "online"} />
          ))}
          <Typing chat={chat} />
          <Csat />
        </div>
      </div>
      {!atEnd && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" size={16} />
          {missed > 0 && <span>{words.t("message.new", { n: missed })}</span>}
        </button>
      )}
    </div>
  );
}

interface MessagesProps {
  readonly messages: readonly Message[];
  readonly chat: ChatState;
  readonly notices: readonly Notice[];
}

function Messages({ messages, chat, notices }: MessagesProps): JSX.Element {
  const words = useWords();
  const now = new Date();
  const lastMine = messages.findLast((message) => message.role === "visitor")?.seq;
  return (
    <>
      {messages.map((message, index) => {
        const before = messages[index - 1];
        const after = messages[index + 1];
        const day = words.day(new Date(message.created_at), now);
        const isNewDay = !before || words.day(new Date(before.created_at), now) !== day;
        return (
          <Fragment key={message.id}>
            {isNewDay && <p class="line day">{day}</p>}
            <MessageView
              message={message}
              first={isNewDay || !isGroup(before, message)}
              last={!after || !isGroup(message, after)}
              live={!after && chat.outbox.length === 0 && chat.conversation.state !== "closed"}
              note={message.seq === lastMine ? noteOf(chat, message.seq, words.t) : null}
            />
            {notices
              .filter((notice) => notice.afterSeq >= message.seq && notice.afterSeq < (after?.seq ?? Infinity))
              .map((notice) => (
                <p key={notice.text} class="line">
                  {notice.text}
                </p>
              ))}
          </Fragment>
        );
      })}
    </>
  );
}

function isGroup(before: Message | undefined, after: Message): boolean {
  if (!before || before.role !== after.role || before.author?.id !== after.author?.id) return false;
  return Date.parse(after.created_at) - Date.parse(before.created_at) < GROUP_MS;
}

/** "Seen" is said of a person alone: that a machine reads everything is no news. */
function noteOf(
  { conversation }: ChatState,
  seq: number,
  t: (key: "message.seen" | "message.sent") => string,
): string | null {
  if (conversation.agentReadSeq >= seq) return t("message.seen");
  return conversation.state === "human" || conversation.state === "waiting" ? t("message.sent") : null;
}

function Typing({ chat }: { readonly chat: ChatState }): JSX.Element | null {
  const model = useModel();
  const words = useWords();
  const { typing, messages } = chat.conversation;
  // A reply that has begun shows its own dots.
  if (!typing || chat.link !== "online" || messages.at(-1)?.status === "streaming") return null;
  const name = typing.name || model.counterpart(chat);
  const label = words.t(typing.role === "agent" ? "typing" : "thinking", { name });
  return (
    <div class="message theirs first last">
      <span class="gap" />
      <div class="bubble dots" role="img" aria-label={label}>
        <i />
        <i />
        <i />
      </div>
    </div>
  );
}

/** Follow the end of the thread, and tell the server how far the visitor has read. */
function useEnd(place: RefObject<HTMLDivElement | null>, chat: ChatState, isShown: boolean) {
  const { client } = useModel();
  const [atEnd, setAtEnd] = useState(true);
  const pinned = useRef(true);
  const seenSeq = useRef(0);
  const lastSeq = chat.conversation.messages.findLast((m) => m.status !== "streaming")?.seq ?? 0;
  const toEnd = () => {
    const element = place.current;
    if (element) element.scrollTop = element.scrollHeight;
  };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const onScroll = () => {
      pinned.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      setAtEnd(pinned.current);
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    // A keyboard that opens and a picture that loads move the end, too.
    const sizes = new ResizeObserver(() => pinned.current && toEnd());
    sizes.observe(element);
    if (element.firstElementChild) sizes.observe(element.firstElementChild);
    return () => {
      element.removeEventListener("scroll", onScroll);
      sizes.disconnect();
    };
  }, []);
  // Whoever says something wants to see it.
  const said = chat.outbox.length;
  useLayoutEffect(() => {
    if (said > 0) pinned.current = true;
  }, [said]);
  useLayoutEffect(() => {
    if (pinned.current) toEnd();
  });
  useEffect(() => {
    const read = () => {
      if (!isShown || document.hidden || !pinned.current) return;
      seenSeq.current = lastSeq;
      client.read(lastSeq);
    };
    read();
    document.addEventListener("visibilitychange", read);
    return () => document.removeEventListener("visibilitychange", read);
  }, [isShown, lastSeq, atEnd, chat.link]);
  const missed = chat.conversation.messages.filter(
    (m) => m.seq > seenSeq.current && m.role !== "visitor" && isVisible(m),
  ).length;
  return { atEnd, missed, toEnd };
}
