import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { renderIn } from "../../tests/render";
import { Markdown } from "./markdown";

const HOSTILE = [
  "<script>window.owned = true</script>",
  '<img src=x onerror="window.owned=true">',
  "<svg/onload=window.owned=true>",
  "[click](javascript:window.owned=true)",
  "[click](JaVaScRiPt:window.owned=true)",
  "[click](data:text/html,<script>window.owned=true</script>)",
  "![pixel](https://evil.example/pixel.png)",
  "<iframe src=//evil.example>",
  '<a href="javascript:owned=true">x</a>',
  "`<b>`**<i onclick=owned=true>**",
];

describe("hostile text", () => {
  it.each(HOSTILE)("stays text: %s", (text) => {
    const { container } = renderIn(<Markdown text={text} />);
    expect(container.querySelector("script, img, svg, iframe, object, [onerror], [onload], [onclick]")).toBeNull();
    for (const link of container.querySelectorAll("a"))
      expect(link.getAttribute("href")).toMatch(/^(https?:|mailto:|tel:)/);
  });
});

it("shows lists, emphasis, code and safe links", () => {
  renderIn(
    <Markdown
      text={"Steps:\n- **Open** the [page](https://example.com/a)\n- Run `xin token`\n\n```sh\nxin run\n```"}
    />,
  );
  expect(screen.getAllByRole("listitem")).toHaveLength(2);
  expect(screen.getByRole("link", { name: "page" })).toHaveAttribute("href", "https://example.com/a");
  expect(screen.getByRole("link", { name: "page" })).toHaveAttribute("rel", expect.stringContaining("noopener"));
  expect(screen.getByText("xin run").tagName).toBe("PRE");
});

it("keeps line breaks and the direction of the text", () => {
  const { container } = renderIn(<Markdown text={"سلام\nدنیا"} />);
  expect(container.querySelector("br")).not.toBeNull();
  expect(container.firstElementChild).toHaveAttribute("dir", "auto");
});
