import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { safeHref } from "../markdown/href";
import { Icon } from "./icons";

interface AvatarProps {
  readonly name: string;
  readonly url: string | null | undefined;
  /** A machine without a picture is shown as a spark, a person as initials. */
  readonly isBot: boolean;
  readonly size?: number;
}

/** A face, or what stands for one. The name is told beside it, so this is decoration. */
export function Avatar({ name, url, isBot, size = 32 }: AvatarProps): JSX.Element {
  const [broken, setBroken] = useState<string | null>(null);
  const href = safeHref(url);
  return (
    <span class="avatar" style={{ inlineSize: `${size}px`, blockSize: `${size}px` }} aria-hidden="true">
      {href && broken !== href ? (
        <img src={href} alt="" referrerpolicy="no-referrer" onError={() => setBroken(href)} />
      ) : isBot ? (
        <Icon name="spark" size={Math.round(size * 0.56)} />
      ) : (
        <span style={{ fontSize: `${Math.round(size * 0.4)}px` }}>{initials(name)}</span>
      )}
    </span>
  );
}

/** Two letters of a name; one in scripts that join theirs. */
export function initials(name: string): string {
  const letters = name
    .trim()
    .split(/\s+/)
    .map((word) => [...word][0] ?? "");
  const [first = "", last = ""] = [letters[0], letters.length > 1 ? letters.at(-1) : ""];
  return /\p{Script=Arabic}/u.test(first) ? first : (first + last).toUpperCase();
}
