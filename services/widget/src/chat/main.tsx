/** The chat: what the shell loads when somebody wants to talk. */

import { render } from "preact";
import type { Chat, ChatHost } from "../shell/host";
import { App } from "./app";
import { followChanges } from "./effects";
import { Model } from "./hooks";
import { ChatModel } from "./model";
import styles from "./styles";

/** Start the chat in the shell's shadow root. */
export function startChat(host: ChatHost): Chat {
  for (const sheet of styles) host.adopt(sheet);
  const model = new ChatModel(host);
  const stop = followChanges(model);
  const place = document.createElement("div");
  host.root.prepend(place);
  const probe = () => model.client.probe();
  const onShown = () => document.hidden || probe();
  addEventListener("online", probe);
  addEventListener("offline", probe);
  document.addEventListener("visibilitychange", onShown);
  let wanted = false;
  const words = model.speak(host.locale).then(() => {
    render(
      <Model.Provider value={model}>
        <App />
      </Model.Provider>,
      place,
    );
  });
  model.client.start();
  return {
    show() {
      wanted = true;
      // Two frames later, so that the panel is there to be opened smoothly.
      void words.then(() => requestAnimationFrame(() => wanted && model.screen.patch({ open: true })));
    },
    hide() {
      wanted = false;
      model.screen.patch({ open: false, menuOpen: false });
    },
    identify: (source) => model.identify(source),
    setLocale: (locale) => void model.speak(locale),
    destroy() {
      removeEventListener("online", probe);
      removeEventListener("offline", probe);
      document.removeEventListener("visibilitychange", onShown);
      stop();
      model.client.destroy();
      render(null, place);
    },
  };
}
