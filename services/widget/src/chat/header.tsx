import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { agentOf } from "../core/conversation";
import type { ChatState } from "../core/state";
import type { Words } from "../i18n";
import { Avatar } from "./avatar";
import { focusedWithin } from "./focus";
import { useChat, useModel, useScreen, useWords } from "./hooks";
import { Icon, type IconName } from "./icons";

/** Who is spoken to, how things stand, and what else can be done. */
export function Header(): JSX.Element {
  const model = useModel();
  const chat = useChat();
  const { menuOpen } = useScreen();
  const words = useWords();
  const name = model.counterpart(chat);
  const agent = agentOf(chat.conversation);
  const isBot = chat.conversation.state !== "human";
  const [tone, status] = standing(chat, words);
  return (
    <header class="header">
      <Avatar name={name} url={isBot ? model.config.bot.avatar_url : agent?.avatar_url} isBot={isBot} size={38} />
      <div class="who">
        <h1 class="ellipsis">
          <bdi>{name}</bdi>
        </h1>
        <p class={`status ${tone}`}>{status}</p>
      </div>
      <button
        type="button"
        class="round"
        aria-label={words.t("menu")}
        aria-haspopup="menu"
        aria-expanded={menuOpen}
        onClick={() => model.screen.patch({ menuOpen: !menuOpen })}
      >
        <Icon name="more" />
      </button>
      <button type="button" class="round" aria-label={words.t("close")} onClick={() => model.host.close()}>
        <Icon name="close" />
      </button>
      {menuOpen && <Menu />}
    </header>
  );
}

function standing({ conversation, link, handoffAsked }: ChatState, words: Words): [string, string] {
  const { state } = conversation;
  if (link === "offline" || link === "connecting") return ["", words.t("connecting")];
  if (state === "closed") return ["", words.t("status.closed")];
  if (state === "human") return ["online", words.t("status.human")];
  if (state === "waiting" || handoffAsked) return ["busy", words.t("status.waiting")];
  return ["online", words.t("status.bot")];
}

interface Entry {
  readonly icon: IconName;
  readonly label: string;
  readonly act: () => void;
}

function useEntries(): readonly Entry[] {
  const model = useModel();
  const { conversation } = useChat();
  const { soundOn, config } = useScreen();
  const { t } = useWords();
  const { state, id } = conversation;
  const isOpen = id !== null && state !== "closed";
  const entries: (Entry | false)[] = [
    config.features.handoff &&
      (state === "bot" || id === null) && { icon: "person", label: t("handoff.ask"), act: () => model.askForPerson() },
    id !== null && { icon: "plus", label: t("menu.new"), act: () => model.begin() },
    { icon: "clock", label: t("menu.list"), act: () => model.show("list") },
    { icon: "ticket", label: t("menu.ticket"), act: () => model.show("ticket") },
    config.features.transcript &&
      id !== null && { icon: "download", label: t("menu.transcript"), act: () => model.show("transcript") },
    {
      icon: soundOn ? "mute" : "sound",
      label: t(soundOn ? "menu.soundOff" : "menu.soundOn"),
      act: () => model.setSound(!soundOn),
    },
    isOpen && {
      icon: "finish",
      label: t("menu.finish"),
      act: () => {
        model.client.finish();
        model.show("chat");
      },
    },
  ];
  return entries.filter((entry) => entry !== false);
}

function Menu(): JSX.Element {
  const model = useModel();
  const entries = useEntries();
  const list = useRef<HTMLDivElement>(null);
  const close = () => model.screen.patch({ menuOpen: false });
  useLayoutEffect(() => {
    const opener = focusedWithin(list.current);
    list.current?.querySelector("button")?.focus();
    return () => opener?.isConnected && opener.focus();
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") close();
    if (to === undefined) return;
    event.preventDefault();
    buttons.at(to % buttons.length)?.focus();
  };
  return (
    <>
      {/* biome-ignore lint/a11y: a press beside the menu closes it; with the keyboard Escape does */}
      <div class="scrim" onClick={close} />
      <div class="menu" role="menu" ref={list} onKeyDown={onKeyDown}>
        {entries.map(({ icon, label, act }) => (
          <button key={icon} type="button" role="menuitem" tabIndex={-1} onClick={act}>
            <Icon name={icon} size={18} />
            {label}
          </button>
        ))}
      </div>
    </>
  );
}
