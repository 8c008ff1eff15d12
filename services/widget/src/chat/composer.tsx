import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { whyRefused } from "./files";
import { useChat, useMedia, useModel, useScreen, useWords } from "./hooks";
import { Icon } from "./icons";

const MAX_CHARACTERS = 8_000;
const TALLEST_PX = 132;

/** Where the visitor writes; the draft stays while the chat is closed and open again. */
export function Composer(): JSX.Element {
  const model = useModel();
  const { conversation, link } = useChat();
  const { open, config, draft: text } = useScreen();
  const words = useWords();
  const isPhone = useMedia("(max-width: 480px)");
  const field = useRef<HTMLTextAreaElement>(null);
  const setText = (draft: string) => model.screen.patch({ draft });
  const over = [...text].length - MAX_CHARACTERS;
  const ready = text.trim() !== "" && over <= 0;

  // On a phone the keyboard would cover what was just opened. At once: later it would take the focus from a launcher that was
  // pressed meanwhile, and lose it with the panel.
  useLayoutEffect(() => {
    if (open && !isPhone) field.current?.focus({ preventScroll: true });
  }, [open, isPhone]);
  useEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.blockSize = "auto";
    area.style.blockSize = `${Math.min(TALLEST_PX, area.scrollHeight)}px`;
  }, [text]);

  const send = (event?: Event) => {
    event?.preventDefault();
    if (!ready) return;
    model.say(text.trim());
    model.client.typing(false);
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the composition of a character: that is no message yet.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || !config.features.uploads) return;
    event.preventDefault();
    offerFiles(files);
  };
  const offerFiles = useOfferFiles();

  if (conversation.state === "closed" && conversation.id !== null) {
    return (
      <footer class="composer finished">
        <button type="button" class="primary" onClick={() => model.begin()}>
          {words.t("menu.new")}
        </button>
      </footer>
    );
  }
  return (
    <footer class="composer">
      <form class="box" onSubmit={send}>
        {config.features.uploads && <AttachButton onFiles={offerFiles} />}
        <textarea
          ref={field}
          // An empty field has the direction of its placeholder.
          dir={text ? "auto" : words.direction}
          rows={1}
          value={text}
          enterkeyhint="send"
          placeholder={words.t("composer.placeholder")}
          aria-label={words.t("composer.placeholder")}
          aria-invalid={over > 0}
          disabled={link === "refused"}
          onInput={(event) => {
            setText(event.currentTarget.value);
            model.client.typing(event.currentTarget.value !== "");
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <button type="submit" class="send" disabled={!ready} aria-label={words.t("composer.send")}>
          <Icon name="send" />
        </button>
      </form>
      {over > 0 && (
        <p class="error-text" role="alert">
          {words.t("composer.tooLong", { n: over })}
        </p>
      )}
    </footer>
  );
}

/** Send files, or say why one is not taken. */
export function useOfferFiles(): (files: readonly File[]) => void {
  const model = useModel();
  return (files) => {
    for (const file of files) {
      const why = whyRefused(file, model.config, model.words);
      if (why) model.toast(why);
      else model.sendFile(file);
    }
  };
}

function AttachButton({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }): JSX.Element {
  const { config } = useScreen();
  const words = useWords();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={config.uploads.types.join(",")}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      <button
        type="button"
        class="round"
        aria-label={words.t("composer.attach")}
        onClick={() => input.current?.click()}
      >
        <Icon name="attach" />
      </button>
    </>
  );
}
