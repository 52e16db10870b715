/** A real server behind mutual TLS, with durable state. */
import { connect, type TestClient } from "../harness/client.ts";
import { processesWith } from "../harness/leftovers.ts";
import { TestServer } from "../harness/server.ts";
import { type Figure, perSecond, times } from "./stats.ts";

const IN_FLIGHT = 16;
const SERIAL_RUNS = 200;
const RATE_RUNS = 2000;
const CLI_RUNS = 30;
const SLEEPERS = 1000;
const LINES = 3_000_000;
const LINE = "x".repeat(99);

async function runToEnd(client: TestClient, command: string, args: string[]): Promise<string> {
  const { job } = await client.jobs.runJob({ spec: { command, args } });
  const id = job?.id ?? "";
  for await (const _ of client.jobs.watchJob({ id }));
  return id;
}

async function readAll(client: TestClient, id: string): Promise<number> {
  let bytes = 0;
  for await (const { frames } of client.jobs.streamLogs({ id, follow: true })) {
    for (const frame of frames) bytes += frame.data.length;
  }
  return bytes;
}

export async function benchServer(): Promise<Figure[]> {
  return [...await withServer(benchBusy), ...await withServer(benchSleepers)];
}

async function withServer(body: (server: TestServer, client: TestClient) => Promise<Figure[]>): Promise<Figure[]> {
  await using server = await TestServer.start();
  await using client = await connect(server);
  return await body(server, client);
}

async function benchBusy(server: TestServer, client: TestClient): Promise<Figure[]> {
  return [
    { name: "server RSS, idle", unit: "MiB", value: rssMiB(server.pid) },
    ...await benchApi(client),
    ...await benchCli(server),
    ...await benchOutput(client),
    ...await benchFollowers(client),
  ];
}

async function benchApi(client: TestClient): Promise<Figure[]> {
  const serial: number[] = [];
  for (let run = 0; run < SERIAL_RUNS; run++) {
    const begin = performance.now();
    await runToEnd(client, "true", []);
    serial.push(performance.now() - begin);
  }
  const rate = await perSecond(RATE_RUNS, IN_FLIGHT, async () => void await runToEnd(client, "true", []));
  return [
    times("API: run true and see it end", serial, "mTLS gRPC, durable state"),
    { name: `API: ${IN_FLIGHT} in flight`, unit: "jobs/s", value: rate, note: "mTLS gRPC, durable state" },
  ];
}

async function benchCli(server: TestServer): Promise<Figure[]> {
  const values: number[] = [];
  for (let run = 0; run < CLI_RUNS; run++) {
    const begin = performance.now();
    const { code, stderr } = await server.cli("run", "true");
    if (code !== 0) throw new Error(`Cannot run true: ${stderr}`);
    values.push(performance.now() - begin);
  }
  return [times("CLI: joblet run true", values, Deno.env.get("JOBLET_DIST") ? "built file" : "from source")];
}

async function benchOutput(client: TestClient): Promise<Figure[]> {
  const timed = async (command: string, args: string[], bytes: number) => {
    const begin = performance.now();
    const id = await runToEnd(client, command, args);
    const seconds = (performance.now() - begin) / 1000;
    const stored = await readAll(client, id);
    if (stored !== bytes) throw new Error(`Lost output: ${stored} of ${bytes} bytes stored`);
    await client.jobs.deleteJob({ id });
    return seconds;
  };
  const size = 1 << 30;
  const bulk = await timed("head", ["-c", String(size), "/dev/zero"], size);
  const single = `$l = ("x" x 99) . "\\n"; syswrite(STDOUT, $l) for 1..${LINES}`;
  const lines = await timed("perl", ["-e", single], LINES * 100);
  const batched = await timed("sh", ["-c", `yes ${LINE} 2>/dev/null | head -n ${LINES}`], LINES * 100);
  return [
    { name: "output to journal, large writes", unit: "MiB/s", value: size / bulk / (1 << 20), note: "nothing lost" },
    {
      name: "output to journal, a write a line",
      unit: "lines/s",
      value: LINES / lines,
      note: "100 bytes each, nothing lost",
    },
    {
      name: "output to journal, batched lines",
      unit: "lines/s",
      value: LINES / batched,
      note: "100 bytes each, nothing lost",
    },
  ];
}

async function benchFollowers(client: TestClient): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const count of [1, 100]) {
    const size = count === 1 ? 256 << 20 : 8 << 20;
    const { job } = await client.jobs.runJob({ spec: { command: "head", args: ["-c", String(size), "/dev/urandom"] } });
    const begin = performance.now();
    const read = await Promise.all(Array.from({ length: count }, () => readAll(client, job?.id ?? "")));
    const seconds = (performance.now() - begin) / 1000;
    if (read.some((bytes) => bytes !== size)) throw new Error("A follower lost output");
    const note = "sum over followers, nothing lost";
    figures.push({ name: `followers: ${count}`, unit: "MiB/s", value: size * count / seconds / (1 << 20), note });
  }
  return figures;
}

async function benchSleepers(server: TestServer, client: TestClient): Promise<Figure[]> {
  const ids: string[] = [];
  const begin = performance.now();
  await perSecond(SLEEPERS, IN_FLIGHT, async () => {
    const { job } = await client.jobs.runJob({ spec: { command: "sleep", args: ["10000"] } });
    ids.push(job?.id ?? "");
  });
  const started = performance.now() - begin;
  const pss = initPssKiB(ids);
  const rss = rssMiB(server.pid);
  const stopping = performance.now();
  await Promise.all(ids.map((id) => client.jobs.stopJob({ id, signal: "KILL" })));
  return [
    { name: `${SLEEPERS} sleeping jobs: started in`, unit: "s", value: started / 1000 },
    { name: `${SLEEPERS} sleeping jobs: server RSS`, unit: "MiB", value: rss },
    { name: `${SLEEPERS} sleeping jobs: PSS of an init, mean`, unit: "KiB", value: pss },
    { name: `${SLEEPERS} sleeping jobs: all stopped in`, unit: "s", value: (performance.now() - stopping) / 1000 },
  ];
}

function rssMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) / 1024;
}

function initPssKiB(ids: readonly string[]): number {
  const wanted = new Set(ids);
  const values: number[] = [];
  for (const line of processesWith("init ")) {
    const [pid, program, id] = line.split(" ");
    if (program !== "init" || !wanted.has(id ?? "")) continue;
    const rollup = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    values.push(Number(/^Pss:\s*(\d+)/m.exec(rollup)?.[1]));
  }
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
