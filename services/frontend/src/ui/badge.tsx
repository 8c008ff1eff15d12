/** Small marks: a state in a word, a face, a key of the keyboard. */
import { UserRound } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "@/lib/classes";

const TONES = {
  neutral: "bg-sunken text-ink-soft",
  accent: "bg-accent-soft text-accent-text",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
} as const;

export type Tone = keyof typeof TONES;

export function Badge({
  tone = "neutral",
  className,
  children,
}: {
  tone?: Tone;
  className?: string;
  children: ReactNode;
}) {
  return <span className={cx("badge", TONES[tone], className)}>{children}</span>;
}

const DOTS = { neutral: "bg-ink-faint", accent: "bg-accent", good: "bg-good", warn: "bg-warn", bad: "bg-bad" } as const;

export function Dot({ tone = "neutral", className }: { tone?: Tone; className?: string }) {
  return <span aria-hidden className={cx("dot", DOTS[tone], className)} />;
}

/** Each stands out from white letters by 4.5 : 1 at least (WCAG 2.2, 1.4.3). */
export const FACES = ["#5364d6", "#0f7a6d", "#a2591a", "#9a3d8f", "#3f7d2b", "#b3404a", "#4a6a8a", "#6d55b5"];

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return words
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}

interface AvatarProps {
  name: string;
  /** Nobody told us a name: a silhouette in place of letters. */
  anonymous?: boolean;
  size?: number;
  className?: string;
}

/** A face: initials on a colour of the name's own. The page's policy lets no picture of another host in. */
export function Avatar({ name, anonymous = false, size = 28, className }: AvatarProps) {
  const sum = [...name].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0);
  return (
    <span
      aria-hidden
      className={cx("avatar", className)}
      style={{ width: size, height: size, fontSize: size * 0.38, background: FACES[sum % FACES.length] }}
    >
      {anonymous ? (
        <UserRound style={{ width: size * 0.55, height: size * 0.55 }} />
      ) : (
        <bdi>{initials(name) || "?"}</bdi> // else `S&` is drawn `&S` from right to left
      )}
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-4.5 min-w-4.5 items-center justify-center rounded border bg-sunken px-1 font-sans text-2xs text-ink-soft">
      {children}
    </kbd>
  );
}
