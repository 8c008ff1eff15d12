import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Citation } from "../core/protocol";
import { safeHref } from "../markdown/href";
import { focusedWithin } from "./focus";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";
import { SafeLink } from "./rich_text";

/** A source of an answer: what it says, and where. It lies over the chat until it is closed. */
export function SourceSheet({ source }: { readonly source: Citation }): JSX.Element {
  const model = useModel();
  const words = useWords();
  const sheet = useRef<HTMLElement>(null);
  const href = safeHref(source.url);
  const close = () => model.screen.patch({ source: null });
  useLayoutEffect(() => {
    const opener = focusedWithin(sheet.current);
    sheet.current?.focus();
    return () => opener?.isConnected && opener.focus();
  }, []);
  return (
    <>
      {/* biome-ignore lint/a11y: a press beside the sheet closes it; with the keyboard Escape does */}
      <div class="scrim dim" onClick={close} />
      <section
        class="sheet"
        ref={sheet}
        tabIndex={-1}
        role="dialog"
        aria-label={words.t("source.number", { n: source.index, title: source.title })}
      >
        <header>
          <span class="source-number">{words.number(source.index)}</span>
          <h2 dir="auto">{source.title}</h2>
          <button type="button" class="round" aria-label={words.t("close")} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        <blockquote dir="auto">{source.passage}</blockquote>
        {href && (
          <SafeLink href={href} class="secondary">
            {words.t("source.open")}
            <Icon name="link" size={16} />
          </SafeLink>
        )}
      </section>
    </>
  );
}
