/**
 * The one way to the API: generated types, the session's token, one renewal when it has run out, problems as errors.
 * `call(api.GET("/admin/brands", …))` gives the body or throws a `Problem`.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { session } from "@/auth/session";
import { Problem } from "./problem";
import type { components, paths } from "./schema";

/** A body by its name in the OpenAPI document. */
export type Body<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** `fetch` with the session's bearer token; a 401 renews it once and asks again, a 403 asks what the role is now. */
export async function authorizedFetch(input: Request): Promise<Response> {
  const again = input.clone();
  const response = await fetch(await withToken(input));
  if (response.status === 403) void session.recheck();
  if (response.status !== 401) return response;
  return (await session.renew()) ? fetch(await withToken(again)) : response;
}

async function withToken(request: Request): Promise<Request> {
  const token = await session.token();
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  return request;
}

const problems: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw Problem.from(response, await response.json().catch(() => null));
  },
  onError({ error }) {
    return error instanceof Problem ? error : Problem.network();
  },
};

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });
api.use(problems);

/** The body of an answered call. */
export async function call<Data>(request: Promise<{ data?: Data }>): Promise<Data> {
  return (await request).data as Data;
}

/** A file that the API makes: exports, attachments. */
export async function download(path: string): Promise<Blob> {
  const response = await authorizedFetch(new Request(new URL(path, location.origin)));
  if (!response.ok) throw Problem.from(response, await response.json().catch(() => null));
  return response.blob();
}
