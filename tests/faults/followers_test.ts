/** Followers that come and go, and one that hardly reads. */
import assert from "node:assert/strict";
import { connect, untilOutput } from "../harness/client.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { count } from "./length.ts";

const root = requires("root", "cgroup2", "python3");
const RECONNECTS = count("JOBLET_RECONNECTS", 1000, 10_000);
const AT_ONCE = 8;
/** Follows this long before it leaves, at most. */
const STAY_MS = 8;
const SLOW_SECONDS = count("JOBLET_SLOW_SECONDS", 10, 60);

function fds(server: TestServer): number {
  return [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length;
}

function rssMiB(server: TestServer): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${server.pid}/status`))?.[1]) / 1024;
}

/** Numbered lines, as one follower after the other has seen them. */
class Sequence {
  #next = 0;
  #rest = "";
  readonly #decoder = new TextDecoder();

  add(data: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) assert.equal(line, String(this.#next++), "no gap, no repetition");
  }

  get seen(): number {
    return this.#next;
  }
}

/** Follows from an offset for a moment, on a connection of its own. @returns the offset to go on from */
async function followABit(server: TestServer, id: string, from: bigint, sequence: Sequence, stay: number) {
  await using client = await connect(server);
  const abort = new AbortController();
  let offset = from;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for await (const { frames, nextOffset } of client.jobs.streamLogs({ id, offset, follow: true }, abort)) {
      for (const { data, missingBytes } of frames) {
        assert.equal(missingBytes, 0n);
        sequence.add(data);
      }
      offset = nextOffset;
      timer ??= setTimeout(() => abort.abort(), stay);
    }
  } catch (error) {
    assert(abort.signal.aborted, String(error));
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  return offset;
}

Deno.test({
  ...root,
  name:
    `${RECONNECTS} reconnects of followers: each goes on where it was, without gap or repetition, and no fd stays open`,
  async fn() {
    await using server = await TestServer.start();
    await using client = await connect(server);
    const script = "i=0; while :; do printf '%s\\n' $i $((i+1)) $((i+2)); i=$((i+3)); sleep 0.001; done";
    const { job } = await client.jobs.runJob({ spec: { command: "sh", args: ["-c", script] } });
    const id = job?.id ?? "";
    await untilOutput(client, id);
    const follow = async (times: number) => {
      const sequence = new Sequence();
      for (let turn = 0, offset = 0n; turn < times; turn++) {
        offset = await followABit(server, id, offset, sequence, turn % STAY_MS);
      }
      return sequence.seen;
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => follow(10)));
    const before = fds(server);
    const seen = await Promise.all(Array.from({ length: AT_ONCE }, () => follow(RECONNECTS / AT_ONCE)));
    for (const lines of seen) assert(lines > RECONNECTS / AT_ONCE, `${lines} lines were followed`);
    const after = fds(server);
    assert(after - before <= AT_ONCE, `fds: ${before} before, ${after} after`);
  },
});

/** Reads a job's log over a connection of its own, a kilobyte a second, until told to stop. */
async function crawl(server: TestServer, id: string, signal: AbortSignal): Promise<number> {
  const follower = server.spawn("logs", "-f", id);
  let bytes = 0;
  const reader = follower.stdout.getReader({ mode: "byob" });
  while (!signal.aborted) {
    const { value } = await reader.read(new Uint8Array(1024));
    bytes += value?.length ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  follower.kill("SIGKILL");
  await reader.cancel();
  await follower.stderr.cancel();
  await follower.status;
  return bytes;
}

/** Writes as fast as it may, 50 MB/s, and tells how many bytes that were. */
const STREAMER = `
import os, sys, time
begin, written, late = time.monotonic(), 0, 0
data = bytes(range(256)) * 200
while time.monotonic() - begin < ${SLOW_SECONDS}:
    due = written / 50e6 - (time.monotonic() - begin)
    if due > 0: time.sleep(due)
    late = max(late, -due)
    os.write(1, data); written += len(data)
print(written, late, file=sys.stderr)
`;

Deno.test({
  ...root,
  name:
    `a follower at 1 KB/s of a job at 50 MB/s for ${SLOW_SECONDS} s holds up neither the job nor another follower, ` +
    "and the server keeps nothing for it",
  async fn() {
    await using server = await TestServer.start();
    await using client = await connect(server);
    const { job } = await client.jobs.runJob({ spec: { command: "python3", args: ["-c", STREAMER] } });
    const id = job?.id ?? "";
    const stop = new AbortController();
    const slow = crawl(server, id, stop.signal);
    let [bytes, report, most] = [0, "", 0];
    for await (const { frames } of client.jobs.streamLogs({ id, follow: true })) {
      for (const { stream, data } of frames) {
        if (stream === 2) report += new TextDecoder().decode(data);
        else bytes += data.length;
      }
      most = Math.max(most, rssMiB(server));
    }
    stop.abort();
    const [written, late] = report.trim().split(" ").map(Number);
    assert.equal(bytes, written, "the other follower has every byte");
    assert(written! > 40e6 * SLOW_SECONDS, `the job wrote ${written} bytes`);
    assert(late! < 2, `the job was ${late} s late`);
    assert(most < 400, `the server grew to ${most} MiB`);
    assert(await slow <= (SLOW_SECONDS + 5) * 1024);
  },
});
