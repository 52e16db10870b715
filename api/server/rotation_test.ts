import assert from "node:assert/strict";
import { type ClientHttp2Session, connect as http2Connect } from "node:http2";
import { parse } from "@std/yaml";
import { issueClient, renewClient, renewServer } from "../certs/clients.ts";
import { revokeCertificates } from "../certs/revoke.ts";
import { rotateAuthority } from "../certs/rotate.ts";
import { LiveHome } from "../testing/live_home.ts";

const TAKEN_OVER = /Certificates taken over/;

interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

async function credentials(live: LiveHome, name: string): Promise<Credentials> {
  const text = await Deno.readTextFile(`${live.home.config}/rnx-config-${name}.yml`);
  return (parse(text) as { nodes: { default: Credentials } }).nodes.default;
}

function framed(message: unknown): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  return new Uint8Array([0, 0, 0, 0, bytes.length, ...bytes]);
}

function grpcStatus(session: ClientHttp2Session, method: string, message: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const path = `/joblet.v1.JobService/${method}`;
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc+json" });
    let status = "none";
    const read = (headers: Record<string, unknown>) => status = String(headers["grpc-status"] ?? status);
    stream.on("response", read).on("trailers", read).once("error", reject).resume();
    stream.once("close", () => resolve(status));
    stream.end(framed(message));
  });
}

function open(live: LiveHome, { cert, key, ca }: Credentials): ClientHttp2Session {
  return http2Connect(`https://localhost:${live.running.port}`, { cert, key, ca }).on("error", () => {});
}

async function close(session: ClientHttp2Session): Promise<void> {
  if (session.destroyed) return;
  const closed = new Promise((resolve) => session.once("close", resolve));
  session.destroy();
  await closed;
}

/** Calls without a pause, on a new connection with what its file says now after every few calls. */
class Load {
  calls = 0;
  readonly failures: string[] = [];
  #stopped = false;
  #rounds = new EventTarget();

  constructor(readonly live: LiveHome, readonly name: string) {}

  async run(round: (credentials: Credentials) => Promise<string[]>): Promise<void> {
    while (!this.#stopped) {
      const codes = await round(await credentials(this.live, this.name)).catch((error) => [String(error)]);
      this.calls += codes.length;
      this.failures.push(...codes.filter((code) => code !== "0"));
      this.#rounds.dispatchEvent(new Event("round"));
    }
  }

