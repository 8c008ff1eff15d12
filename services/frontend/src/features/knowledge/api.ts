/** Calls of the knowledge pages. */
import { api, authorizedFetch, type Body, call } from "@/api/client";
import { Problem } from "@/api/problem";
import { session } from "@/auth/session";

export type Source = Body<"SourceView">;
export type Job = Body<"JobView">;
export type Passage = Body<"PassageView">;
export type SourceStatus = Source["status"];

export interface SourceFilter {
  brandId: string | undefined;
  status: SourceStatus | undefined;
  tag: string | undefined;
}

export function listSources(tenantId: string, filter: SourceFilter, cursor: string | undefined) {
  const query = {
    tenant_id: tenantId,
    ...(filter.brandId && { brand_id: filter.brandId }),
    ...(filter.status && { status: filter.status }),
    ...(filter.tag && { tag: filter.tag }),
    ...(cursor && { cursor }),
  };
  return call(api.GET("/admin/knowledge_assets", { params: { query } }));
}

export function listJobs(tenantId: string, sourceId?: string) {
  const query = { tenant_id: tenantId, limit: 100, ...(sourceId && { source_id: sourceId }) };
  return call(api.GET("/admin/ingestion_jobs", { params: { query } }));
}

export function getSource(tenantId: string, sourceId: string) {
  return call(
    api.GET("/admin/knowledge_assets/{asset_id}", {
      params: { path: { asset_id: sourceId }, query: { tenant_id: tenantId } },
    }),
  );
}

export function listPassages(tenantId: string, sourceId: string, cursor: string | undefined) {
  const query = { tenant_id: tenantId, ...(cursor && { cursor }) };
  return call(
    api.GET("/admin/knowledge_assets/{asset_id}/passages", { params: { path: { asset_id: sourceId }, query } }),
  );
}

export function changeSource(tenantId: string, sourceId: string, body: Body<"SourceChange">) {
  const params = { path: { asset_id: sourceId }, query: { tenant_id: tenantId } };
  return call(api.PATCH("/admin/knowledge_assets/{asset_id}", { params, body }));
}

export function removeSource(tenantId: string, sourceId: string) {
  return call(
    api.DELETE("/admin/knowledge_assets/{asset_id}", {
      params: { path: { asset_id: sourceId }, query: { tenant_id: tenantId } },
    }),
  );
}

export function requeueJob(tenantId: string, jobId: string) {
  return call(
    api.POST("/admin/ingestion_jobs/{job_id}/requeue", {
      params: { path: { job_id: jobId }, query: { tenant_id: tenantId } },
    }),
  );
}

export function cancelJob(tenantId: string, jobId: string) {
  return call(
    api.DELETE("/admin/ingestion_jobs/{job_id}", {
      params: { path: { job_id: jobId }, query: { tenant_id: tenantId } },
    }),
  );
}

export type NewSource =
  | { kind: "text"; title: string; content: string }
  | { kind: "url" | "sitemap"; url: string }
  | { kind: "qa"; pairs: { question: string; answer: string }[]; title?: string };

export interface Labels {
  tags: string[];
  visibility: "public" | "internal";
}

/** A text, pairs, a page or a sitemap. The body is built by kind, so the document's one wide type is given as it is. */
export async function addSource(brandId: string, source: NewSource & Labels): Promise<void> {
  const url = new URL(`/v1/brands/${brandId}/knowledge`, location.origin);
  const response = await authorizedFetch(
    new Request(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(source) }),
  );
  if (!response.ok) throw Problem.from(response, await response.json().catch(() => null));
}

/** Sends a file; `onProgress` hears the share that has left, which `fetch` cannot tell. */
export async function uploadFile(
  where: { tenantId: string; brandId: string | undefined } & Labels,
  file: File,
  onProgress: (share: number) => void,
): Promise<void> {
  const form = new FormData();
  form.set("tenant_id", where.tenantId);
  if (where.brandId) form.set("brand_id", where.brandId);
  if (where.tags.length > 0) form.set("tags", where.tags.join(","));
  form.set("visibility", where.visibility);
  form.set("file", file, file.name);
  const token = await session.token();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/admin/knowledge_assets/upload");
    request.setRequestHeader("Authorization", `Bearer ${token ?? ""}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(Problem.network());
    request.onload = () => {
      if (request.status === 202) return resolve();
      return reject(
        Problem.from(new Response(null, { status: request.status, statusText: request.statusText }), request.response),
      );
    };
    request.send(form);
  });
}
