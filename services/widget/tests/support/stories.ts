/** What is said in tests and on screenshots. */

import type { Answer } from "./conversations";

const source = (index: number, title: string, url: string, passage: string) => ({
  index,
  source_id: `0199c7a2-0000-7000-8000-00000000000${index}`,
  title,
  url,
  passage,
});

export const RETURNS: Answer = {
  text: "You can send anything back within **30 days** of delivery. [1]\n\n1. Open *Your orders* and choose **Return**.\n2. Print the label, or show the code at the counter.\n3. Your money is back within 5 days. [2]",
  citations: [
    source(
      1,
      "Returns and refunds",
      "https://www.example.com/returns",
      "Unused goods may be returned within 30 days of delivery. Shipping back is free within the country when you use the label from your account.",
    ),
    source(
      2,
      "How refunds are paid",
      "https://www.example.com/refunds",
      "Refunds are paid to the card you paid with within five working days.",
    ),
  ],
};

export const RETURNS_FA: Answer = {
  text: "تا **۳۰ روز** پس از تحویل می‌توانید کالا را پس بفرستید. [1]\n\n1. در *سفارش‌های من* گزینهٔ **بازگشت** را بزنید.\n2. برچسب را چاپ کنید یا کد `RET-204` را نشان دهید.\n3. پول شما تا ۵ روز کاری برمی‌گردد. [2]",
  citations: [
    source(
      1,
      "بازگشت کالا و پول",
      "https://www.example.com/fa/returns",
      "کالای استفاده‌نشده تا سی روز پس از تحویل پس گرفته می‌شود. هزینهٔ ارسال با ماست.",
    ),
    source(
      2,
      "بازپرداخت با PayPal و کارت",
      "https://www.example.com/fa/refunds",
      "مبلغ ظرف پنج روز کاری به همان کارت برمی‌گردد.",
    ),
  ],
};
