/** A host page in TypeScript: compiled in tests, never run. */
import { createWidget, type Widget, type WidgetEvent } from "@xin-platform/widget-sdk";

const widget: Widget = createWidget({
  tenantId: "00000000-0000-4000-8000-000000000001",
  apiBaseUrl: "https://api.example.com",
  gatewayUrl: "wss://gateway.example.com",
  locale: "fa",
  theme: { primary: "#ff3366", position: "left", scheme: "auto" },
  token: async () => (await fetch("/my/token")).text(),
});

const stop: () => void = widget.on("message", ({ message }) => {
  const words: string = `${message.role}: ${message.text} (${message.seq})`;
  console.log(words);
});
stop();

widget.on("open", (event) => event.preventDefault());
widget.on("retry", ({ what, attempt, delayMs, count }) =>
  console.log(what satisfies string, attempt + delayMs + count),
);
widget.on("csat", (event) => {
  if (event.phase === "given") console.log(event.score.toFixed(), event.comment);
  else event.preventDefault();
});
widget.on("*", (event: WidgetEvent) => {
  switch (event.type) {
    case "state":
      return console.log(event.agent?.name, event.queue?.position);
    case "error":
      return console.log(event.code, event.fatal);
    case "unread":
      return console.log(event.count);
    case "ready":
      return console.log(event.version, event.conversationId);
    default:
      return undefined;
  }
});
widget.identify({ token: "…", expires_at: null });
widget.identify(null);
widget.setLocale("es-MX");
widget.toggle();
widget.destroy();

// @ts-expect-error no such event
widget.on("opened", () => {});
// @ts-expect-error a message is told when it is there: nothing is left to prevent
widget.on("message", (event) => event.preventDefault());
// @ts-expect-error the tenant is needed
createWidget({ apiBaseUrl: "https://api.example.com" });
// @ts-expect-error the state is the widget's
widget.isOpen = true;
