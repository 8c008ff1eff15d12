/** A tenant and the configuration of its widget. */

import type { WidgetConfig } from "../../src/core/config";

export const TENANT = "00000000-0000-4000-8000-000000000001";

export const CONFIG: WidgetConfig = {
  brand_name: "Acme",
  bot: {
    display_name: "Acme",
    avatar_url: null,
    greeting: { en: "Ask about orders, delivery and returns.", fa: "دربارهٔ سفارش، ارسال و بازگشت کالا بپرسید." },
  },
  theme: { primary: "#3b4cca", radius: null, launcher_label: {} },
  locales: ["en", "fa", "es"],
  default_locale: "en",
  features: { uploads: true, handoff: true, csat: true, transcript: true, sound: true },
  uploads: { max_bytes: 1024 * 1024, types: [".pdf", ".png", ".txt"] },
  pre_chat: { enabled: false, fields: [] },
  quick_replies: {
    en: ["Where is my order?", "How do I return something?", "Do you deliver abroad?"],
    fa: ["سفارش من کجاست؟", "چطور کالا را پس بدهم؟", "به خارج هم می‌فرستید؟"],
  },
  hours: { open_now: true, next_open_at: null, message: {} },
  mail: true,
  gateway_url: "",
};
