import type { JSX } from "preact";
import { inLanguage } from "../core/config";
import { Avatar } from "./avatar";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";

/** What stands where no message is yet: a greeting, and questions to press. */
export function Welcome(): JSX.Element {
  const model = useModel();
  const words = useWords();
  const replies = inLanguage(model.config.quick_replies, ...model.textLocales) ?? [];
  return (
    <section class="welcome">
      <Avatar name={model.botName} url={model.config.bot.avatar_url} isBot={true} size={52} />
      <h2>{words.t("greeting.title")}</h2>
      <p dir="auto">{model.greeting ?? words.t("greeting.text")}</p>
      {replies.length > 0 && (
        <div class="starters">
          {replies.map((reply) => (
            <button key={reply} type="button" class="starter" onClick={() => model.say(reply)}>
              <bdi>{reply}</bdi>
              <Icon name="next" size={16} />
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
