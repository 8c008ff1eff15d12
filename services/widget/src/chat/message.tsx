import type { JSX } from "preact";
import type { Choice, Message } from "../core/protocol";
import { safeHref } from "../markdown/href";
import { AttachmentView } from "./attachment";
import { Avatar } from "./avatar";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";
import { memo } from "./memo";
import { RichText, SafeLink } from "./rich_text";

interface MessageProps {
  readonly message: Message;
  /** The first, and the last, of several in a row of one speaker. */
  readonly first: boolean;
  readonly last: boolean;
  /** What is offered with it can still be chosen. */
  readonly live: boolean;
  readonly note: string | null;
}

export const MessageView = memo(function MessageView({ message, first, last, live, note }: MessageProps): JSX.Element {
  const model = useModel();
  const words = useWords();
  const { role } = message;
  if (role === "system")
    return (
      <p class="line" dir="auto">
        {message.text}
      </p>
    );
  const isMine = role === "visitor";
  const name = isMine ? words.t("you") : role === "bot" ? model.botName : (message.author?.name ?? words.t("agent"));
  const url = role === "bot" ? model.config.bot.avatar_url : message.author?.avatar_url;
  const side = isMine ? "mine" : "theirs";
  return (
    <article
      class={`message ${side}${first ? " first" : ""}${last ? " last" : ""}`}
      data-role={role}
      data-status={message.status}
    >
      {!isMine && (first ? <Avatar name={name} url={url} isBot={role === "bot"} size={28} /> : <span class="gap" />)}
      <div class="stack">
        {first && !isMine ? (
          <span class="name" dir="auto">
            {name}
          </span>
        ) : (
          <span class="hidden">{name}</span>
        )}
        <Bubble message={message} />
        {message.attachments?.map((attachment) => (
          <AttachmentView key={attachment.id} attachment={attachment} />
        ))}
        <Sources message={message} />
        <Offers message={message} live={live} />
        {last && <Foot message={message} note={note} />}
      </div>
    </article>
  );
});

function Bubble({ message }: { readonly message: Message }): JSX.Element | null {
  const model = useModel();
  const words = useWords();
  const { text, status, role, citations } = message;
  if (status === "streaming" && text === "") {
    return (
      <div class="bubble dots" role="img" aria-label={words.t("thinking", { name: model.botName })}>
        <i />
        <i />
        <i />
      </div>
    );
  }
  if (text === "") return null;
  const cite = (index: number) => {
    const citation = citations.find((known) => known.index === index);
    if (!citation) return null;
    return (
      <button
        type="button"
        class="cite"
        aria-label={words.t("source.number", { n: index, title: citation.title })}
        onClick={() => model.screen.patch({ source: citation })}
      >
        {words.number(index)}
      </button>
    );
  };
  return (
    <div class="bubble">
      {role === "visitor" ? (
        <p dir="auto" class="plain">
          {text}
        </p>
      ) : (
        <RichText text={text} cite={cite} />
      )}
    </div>
  );
}

function Sources({ message }: { readonly message: Message }): JSX.Element | null {
  const model = useModel();
  const words = useWords();
  if (message.citations.length === 0) return null;
  return (
    <ul class="sources" aria-label={words.t("sources", { n: message.citations.length })}>
      {message.citations.map((citation) => (
        <li key={citation.index}>
          <button type="button" class="source-chip" onClick={() => model.screen.patch({ source: citation })}>
            <span class="source-number">{words.number(citation.index)}</span>
            <span class="ellipsis">
              <bdi>{citation.title}</bdi>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Offers({ message, live }: { readonly message: Message; readonly live: boolean }): JSX.Element | null {
  const model = useModel();
  const words = useWords();
  const choices = live ? (message.content?.choices ?? []) : [];
  const offered = live && message.handoff_offered && message.status !== "streaming";
  if (choices.length === 0 && !offered) return null;
  return (
    <div class={message.content?.style === "list" ? "choices list" : "choices"}>
      {choices.map((choice, index) => (
        <ChoiceView key={choice.id ?? index} choice={choice} />
      ))}
      {offered && model.config.features.handoff && (
        <button type="button" class="choice" onClick={() => model.askForPerson()}>
          <Icon name="person" size={16} />
          {words.t("handoff.ask")}
        </button>
      )}
      {offered && (
        <button type="button" class="choice" onClick={() => model.show("ticket")}>
          <Icon name="ticket" size={16} />
          {words.t("menu.ticket")}
        </button>
      )}
    </div>
  );
}

function ChoiceView({ choice }: { readonly choice: Choice }): JSX.Element {
  const model = useModel();
  const href = safeHref(choice.url);
  const label = (
    <span class="choice-text">
      <bdi>{choice.title}</bdi>
      {choice.description && <small dir="auto">{choice.description}</small>}
    </span>
  );
  if (href) {
    return (
      <SafeLink href={href} class="choice">
        {label}
        <Icon name="link" size={14} />
      </SafeLink>
    );
  }
  return (
    <button type="button" class="choice" onClick={() => model.say(choice.title)}>
      {label}
    </button>
  );
}

function Foot({ message, note }: { readonly message: Message; readonly note: string | null }): JSX.Element | null {
  const words = useWords();
  if (message.status === "streaming") return null;
  const failed = message.status === "failed" ? words.t("message.replyFailed") : null;
  const cut = message.status === "interrupted" && message.role === "bot" ? words.t("message.interrupted") : null;
  return (
    <span class="foot">
      {failed || cut ? <span class="error-text">{failed ?? cut}</span> : null}
      <time dateTime={message.created_at}>{words.time(new Date(message.created_at))}</time>
      {note && <span>· {note}</span>}
    </span>
  );
}
