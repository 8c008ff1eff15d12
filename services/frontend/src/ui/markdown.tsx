/**
 * Markdown of messages as React elements: what is text stays text, so nothing a visitor or a document wrote becomes
 * markup. No HTML, no pictures; links only to web, mail and telephone.
 */
import { Fragment, type ReactNode } from "react";

const INLINE =
  /(`[^`\n]+`)|(\*\*[^*\n]+\*\*)|(\*[^*\s][^*\n]*\*|_[^_\s][^_\n]*_(?!\w))|(\[[^\]\n]+\]\([^()\s]+\))|(https?:\/\/[^\s<>"'()[\]]+)/;
const SAFE_LINK = /^(https?:\/\/|mailto:|tel:)/i;

function Link({ to, children }: { to: string; children: ReactNode }) {
  if (!SAFE_LINK.test(to)) return children;
  return (
    <a
      href={to}
      target="_blank"
      rel="noreferrer noopener nofollow"
      className="text-accent-text underline underline-offset-2"
    >
      {children}
    </a>
  );
}

function marked(token: string, key: number): ReactNode {
  if (token.startsWith("`")) {
    return (
      <code key={key} dir="ltr" className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.92em]">
        {token.slice(1, -1)}
      </code>
    );
  }
  if (token.startsWith("**")) return <strong key={key}>{inline(token.slice(2, -2))}</strong>;
  const link = /^\[([^\]]+)\]\(([^()\s]+)\)$/.exec(token);
  if (link) {
    return (
      <Link key={key} to={link[2] ?? ""}>
        {link[1]}
      </Link>
    );
  }
  if (SAFE_LINK.test(token)) {
    return (
      <Link key={key} to={token}>
        {token}
      </Link>
    );
  }
  return <em key={key}>{inline(token.slice(1, -1))}</em>;
}

function inline(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) parts.push(rest.slice(0, found.index));
    parts.push(marked(found[0], parts.length));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) parts.push(rest);
  return parts;
}

function lines(text: string): ReactNode {
  return text.split("\n").map((line, index) => (
    <Fragment key={index}>
      {index > 0 && <br />}
      {inline(line)}
    </Fragment>
  ));
}

const BULLET = /^\s*[-*•]\s+/;
const NUMBER = /^\s*\d+[.)]\s+/;

function block(text: string, key: number): ReactNode {
  const rows = text.split("\n");
  const heading = /^#{1,6}\s+(.*)$/.exec(text);
  if (heading && rows.length === 1)
    return (
      <p key={key} className="font-semibold">
        {inline(heading[1] ?? "")}
      </p>
    );
  for (const [pattern, Tag, look] of [
    [BULLET, "ul", "list-disc"],
    [NUMBER, "ol", "list-decimal"],
  ] as const) {
    if (rows.every((row) => pattern.test(row))) {
      return (
        <Tag key={key} className={`${look} ps-5`}>
          {rows.map((row, index) => (
            <li key={index}>{inline(row.replace(pattern, ""))}</li>
          ))}
        </Tag>
      );
    }
  }
  return <p key={key}>{lines(text)}</p>;
}

interface Block {
  code: boolean;
  text: string;
}

/** Splits into blocks; code between fences stays as it is, lists stand apart from the words around them. */
function blocks(text: string): Block[] {
  return text.split(/```(?:\w*\n)?/).flatMap((part, index): Block[] => {
    if (index % 2 === 1) return [{ code: true, text: part.replace(/\n$/, "") }];
    return part
      .replace(/^(?!\s*(?:[-*•]|\d+[.)])\s)(.*\S.*)\n(?=\s*(?:[-*•]|\d+[.)])\s)/gm, "$1\n\n")
      .split(/\n\s*\n/)
      .filter((each) => each.trim())
      .map((each) => ({ code: false, text: each.replace(/^\n+|\s+$/g, "") }));
  });
}

export function Markdown({ text }: { text: string }) {
  return (
    <div dir="auto" className="flex flex-col gap-2">
      {blocks(text).map((each, index) =>
        each.code ? (
          <pre
            key={index}
            dir="ltr"
            className="scroll-quiet overflow-x-auto rounded-md bg-sunken p-2 font-mono text-xs"
          >
            {each.text}
          </pre>
        ) : (
          block(each.text, index)
        ),
      )}
    </div>
  );
}
