import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";

/** A page of the panel beside the chat, with the way back. */
export function Page({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const model = useModel();
  const words = useWords();
  const back = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => back.current?.focus(), []);
  return (
    <section class="page" aria-label={title}>
      <header class="header">
        <button ref={back} type="button" class="round" aria-label={words.t("back")} onClick={() => model.show("chat")}>
          <Icon name="back" />
        </button>
        <h1 class="who">{title}</h1>
        <button type="button" class="round" aria-label={words.t("close")} onClick={() => model.host.close()}>
          <Icon name="close" />
        </button>
      </header>
      <div class="page-body">{children}</div>
    </section>
  );
}

/** What took the place of a form: it takes the focus, too, which would be lost with the button that was pressed. */
export function Outcome(props: { readonly class: string; readonly children: ComponentChildren }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => place.current?.focus({ preventScroll: true }), []);
  return (
    <div ref={place} class={props.class} role="status" tabIndex={-1}>
      {props.children}
    </div>
  );
}
