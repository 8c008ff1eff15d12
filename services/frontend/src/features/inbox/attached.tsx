/** Files that go along with the next message. */
import { FileText, Paperclip, X } from "lucide-react";
import { useRef, useState } from "react";
import { useLanguage } from "@/i18n";
import { IconButton } from "@/ui/button";
import { toast } from "@/ui/toast";
import { type UploadedFile, uploadFor } from "./attach";

interface AttachButtonProps {
  conversationId: string;
  onAttached: (file: UploadedFile) => void;
}

export function AttachButton({ conversationId, onAttached }: AttachButtonProps) {
  const { t } = useLanguage();
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const attach = async (file: File | undefined) => {
    if (!file) return;
    setBusy(true);
    await uploadFor(conversationId, file).then(onAttached).catch(toast.failed);
    setBusy(false);
  };
  return (
    <>
      <IconButton size="iconSm" busy={busy} label={t("inbox.attach")} onClick={() => input.current?.click()}>
        {!busy && <Paperclip className="size-4" aria-hidden />}
      </IconButton>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("inbox.attach")}
        onChange={(event) => {
          void attach(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
    </>
  );
}

interface AttachedFilesProps {
  files: readonly UploadedFile[];
  onRemove: (id: string) => void;
}

export function AttachedFiles({ files, onRemove }: AttachedFilesProps) {
  const { t } = useLanguage();
  if (files.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-1.5 px-2.5 pb-2">
      {files.map((file) => (
        <li
          key={file.id}
          className="flex max-w-full items-center gap-1.5 rounded-md bg-sunken py-0.5 ps-2 pe-0.5 text-xs"
        >
          <FileText className="size-3.5 shrink-0 text-ink-faint" aria-hidden />
          <bdi className="truncate">{file.name}</bdi>
          <IconButton size="iconSm" label={`${t("action.remove")}: ${file.name}`} onClick={() => onRemove(file.id)}>
            <X className="size-3" aria-hidden />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}
