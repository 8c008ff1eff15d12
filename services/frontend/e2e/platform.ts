/** A whole platform of the test's own: free ports, a data folder that goes away, the first administrator's password. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "../../..");
const READY_MS = 240_000;
const STOP_MS = 60_000;

const PORTS = [
  "ORCHESTRATOR_PORT",
  "GATEWAY_PORT",
  "GATEWAY_METRICS_PORT",
  "INGEST_METRICS_PORT",
  "AUTOMATION_METRICS_PORT",
  "BOT_MANAGER_METRICS_PORT",
];

export interface Platform {
  url: string;
  gateway: string;
  email: string;
  password: string;
  output: () => string;
  stop: () => Promise<void>;
}

export async function startPlatform(settings: Record<string, string> = {}): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), "xin-e2e-"));
  const python = process.env.XIN_PYTHON ?? join(REPOSITORY, ".venv/bin/python");
  const ports = Object.fromEntries(PORTS.map((name) => [name, "0"]));
  const child = spawn(python, ["-m", "chatbot", "run"], {
    cwd: REPOSITORY,
    env: { ...process.env, ...ports, XIN_DATA_DIR: folder, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const find = (pattern: RegExp) => pattern.exec(output)?.slice(1) ?? [];
  await until(
    () => /Stop with Ctrl\+C/.test(output) && /First sign-in:.*password/.test(output),
    child,
    () => output,
  );
  const [url = ""] = find(/Xin is ready at (\S+)/);
  const [gateway = ""] = find(/Channels:\s+(\S+)/);
  const [email = "", password = ""] = find(/First sign-in:\s+(\S+)\s+password\s+(\S+)/);
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, gateway, email, password, output: () => output, stop };
}

async function until(condition: () => boolean, child: ChildProcess, output: () => string): Promise<void> {
  for (const begun = Date.now(); !condition(); ) {
    if (child.exitCode !== null) throw new Error(`the platform ended:\n${output()}`);
    if (Date.now() - begun > READY_MS) throw new Error(`the platform is not ready:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
}
