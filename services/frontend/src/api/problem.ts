/** What the platform answers when it cannot: `application/problem+json` (RFC 9457), as an error. */

export interface FieldProblem {
  field: string;
  message: string;
}

/** `status` 0 is a network that did not answer. `detail` is written for people and safe to show. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: readonly FieldProblem[] = [],
    readonly requestId: string | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }

  static from(response: Response, body: unknown): Problem {
    const told = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
    const text = (name: string) => (typeof told[name] === "string" ? told[name] : null);
    return new Problem(
      response.status,
      text("code") ?? "unexpected",
      text("detail") ?? text("title") ?? `${response.status} ${response.statusText}`,
      Array.isArray(told.errors) ? (told.errors as FieldProblem[]) : [],
      text("request_id") ?? response.headers.get("X-Request-Id"),
      Number(response.headers.get("Retry-After")) || null,
    );
  }

  static network(): Problem {
    return new Problem(0, "network", "");
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return Problem.network();
  return new Problem(0, "unexpected", error instanceof Error ? error.message : String(error));
}
