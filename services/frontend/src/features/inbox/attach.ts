/** Puts a file with the platform; the message that names its id takes it along. */
import { authorizedFetch, type Body } from "@/api/client";
import { Problem } from "@/api/problem";

export interface UploadedFile {
  id: string;
  name: string;
}

export async function uploadFor(conversationId: string, file: File): Promise<UploadedFile> {
  const form = new FormData();
  form.set("file", file, file.name);
  const url = new URL(`/admin/conversations/${conversationId}/attachments`, location.origin);
  const response = await authorizedFetch(new Request(url, { method: "POST", body: form }));
  if (!response.ok) throw Problem.from(response, await response.json().catch(() => null));
  const { id } = (await response.json()) as Body<"AttachmentView">;
  return { id, name: file.name };
}
