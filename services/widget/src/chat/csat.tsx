import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PhraseKey } from "../i18n";
import { useChat, useModel, useScreen, useWords } from "./hooks";
import { Outcome } from "./page";

const FACES = ["😞", "🙁", "😐", "🙂", "😀"] as const;

/** How was it? Asked once a conversation is finished. */
export function Csat(): JSX.Element | null {
  const { conversation } = useChat();
  const { rated, csatPrevented, config } = useScreen();
  const words = useWords();
  const { id, csatAsked } = conversation;
  if (!id || !csatAsked || csatPrevented || !config.features.csat) return null;
  if (rated[id]) return <Outcome class="line">{words.t("csat.thanks")}</Outcome>;
  return <CsatForm key={id} id={id} />;
}

function CsatForm({ id }: { readonly id: string }): JSX.Element {
  const model = useModel();
  const words = useWords();
  const [score, setScore] = useState(0);
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await model.client.api.rate(model.client.token, id, score, comment.trim());
      model.rated(id, score, comment.trim());
    } catch {
      model.toast(words.t("form.failed"));
      setBusy(false);
    }
  };
  return (
    <form class="card csat" onSubmit={send}>
      <fieldset>
        <legend>{words.t("csat.title")}</legend>
        <div class="faces">
          {FACES.map((face, index) => (
            <label key={face} class={score === index + 1 ? "face chosen" : "face"}>
              <input
                type="radio"
                name="score"
                value={index + 1}
                checked={score === index + 1}
                onChange={() => setScore(index + 1)}
                aria-label={words.t(`csat.${index + 1}` as PhraseKey)}
              />
              <span aria-hidden="true">{face}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {score > 0 && (
        <>
          <textarea
            dir={comment ? "auto" : words.direction}
            rows={2}
            maxLength={2000}
            value={comment}
            placeholder={words.t("csat.comment")}
            aria-label={words.t("csat.comment")}
            onInput={(event) => setComment(event.currentTarget.value)}
          />
          <button type="submit" class="primary" disabled={busy}>
            {words.t("csat.send")}
          </button>
        </>
      )}
    </form>
  );
}
