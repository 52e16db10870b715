/** Runs real inits with a cap: needs root and cgroup v2. */
import "../../tests/harness/ffi.ts";
import { Lab } from "./_launcher_lab.ts";
import assert from "node:assert/strict";
import { ModificationWatcher } from "../../ffi/mod.ts";
import { requires } from "../../tests/harness/requires.ts";
import { MIN_LOG_BYTES } from "../config.ts";
import { streamJournal, type StreamJournalOptions } from "../logs/follow.ts";
import { createJournal } from "../logs/journal_file.ts";
import { readOutcome } from "../logs/last_frame.ts";
import type { LogStreamName, WriterEnd } from "../logs/log.ts";

const root = requires("root", "cgroup2");

/** Numbered lines of mixed sizes, 20 MB of them, to both streams. */
const PROGRAM = `i=0
long=$(printf '%02000d' 0)
while [ $i -lt 30 ]; do
  seq -f "line $i %g" 1 20000
  seq -f "error $i %g $long" 1 200 >&2
  i=$((i+1))
done
printf 'the end of stdout'
printf 'the end of stderr' >&2`;

class Received {
  readonly bytes = { stdout: 0, stderr: 0 };
  readonly missing = { stdout: 0, stderr: 0 };
  readonly text = { stdout: "", stderr: "" };
  gaps = 0;

  async read(options: Omit<StreamJournalOptions, "signal">): Promise<void> {
    const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    const { signal } = new AbortController();
    for await (const { pieces } of streamJournal({ ...options, signal })) {
      for (const { stream, data, missingBytes } of pieces) {
        this.bytes[stream] += data.length;
        this.missing[stream] += missingBytes;
        if (missingBytes > 0) this.gaps++;
        // Joined only where nothing is missing between.
        if (missingBytes > 0) this.text[stream] = "";
        this.text[stream] += decoders[stream].decode(data, { stream: true });
      }
    }
  }

  total(stream: LogStreamName): number {
    return this.bytes[stream] + this.missing[stream];
  }
}

/** What the program writes, made without a sandbox. */
async function expectedOutput(): Promise<Record<LogStreamName, string>> {
  const { stdout, stderr } = await new Deno.Command("sh", { args: ["-c", PROGRAM] }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const watcher = { watch: () => ({ [Symbol.dispose]() {} }) };
const ended: WriterEnd = { value: true, onEnd: () => ({ [Symbol.dispose]() {} }) };

Deno.test({
  ...root,
  name: "init keeps a journal below its cap: the newest output, and the exact number of bytes that are gone",
  async fn() {
    await using lab = await Lab.open();
    const expected = await expectedOutput();
    const plan = { ...lab.plan("sh", ["-c", PROGRAM]), logBytes: MIN_LOG_BYTES };
    const path = `${lab.dir}/${plan.jobId}.journal`;
    createJournal(path, plan.jobId);
    assert.equal(await lab.runInto(path, plan), undefined);

    const { blocks, size } = await Deno.stat(path);
    assert(size > 15e6, `${size} bytes long`);
    assert(blocks! * 512 <= MIN_LOG_BYTES, `${blocks! * 512} bytes on the disk`);
    const received = new Received();
    await received.read({ path, watcher, ended });
    for (const stream of ["stdout", "stderr"] as const) {
      assert.equal(received.total(stream), expected[stream].length, stream);
      assert(received.missing[stream] > 0);
      assert(received.text[stream].length > 1000 && expected[stream].endsWith(received.text[stream]), stream);
    }
    const kept = received.bytes.stdout + received.bytes.stderr;
    assert(kept > MIN_LOG_BYTES * 0.7, `${kept} bytes kept`);
    const outcome = await readOutcome(path);
    assert(outcome.kind === "exited" && outcome.startedNs !== undefined && outcome.startedNs < outcome.timeNs);
    assert.deepEqual(await readOutcome(path, { trustTail: true }), outcome);
    assert.deepEqual([outcome.stdoutBytes, outcome.stderrBytes], [expected.stdout.length, expected.stderr.length]);
  },
});

Deno.test({
  ...root,
  name: "A follower of a journal that init trims gets every byte or its number, however slow it is",
  async fn() {
    await using lab = await Lab.open();
    const expected = await expectedOutput();
    const plan = { ...lab.plan("sh", ["-c", PROGRAM]), logBytes: MIN_LOG_BYTES };
    const path = `${lab.dir}/${plan.jobId}.journal`;
    createJournal(path, plan.jobId);
    const live = { value: false, listeners: new Set<() => void>() };
    const end: WriterEnd = {
      get value() {
        return live.value;
      },
      onEnd: (listener) => {
        live.listeners.add(listener);
        return { [Symbol.dispose]: () => void live.listeners.delete(listener) };
      },
    };
    using watcher = new ModificationWatcher(lab.poller);
    const followers = Array.from({ length: 3 }, () => new Received());
    const reading = followers.map((follower) => follower.read({ path, follow: true, watcher, ended: end }));
    await lab.runInto(path, plan);
    live.value = true;
    live.listeners.forEach((listener) => listener());
    await Promise.all(reading);
    for (const follower of followers) {
      for (const stream of ["stdout", "stderr"] as const) {
        assert.equal(follower.total(stream), expected[stream].length, stream);
        assert(expected[stream].endsWith(follower.text[stream]), stream);
      }
    }
  },
});

Deno.test({
  ...root,
  name: "init without a cap, or with one that is not reached, removes nothing",
  async fn() {
    await using lab = await Lab.open();
    for (const logBytes of [0, 2 ** 30]) {
      const plan = { ...lab.plan("seq", ["1", "300000"]), logBytes };
      const path = `${lab.dir}/${plan.jobId}.journal`;
      createJournal(path, plan.jobId);
      await lab.runInto(path, plan);
      const received = new Received();
      await received.read({ path, watcher, ended });
      assert.deepEqual([received.gaps, received.bytes.stdout], [0, 1988895]);
    }
  },
});