  /** Resolves when a connection that is made from now on has done its calls. */
  async renewed(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => this.#rounds.addEventListener("round", resolve, { once: true }));
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

const CALLS = [1, 2, 3, 4, 5];

async function http2Round(live: LiveHome, own: Credentials): Promise<string[]> {
  const session = open(live, own);
  try {
    const codes: string[] = [];
    for (const _ of CALLS) codes.push(await grpcStatus(session, "ListJobs", {}));
    return codes;
  } finally {
    await close(session);
  }
}

async function http1Round(live: LiveHome, { cert, key, ca }: Credentials): Promise<string[]> {
  const caCerts = ca.split(/(?<=-----END CERTIFICATE-----\n)/).filter((text) => text.trim() !== "");
  using client = Deno.createHttpClient({ cert, key, caCerts, http2: false });
  const codes: string[] = [];
  for (const _ of CALLS) {
    const headers = { "content-type": "application/json" };
    const init: RequestInit & { client: Deno.HttpClient } = { method: "POST", headers, body: "{}", client };
    const answer = await fetch(`https://localhost:${live.running.port}/joblet.v1.JobService/ListJobs`, init);
    const text = await answer.text();
    codes.push(answer.ok ? "0" : text);
  }
  return codes;
}

Deno.test("server certificate and CA are exchanged under load: no call fails, no stream is lost", async () => {
  await using live = await LiveHome.start();
  const { home, engine } = live;
  const names = ["h2a", "h2b", "h1"];
  for (const name of [...names, "stream", "left"]) await issueClient({ home, name, role: "admin" });
  const loads = names.map((name) => new Load(live, name));
  const running = loads.map((load) =>
    load.run((own) => load.name === "h1" ? http1Round(live, own) : http2Round(live, own))
  );
  const job = engine.add("stream", { state: "running", startedAt: new Date() });
  const follow = async (name: string) => {
    const session = open(live, await credentials(live, name));
    const count = engine.openStreams;
    let isOpen = true;
    const ended = grpcStatus(session, "StreamLogs", { id: job.id, follow: true }).catch(String).then(() =>
      isOpen = false
    );
    await engine.streamsAre(count + 1);
    return { session, ended, isOpen: () => isOpen };
  };
  const early = await follow("left");
  const allRenewed = () => Promise.all(loads.map((load) => load.renewed()));
  const renewClients = async () => {
    for (const name of [...names, "stream"]) await renewClient({ home, name });
    await allRenewed();
  };

  await allRenewed();
  await live.logged(TAKEN_OVER, () => renewServer({ home }));
  await live.logged(TAKEN_OVER, () => rotateAuthority({ home, step: "begin" }));
  await allRenewed();
  await live.logged(TAKEN_OVER, () => rotateAuthority({ home, step: "switch" }));
  await renewClients();
  const late = await follow("stream");
  assert.ok(early.isOpen(), "the old CA is trusted until the end");
  await assert.rejects(rotateAuthority({ home, step: "finish" }), /the only valid certificates of left; renew them/);
  await live.logged(TAKEN_OVER, () => rotateAuthority({ home, step: "finish", force: true }));
  await early.ended;
  await allRenewed();
  assert.ok(late.isOpen());

  for (const load of loads) load.stop();
  await Promise.all(running);
  for (const { name, calls, failures } of loads) {
    assert.deepEqual(failures, [], name);
    assert.ok(calls >= 30, `${name} made ${calls} calls`);
  }
  await close(late.session);
  await late.ended;
  await close(early.session);
});

Deno.test("a revocation cuts an open stream within five seconds and holds for new connections", async () => {
  await using live = await LiveHome.start();
  const { home, engine } = live;
  await issueClient({ home, name: "eve", role: "admin" });
  const own = await credentials(live, "eve");
  const session = open(live, own);
  const job = engine.add("eve", { state: "running", startedAt: new Date() });
  const stream = grpcStatus(session, "StreamLogs", { id: job.id, follow: true }).catch(String);
  await engine.streamsAre(1);
  const startedAt = performance.now();
  await revokeCertificates({ home, name: "eve" });
  assert.notEqual(await stream, "0");
  await engine.streamsAre(0);
  assert.ok(performance.now() - startedAt < 5000);
  const again = open(live, own);
  assert.equal(await grpcStatus(again, "ListJobs", {}), "16");
  await close(again);
});

Deno.test("material that can't be used is refused with an error in the log, and the revocations stay in force", async () => {
  await using live = await LiveHome.start();
  const { home } = live;
  await issueClient({ home, name: "eve", role: "admin" });
  await live.logged(TAKEN_OVER, () => revokeCertificates({ home, name: "eve" }));
  const damaged = () => Deno.writeTextFile(`${home.config}/crl.pem`, "-----BEGIN X509 CRL-----\nAAAA\n");
  const line = await live.logged(/not taken over/, damaged);
  assert.match(line, /Cannot read the revocation list|must be the PEM text/);
  const session = open(live, await credentials(live, "eve"));
  assert.equal(await grpcStatus(session, "ListJobs", {}), "16");
  await close(session);
});

Deno.test("SIGHUP reads everything again; other keys that have changed want a restart", async () => {
  await using live = await LiveHome.start();
  await live.logged(TAKEN_OVER, () => Deno.kill(Deno.pid, "SIGHUP"));
  const path = `${live.home.config}/joblet-config.yml`;
  const more = "joblet:\n  maxQueuedJobs: 5\n";
  await live.logged(/needs a restart/, () => Deno.writeTextFile(path, more, { append: true }));
});
