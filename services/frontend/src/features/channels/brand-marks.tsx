/** A small mark for each type of channel: a letter on its colour; no provider's logo is copied. */
import { Code, Globe, Mail } from "lucide-react";
import { cx } from "@/lib/classes";

const MARKS: Record<string, readonly [string, string]> = {
  telegram: ["#2583c4", "T"],
  bale: ["#1f8a5f", "B"],
  whatsapp: ["#157a3f", "W"],
  messenger: ["#1a66d6", "M"],
  instagram: ["#b5326a", "I"],
  slack: ["#611f69", "S"],
  discord: ["#4a55c9", "D"],
  sms: ["#b3262d", "S"],
  line: ["#0b7d3e", "L"],
  viber: ["#6a52d9", "V"],
};

const ICONS = { web: Globe, email: Mail, webhook: Code } as const;

export function ChannelMark({ type, size = 28, className }: { type: string; size?: number; className?: string }) {
  const [colour, letter] = MARKS[type] ?? ["#5a5a66", ""];
  const Icon = ICONS[type as keyof typeof ICONS];
  return (
    <span
      aria-hidden
      className={cx("mark", className)}
      style={{ width: size, height: size, fontSize: size * 0.45, background: colour }}
    >
      {Icon ? <Icon style={{ width: size * 0.55, height: size * 0.55 }} /> : letter || type.slice(0, 1).toUpperCase()}
    </span>
  );
}
