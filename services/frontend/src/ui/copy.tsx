/** Text to take away: a secret that is shown once, a snippet, an address. */
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { IconButton } from "./button";

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useLanguage();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <IconButton label={copied ? t("action.copied") : (label ?? t("action.copy"))} size="iconSm" onClick={copy}>
      {copied ? <Check className="size-3.5 text-good" aria-hidden /> : <Copy className="size-3.5" aria-hidden />}
    </IconButton>
  );
}

export function CodeBox({ text, label, className }: { text: string; label: string; className?: string }) {
  return (
    <div className={cx("flex items-start gap-2 rounded-lg border bg-sunken py-1.5 ps-3 pe-1.5", className)}>
      <figure
        aria-label={label}
        dir="ltr"
        className="min-w-0 flex-1 self-center py-1 text-start font-mono text-xs whitespace-pre-wrap"
      >
        {text}
      </figure>
      <CopyButton text={text} />
    </div>
  );
}
