/** `/embed.js`: reads the `data-*` of its own script tag and puts the widget on the page as `window.XinWidget`. */

import type { Widget, WidgetOptions } from "../public";
import type { ChatModule } from "./host";
import { createWidget } from "./widget";

declare global {
  interface Window {
    XinWidget?: Widget;
  }
}

function optionsOf(script: HTMLScriptElement): WidgetOptions {
  const { tenant, api, gateway, locale, brand, launcher, scheme, position } = script.dataset;
  const theme = {
    ...(scheme === "light" || scheme === "dark" || scheme === "auto" ? { scheme } : {}),
    ...(position === "left" || position === "right" ? { position } : {}),
  };
  return {
    tenantId: tenant ?? "",
    apiBaseUrl: api || new URL(script.src).origin,
    theme,
    ...(gateway ? { gatewayUrl: gateway } : {}),
    ...(locale && locale !== "auto" ? { locale } : {}),
    ...(brand ? { brandId: brand } : {}),
    ...(launcher === "none" ? { launcher: false } : {}),
    ...(script.nonce ? { nonce: script.nonce } : {}),
  } as WidgetOptions;
}

const script =
  (document.currentScript as HTMLScriptElement | null) ??
  document.querySelector<HTMLScriptElement>('script[data-tenant][src*="embed.js"]');

if (script && !window.XinWidget) {
  const chat = new URL(__CHAT_FILE__, script.src).href;
  const start = () => {
    const widget = createWidget(optionsOf(script), () => import(/* @vite-ignore */ chat) as Promise<ChatModule>);
    window.XinWidget = widget;
    // For pages whose own scripts run earlier: the widget is there now.
    window.dispatchEvent(new CustomEvent("xin-widget", { detail: widget }));
  };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start, { once: true });
}
