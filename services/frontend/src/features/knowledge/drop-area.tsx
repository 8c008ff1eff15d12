/** Files dropped here are sent one after the other, each with its progress and, where it failed, the reason. */
import { CircleAlert, CircleCheck, Upload, X } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { useLanguage } from "@/i18n";
import { cx } from "@/lib/classes";
import { IconButton } from "@/ui/button";
import { problemWords } from "@/ui/words";
import { uploadFile } from "./api";
import { Progress } from "./progress";

interface Sending {
  id: number;
  name: string;
  bytes: number;
  share: number;
  /** Why it was not taken, in words. */
  error: string | null;
  done: boolean;
}

interface Props {
  tenantId: string;
  brandId: string | undefined;
  onUploaded: () => unknown;
}

export function DropArea({ tenantId, brandId, onUploaded }: Props) {
  const { t } = useLanguage();
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<readonly Sending[]>([]);
  const queue = useRef(Promise.resolve());
  const nextId = useRef(0);
  const change = (id: number, part: Partial<Sending>) =>
    setSending((all) => all.map((each) => (each.id === id ? { ...each, ...part } : each)));
  const send = async (id: number, file: File) => {
    if (file.size === 0) return change(id, { error: t("reason.empty_file") });
    try {
      await uploadFile({ tenantId, brandId, tags: [], visibility: "public" }, file, (share) => change(id, { share }));
      change(id, { done: true, share: 1 });
      await onUploaded();
      setTimeout(() => setSending((all) => all.filter((each) => each.id !== id)), 3000);
    } catch (error) {
      change(id, { error: problemWords(asProblem(error), t) });
    }
  };
  const take = (files: Iterable<File>) => {
    for (const file of files) {
      nextId.current += 1;
      const id = nextId.current;
      setSending((all) => [...all, { id, name: file.name, bytes: file.size, share: 0, error: null, done: false }]);
      queue.current = queue.current.then(() => send(id, file));
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <section aria-label={t("knowledge.drop")} className="flex flex-col gap-2">
      <label
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
        className={cx(
          "flex cursor-pointer items-center justify-center gap-3 rounded-xl border border-dashed px-4 py-5 text-sm transition-colors",
          "hover:border-accent hover:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent",
          over ? "border-accent bg-accent-soft text-accent-text" : "border-line-strong text-ink-soft",
        )}
      >
        <Upload className="size-4 shrink-0" aria-hidden />
        <span>{t("knowledge.drop")}</span>
        <input
          id="knowledge-files"
          type="file"
          multiple
          className="sr-only"
          onChange={(event) => {
            take(event.target.files ?? []);
            event.target.value = "";
          }}
        />
      </label>
      {sending.length > 0 && (
        <ul className="flex flex-col divide-y rounded-xl border bg-panel">
          {sending.map((each) => (
            <SendingRow
              key={each.id}
              sending={each}
              onDismiss={() => setSending((all) => all.filter((other) => other.id !== each.id))}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function SendingRow({ sending, onDismiss }: { sending: Sending; onDismiss: () => void }) {
  const { t, format } = useLanguage();
  return (
    <li className="flex items-center gap-3 px-4 py-2">
      <div className="min-w-0 flex-1">
        <bdi className="block truncate text-sm font-medium">{sending.name}</bdi>
        <span className={cx("block text-xs", sending.error ? "text-bad" : "text-ink-faint")}>
          {sending.error ?? format.bytes(sending.bytes)}
        </span>
      </div>
      {sending.done && <CircleCheck className="size-4 text-good" aria-label={t("state.done")} />}
      {sending.error !== null && <CircleAlert className="size-4 text-bad" aria-hidden />}
      {!sending.done && sending.error === null && <Progress share={sending.share} label={t("knowledge.sending")} />}
      {sending.error !== null && (
        <IconButton label={t("action.dismiss")} size="iconSm" onClick={onDismiss}>
          <X className="size-3.5" aria-hidden />
        </IconButton>
      )}
    </li>
  );
}
