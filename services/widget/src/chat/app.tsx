import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { sideOf } from "../core/direction";
import { Banner } from "./banner";
import { Composer, useOfferFiles } from "./composer";
import { focusedWithin, followFocus, trapFocus } from "./focus";
import { PreChat, TicketForm, TranscriptForm } from "./forms";
import { Header } from "./header";
import { useChat, useMedia, useModel, useScreen, useWords } from "./hooks";
import { ConversationList } from "./list";
import { palette } from "./palette";
import { SourceSheet } from "./source";
import { Thread } from "./thread";

const TOAST_MS = 6_000;

/** The panel. */
export function App(): JSX.Element {
  const model = useModel();
  const screen = useScreen();
  const words = useWords();
  const isPhone = useMedia("(max-width: 480px)");
  const panel = useRef<HTMLDivElement>(null);
  // As the button: the widget may speak another language than the page's.
  const side = sideOf(model.theme, model.host.locale);
  usePalette();
  useViewport(isPhone && screen.open);

  const onKeyDown = (event: KeyboardEvent) => {
    // The page's own shortcuts see the host element, not the field within, and would take what is typed for theirs.
    event.stopPropagation();
    if (event.key === "Escape") stepBack();
    else if (event.key === "Tab" && isPhone && panel.current) trapFocus(panel.current, event);
  };
  const stepBack = () => {
    if (screen.menuOpen) model.screen.patch({ menuOpen: false });
    else if (screen.source) model.screen.patch({ source: null });
    else if (screen.view !== "chat") model.show("chat");
    else model.host.close();
  };
  return (
    <div
      ref={panel}
      class={`panel ${side}${screen.open ? " open" : ""}`}
      dir={words.direction}
      lang={words.locale}
      role="dialog"
      aria-modal={isPhone}
      aria-label={words.t("title", { name: model.botName })}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onKeyUp={(event) => event.stopPropagation()}
      onKeyPress={(event) => event.stopPropagation()}
    >
      <CurrentView />
      {screen.source && <SourceSheet key={screen.source.source_id + screen.source.index} source={screen.source} />}
      <Toast />
      <Announcer />
      <FocusKeeper panel={panel} isPhone={isPhone} />
    </div>
  );
}

function CurrentView(): JSX.Element {
  const { view } = useScreen();
  switch (view) {
    case "list":
      return <ConversationList />;
    case "ticket":
      return <TicketForm />;
    case "transcript":
      return <TranscriptForm />;
    case "chat":
      return <ChatView />;
  }
}

function ChatView(): JSX.Element {
  const { conversation, outbox } = useChat();
  const { introduced, config } = useScreen();
  const words = useWords();
  const offerFiles = useOfferFiles();
  const [dragged, setDragged] = useState(false);
  const asksFirst = !introduced && conversation.id === null && outbox.length === 0;
  const takesFiles = config.features.uploads && !asksFirst;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files dropped here have a button of their own, too
    <section
      class="page"
      onDragOver={(event) => {
        if (!takesFiles || !event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setDragged(true);
      }}
      onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node | null) || setDragged(false)}
      onDrop={(event) => {
        if (!takesFiles) return;
        event.preventDefault();
        setDragged(false);
        offerFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <Header />
      <Banner />
      {asksFirst ? <PreChat /> : <Thread />}
      {!asksFirst && <Composer />}
      {dragged && <div class="drop">{words.t("composer.drop")}</div>}
    </section>
  );
}

function Toast(): JSX.Element {
  const model = useModel();
  const { toast } = useScreen();
  useEffect(() => {
    if (!toast) return;
    const timer = setTimeout(() => model.toast(""), TOAST_MS);
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <p class={toast ? "toast shown" : "toast"} role="alert">
      {toast}
    </p>
  );
}

/** Colours go to the host element by script, which no style policy forbids. */
function usePalette(): void {
  const model = useModel();
  const { config } = useScreen();
  const isDark = useMedia("(prefers-color-scheme: dark)");
  useLayoutEffect(() => {
    const { theme } = model;
    const scheme = theme.scheme === "light" || theme.scheme === "dark" ? theme.scheme : isDark ? "dark" : "light";
    const { style } = model.host.root.host as HTMLElement;
    for (const [name, value] of Object.entries(palette(theme, scheme))) style.setProperty(name, value);
    style.setProperty("--radius", `${theme.radius ?? 18}px`);
    style.setProperty("color-scheme", scheme, "important");
  }, [config, isDark]);
}

/** On a phone the panel is what the keyboard leaves of the screen. */
function useViewport(active: boolean): void {
  const { host } = useModel();
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!active || !viewport) return;
    const { style } = host.root.host as HTMLElement;
    const resize = () => {
      style.setProperty("--height", `${viewport.height}px`);
      style.setProperty("--top", `${viewport.offsetTop}px`);
    };
    resize();
    viewport.addEventListener("resize", resize);
    viewport.addEventListener("scroll", resize);
    return () => {
      viewport.removeEventListener("resize", resize);
      viewport.removeEventListener("scroll", resize);
      style.removeProperty("--height");
      style.removeProperty("--top");
    };
  }, [active]);
}

/** What is told to those who listen: whole messages, not each of their words. */
function Announcer(): JSX.Element {
  const { announcement } = useScreen();
  return (
    <p class="hidden" aria-live="polite">
      {announcement || null}
    </p>
  );
}

interface FocusKeeperProps {
  readonly panel: { readonly current: HTMLDivElement | null };
  readonly isPhone: boolean;
}

/** The open panel has the focus: in its composer or, on a phone, where that would raise the keyboard, itself. */
function FocusKeeper({ panel, isPhone }: FocusKeeperProps): null {
  const { open, view } = useScreen();
  const { state } = useChat().conversation;
  const pressed = useRef<Element | null>(null);
  const take = (element: HTMLElement) => {
    const first = (what: string) => element.querySelector<HTMLElement>(what);
    const field = isPhone ? null : (first("textarea, input:not([hidden])") ?? first("button"));
    (field ?? element).focus({ preventScroll: true });
  };
  // A page that was left and a composer that is no more took the focus with them.
  useLayoutEffect(() => {
    const element = panel.current;
    if (open && element && !element.contains(focusedWithin(element))) take(element);
  }, [open, isPhone, view, state]);
  useEffect(() => {
    const element = panel.current;
    return element ? followFocus(element, pressed) : undefined;
  }, [panel]);
  // So did a button that went when it was pressed: without it the next key would begin at the top of the page.
  useEffect(() => {
    const element = panel.current;
    if (!open || !element || !pressed.current || pressed.current.isConnected) return;
    pressed.current = null;
    if (document.activeElement === document.body) take(element);
  });
  return null;
}
