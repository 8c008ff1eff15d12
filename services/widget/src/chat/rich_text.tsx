/** Markdown as elements: only those named here can come to be, with text for content. */

import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type Block, parseMarkdown } from "../markdown/blocks";
import type { Inline } from "../markdown/inline";

interface RichTextProps {
  readonly text: string;
  /** Makes the mark of a citation; null leaves its number as it was written. */
  readonly cite: (index: number) => JSX.Element | null;
}

export function RichText({ text, cite }: RichTextProps): JSX.Element {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return <div class="rich">{blocks.map((block) => blockElement(block, cite, "auto"))}</div>;
}

type Cite = RichTextProps["cite"];

// Positions are stable while a text grows at its end, so children need no keys of their own.
// A block has the direction of its first strong letter; what is within it goes along, or its marks would stand elsewhere.
function blockElement(block: Block, cite: Cite, dir?: "auto"): JSX.Element {
  switch (block.kind) {
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
        <pre dir="ltr" tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return <blockquote dir={dir}>{block.blocks.map((inner) => blockElement(inner, cite))}</blockquote>;
    case "heading":
      return (
        <p dir={dir} class="heading">
          {inlines(block.children, cite)}
        </p>
      );
    case "list":
      return listElement(block, cite, dir);
    case "paragraph":
      return <p dir={dir}>{inlines(block.children, cite)}</p>;
  }
}

function listElement({ start, items }: Block & { kind: "list" }, cite: Cite, dir?: "auto"): JSX.Element {
  const children = items.map((item, index) => <li key={index}>{tight(item, cite)}</li>);
  return start === null ? (
    <ul dir={dir}>{children}</ul>
  ) : (
    <ol dir={dir} start={start}>
      {children}
    </ol>
  );
}

/** An item of one paragraph is its text alone. */
function tight(item: readonly Block[], cite: Cite): ComponentChildren {
  return item.map((block, index) =>
    index === 0 && block.kind === "paragraph" ? inlines(block.children, cite) : blockElement(block, cite),
  );
}

function inlines(nodes: readonly Inline[], cite: Cite): ComponentChildren {
  return nodes.map((node) => inlineElement(node, cite));
}

function inlineElement(node: Inline, cite: Cite): ComponentChildren {
  switch (node.kind) {
    case "text":
      return node.text;
    case "break":
      return <br />;
    case "code":
      return <code dir="ltr">{node.text}</code>;
    case "link":
      return <SafeLink href={node.href}>{inlines(node.children, cite)}</SafeLink>;
    case "citation":
      return cite(node.index) ?? `[${node.index}]`;
    case "strong":
      return <strong>{inlines(node.children, cite)}</strong>;
    case "em":
      return <em>{inlines(node.children, cite)}</em>;
    case "del":
      return <del>{inlines(node.children, cite)}</del>;
  }
}

/** A link that tells the other page nothing of this one. */
export function SafeLink(props: {
  readonly href: string;
  readonly children: ComponentChildren;
  readonly class?: string;
}): JSX.Element {
  return (
    <a href={props.href} class={props.class} target="_blank" rel="noopener noreferrer nofollow" dir="auto">
      {props.children}
    </a>
  );
}
