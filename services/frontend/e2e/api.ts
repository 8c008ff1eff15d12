/** The platform's API as a test uses it to set things up; the things under test go through the browser. */
import type { Platform } from "./platform";

export interface Person {
  email: string;
  password: string;
  name: string;
}

export class Api {
  #token = "";

  constructor(private readonly platform: Platform) {}

  /** Sign in as the first administrator, or as somebody else. */
  async signIn(person: Pick<Person, "email" | "password"> = this.platform): Promise<this> {
    const body = { email: person.email, password: person.password };
    this.#token = (await this.call<{ access_token: string }>("POST", "/auth/login", body)).access_token;
    return this;
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.platform.url), {
      method,
      headers: { "Content-Type": "application/json", ...(this.#token && { Authorization: `Bearer ${this.#token}` }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** A visitor's message, with a token of theirs. */
  async say(token: string, message: string): Promise<void> {
    const visitor = new Api(this.platform);
    visitor.#token = token;
    await visitor.call("POST", "/v1/chat", { message });
  }

  async makeTenant(name: string): Promise<{ id: string; default_brand_id: string }> {
    return this.call("POST", "/admin/tenants", { name });
  }

  /** A colleague who has accepted the invitation. */
  async makePerson(tenantId: string, role: "agent" | "viewer" | "tenant_admin", name: string): Promise<Person> {
    const email = `${name.toLowerCase().replace(/\W+/g, ".")}.${Date.now()}@example.com`;
    const password = "correct horse battery staple";
    const invitation = await this.call<{ token: string }>("POST", "/admin/invitations", {
      tenant_id: tenantId,
      email,
      role,
      name,
    });
    await this.call("POST", "/auth/invitations/accept", { token: invitation.token, name, password });
    return { email, password, name };
  }

  /** Knowledge that can be asked about: waits until it answers. */
  async teach(brandId: string, title: string, content: string): Promise<string> {
    const { source_id } = await this.call<{ source_id: string }>("POST", `/v1/brands/${brandId}/knowledge`, {
      kind: "text",
      title,
      content,
    });
    for (let tries = 0; tries < 300; tries += 1) {
      const { status } = await this.call<{ status: string }>("GET", `/v1/brands/${brandId}/knowledge/${source_id}`);
      if (status === "ready") return source_id;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`"${title}" was not read`);
  }

  /** A visitor of a tenant asks something; gives the conversation's id. */
  async ask(
    tenantId: string,
    message: string,
    visitor: { id?: string; name?: string; email?: string } = {},
  ): Promise<string> {
    const { token } = await this.call<{ token: string }>("POST", `/admin/tenants/${tenantId}/embed_token`, {
      user: { id: `v-${Date.now()}`, ...visitor },
    });
    const response = await fetch(new URL("/v1/chat", this.platform.url), {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ message, stream: false }),
    });
    if (!response.ok) throw new Error(`asking: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { conversation_id: string }).conversation_id;
  }
}
