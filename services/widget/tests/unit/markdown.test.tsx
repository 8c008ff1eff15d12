// @vitest-environment happy-dom
import fc from "fast-check";
import { render } from "preact";
import { act } from "preact/test-utils";
import { describe, expect, it } from "vitest";
import { RichText } from "../../src/chat/rich_text";
import { withoutMarks } from "../../src/markdown/blocks";
import { safeHref } from "../../src/markdown/href";
import { XSS } from "../support/xss";

function html(text: string): string {
  const place = document.createElement("div");
  void act(() => render(<RichText text={text} cite={(index) => <sup>{index}</sup>} />, place));
  return place.innerHTML.replace(/^<div class="rich">|<\/div>$/g, "").replaceAll(' dir="auto"', "");
}
const LINK = 'target="_blank" rel="noopener noreferrer nofollow"';

describe("markdown", () => {
  it.each([
    ["one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"],
    [
      "**bold** *it* _it_ ~~no~~ `a*b*`",
      '<p><strong>bold</strong> <em>it</em> <em>it</em> <del>no</del> <code dir="ltr">a*b*</code></p>',
    ],
    ["snake_case_name and 2 * 3 * 4", "<p>snake_case_name and 2 * 3 * 4</p>"],
    ["***both***", "<p><strong><em>both</em></strong></p>"],
    ["\\*not\\*", "<p>*not*</p>"],
    ["# Title\ntext", '<p class="heading">Title</p><p>text</p>'],
    ["- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"],
    ["3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'],
    ["text\n1. a\n\n2. b", '<p>text</p><ol start="1"><li>a</li><li>b</li></ol>'],
    ["> quoted\n> more", "<blockquote><p>quoted<br>more</p></blockquote>"],
    ["```js\na < b\n```", '<pre dir="ltr" tabindex="0"><code>a &lt; b</code></pre>'],
    ["It left. [1][2]", "<p>It left. <sup>1</sup><sup>2</sup></p>"],
    ["[a](https://x.example/a_(b)?q=1)", `<p><a href="https://x.example/a_(b)?q=1" ${LINK}>a</a></p>`],
    [
      "see https://x.example/a, or (https://y.example).",
      `<p>see <a href="https://x.example/a" ${LINK}>https://x.example/a</a>, or (<a href="https://y.example/" ${LINK}>https://y.example</a>).</p>`,
    ],
    ["![a picture](https://x.example/a.png)", "<p>a picture</p>"],
    ["<b>bold</b> & co", "<p>&lt;b&gt;bold&lt;/b&gt; &amp; co</p>"],
    ["---", ""],
    ["** open", "<p>** open</p>"],
  ])("%j", (text, expected) => {
    expect(html(text)).toBe(expected);
  });

  it("is read aloud without its marks", () => {
    expect(withoutMarks("# Hi\n\n- **a** [1]\n- [b](https://x.example)")).toBe("Hi a b");
  });

  it("parses anything, fast", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."*_~`[]()<>!#-1. \n\\ahttps://"), maxLength: 300 }),
        (text) => void html(text),
      ),
    );
    const started = process.cpuUsage(); // of the processor: a busy machine adds to the clock on the wall
    for (const mark of ["*", "_", "[", "`", "> ", "- ", "((", "**a", "[a](", "<h", "h"])
      html(mark.repeat(8_000 / mark.length));
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(10_000);
  });
});

describe("what a message cannot do", () => {
  const ELEMENTS = new Set([
    "DIV",
    "P",
    "BR",
    "STRONG",
    "EM",
    "DEL",
    "CODE",
    "PRE",
    "UL",
    "OL",
    "LI",
    "BLOCKQUOTE",
    "A",
    "SUP",
  ]);
  const ATTRIBUTES = new Set(["class", "dir", "start", "tabindex", "href", "target", "rel"]);

  it.each(XSS)("%s", (attack) => {
    for (const text of [attack, `**${attack}**`, `- ${attack}`, `[x](${attack})`, `> ${attack}`]) {
      const place = document.createElement("div");
      void act(() => render(<RichText text={text} cite={() => null} />, place));
      for (const element of place.querySelectorAll("*")) {
        expect(ELEMENTS).toContain(element.tagName);
        for (const { name } of element.attributes) expect(ATTRIBUTES).toContain(name);
        const href = element.getAttribute("href");
        if (href !== null) expect(href).toMatch(/^(https?:|mailto:)/);
      }
    }
  });
});

describe("an address", () => {
  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "/relative",
    "//host",
    "",
    "blob:https://x/y",
  ])("that is not safe is none: %j", (address) => expect(safeHref(address)).toBeNull());

  it.each(["https://x.example/", "http://x.example/?a=1", "mailto:a@x.example"])("is opened: %s", (address) => {
    expect(safeHref(address)).toBe(address);
  });
});
