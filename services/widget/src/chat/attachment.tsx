import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Attachment } from "../core/protocol";
import { useModel, useWords } from "./hooks";
import { Icon } from "./icons";

/** Kinds that a browser shows as pictures and that cannot hold a script. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const PREVIEW_BYTES = 8 * 1024 * 1024;

export function AttachmentView({ attachment }: { readonly attachment: Attachment }): JSX.Element {
  const { id, mime, size, name, status } = attachment;
  const isThere = status === "stored";
  const [picture, failed] = usePicture(isThere && PICTURES.has(mime) && size <= PREVIEW_BYTES ? id : null);
  const save = useSave(id, name);
  const words = useWords();
  if (!isThere) {
    return (
      <div class="file">
        <Icon name="file" />
        <span class="file-text">
          <span class="ellipsis">
            <bdi>{name}</bdi>
          </span>
          <small>{words.t(status === "refused" ? "file.refused" : "file.pending")}</small>
        </span>
      </div>
    );
  }
  if (picture) {
    return (
      <button type="button" class="picture" onClick={save} aria-label={words.t("file.download", { name })}>
        <img src={picture} alt={name} onError={failed} />
      </button>
    );
  }
  return (
    <button type="button" class="file" onClick={save} aria-label={words.t("file.download", { name })}>
      <Icon name="file" />
      <span class="file-text">
        <span class="ellipsis">
          <bdi>{name}</bdi>
        </span>
        <small>{words.bytes(size)}</small>
      </span>
      <Icon name="download" size={18} />
    </button>
  );
}

/** The picture as an address of this page: the bearer never stands in one. */
function usePicture(id: string | null): [string | null, () => void] {
  const { client } = useModel();
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!id) return;
    let made = "";
    let gone = false;
    client.api.attachment(client.token, id).then(
      (blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => {}, // shown as a file, which says why when it is pressed
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [id, client]);
  return [url, () => setUrl(null)];
}

function useSave(id: string, name: string): () => Promise<void> {
  const model = useModel();
  return async () => {
    try {
      saveAs(await model.client.api.attachment(model.client.token, id), name);
    } catch {
      model.toast(model.words.t("file.failed"));
    }
  };
}

/** Give a blob to the visitor as a file. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
