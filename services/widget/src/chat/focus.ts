const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled):not([hidden]), select, textarea:not(:disabled), [tabindex="0"]';

/** Return the focused element of the shadow tree that an element is in. */
export function focusedWithin(element: Element | null): HTMLElement | null {
  const root = element?.getRootNode();
  return root instanceof ShadowRoot ? (root.activeElement as HTMLElement | null) : null;
}

/** Keep Tab within an element that covers the whole screen. */
export function trapFocus(within: HTMLElement, event: KeyboardEvent): void {
  const all = [...within.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((element) => element.offsetParent !== null);
  const active = focusedWithin(within);
  const [first, last] = [all[0], all.at(-1)];
  const leaves = event.shiftKey ? active === first || active === within : active === last;
  if (!leaves) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}

/** Remember which element has the focus: none once the visitor has left it, but still one that went from under them. */
export function followFocus(panel: HTMLElement, pressed: { current: Element | null }): () => void {
  const gained = ({ target }: FocusEvent) => {
    pressed.current = target as Element;
  };
  const lost = ({ target }: FocusEvent) =>
    queueMicrotask(() => {
      if ((target as Element).isConnected && pressed.current === target) pressed.current = null;
    });
  panel.addEventListener("focusin", gained);
  panel.addEventListener("focusout", lost);
  return () => {
    panel.removeEventListener("focusin", gained);
    panel.removeEventListener("focusout", lost);
  };
}
