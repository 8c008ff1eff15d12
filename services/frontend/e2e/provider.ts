/** An OpenID provider that vouches for whoever a test says, at once and on another site than the platform's. */
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

const CLIENT = "xin-console";
const KEY_ID = "one";

export class Provider {
  /** The address that is vouched for. */
  email = "";
  readonly #keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #nonces = new Map<string, string>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** By name, where the platform's address is a number: to a browser that is another site. */
  get #issuer(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get settings(): Record<string, string> {
    return {
      OIDC_ISSUER: this.#issuer,
      OIDC_CLIENT_ID: CLIENT,
      OIDC_CLIENT_SECRET: randomUUID(),
      OIDC_NAME: "Acme login",
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.#issuer);
    if (pathname === "/authorize") return this.#signIn(searchParams, response);
    response.setHeader("Content-Type", "application/json");
    if (pathname === "/token") return void response.end(JSON.stringify(this.#tokens(await text(request))));
    if (pathname === "/keys") return void response.end(JSON.stringify({ keys: [this.#publicKey()] }));
    const issuer = this.#issuer;
    const endpoints = { authorization_endpoint: "authorize", token_endpoint: "token", jwks_uri: "keys" };
    const known = Object.entries(endpoints).map(([name, path]) => [name, `${issuer}/${path}`]);
    response.end(JSON.stringify({ issuer, ...Object.fromEntries(known) }));
  }

  /** Nobody is asked for a password here. */
  #signIn(asked: URLSearchParams, response: ServerResponse): void {
    const code = randomUUID();
    this.#nonces.set(code, asked.get("nonce") ?? "");
    const back = new URL(asked.get("redirect_uri") ?? "");
    back.search = String(new URLSearchParams({ code, state: asked.get("state") ?? "" }));
    response.writeHead(302, { Location: back.href }).end();
  }

  #tokens(form: string): object {
    const now = Math.floor(Date.now() / 1000);
    const id_token = this.#signed({
      iss: this.#issuer,
      aud: CLIENT,
      sub: "somebody",
      iat: now,
      exp: now + 300,
      nonce: this.#nonces.get(new URLSearchParams(form).get("code") ?? ""),
      email: this.email,
      email_verified: true,
    });
    return { access_token: randomUUID(), token_type: "Bearer", id_token };
  }

  #publicKey(): object {
    return { ...this.#keys.publicKey.export({ format: "jwk" }), kid: KEY_ID, alg: "RS256", use: "sig" };
  }

  #signed(claims: object): string {
    const parts = [{ alg: "RS256", typ: "JWT", kid: KEY_ID }, claims];
    const said = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${said}.${sign("RSA-SHA256", Buffer.from(said), this.#keys.privateKey).toString("base64url")}`;
  }
}
