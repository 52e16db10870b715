/** What the tests of this folder write journals with. */
import { encodeFrame, type Frame, type FrameBody, REMOVED_FRAME_SIZE, type RemovedBody } from "./frame.ts";
import type { FileWatcher, StreamJournalOptions } from "./follow.ts";
import type { JournalBatch, WriterEnd } from "./log.ts";
import { streamJournal } from "./follow.ts";
import { createJournal } from "./journal_file.ts";
import { JOURNAL_HEADER_SIZE } from "./journal_header.ts";
import type { LogStreamName } from "./log.ts";

export const JOB_ID = "0f9c2d4e-1a2b-4c3d-8e4f-5a6b7c8d9e0f";

export const EXIT = {
  type: "exit" as const,
  waitStatus: 7 << 8,
  timedOut: false,
  signalPassedOn: false,
  usage: { userCpuUs: 1500, systemCpuUs: 250, maxRssBytes: 2 ** 33 },
  stdoutBytes: 11,
  stderrBytes: 12,
} satisfies FrameBody;

export function output(text: string, stream: LogStreamName = "stdout"): FrameBody {
  return { type: "output", stream, data: new TextEncoder().encode(text) };
}

export function textOf(batches: readonly JournalBatch[]): string {
  return batches.flatMap((batch) => batch.pieces).map((piece) => new TextDecoder().decode(piece.data)).join("");
}

const NOTHING_REMOVED: RemovedBody = {
  type: "removed",
  stdoutBytes: 0,
  stderrBytes: 0,
  nextOffset: JOURNAL_HEADER_SIZE,
  startedNs: 0n,
  timeout: false,
};

/** What a removed frame says when one more frame is gone. */
function plus(before: RemovedBody, frame: Frame): RemovedBody {
  const bytes = frame.type === "output" ? frame.data.length : frame.type === "gap" ? frame.missingBytes : 0;
  const stream = "stream" in frame ? frame.stream : undefined;
  return {
    type: "removed",
    stdoutBytes: before.stdoutBytes + (stream === "stdout" ? bytes : 0),
    stderrBytes: before.stderrBytes + (stream === "stderr" ? bytes : 0),
    nextOffset: frame.offset + frame.size,
    startedNs: frame.type === "started" ? frame.timeNs : before.startedNs,
    timeout: before.timeout || frame.type === "timeout",
  };
}

/** A journal in a temporary folder; a watcher and a writer's end that tests move by hand. */
export class JournalFixture implements Disposable, FileWatcher, WriterEnd {
  readonly #folder = Deno.makeTempDirSync({ prefix: "joblet-journal-" });
  readonly path = `${this.#folder}/0f/${JOB_ID}.journal`;
  readonly #watches = new Set<() => void>();
  readonly #ends = new Set<() => void>();
  #sequence = 0;
  readonly #kept: Frame[] = [];
  #removed = NOTHING_REMOVED;
  /** Where the next frame goes. */
  offset = JOURNAL_HEADER_SIZE;
  value = false;
  /** Called at each `watch`, before it takes effect. */
  onWatch: () => void = () => {};

  constructor() {
    createJournal(this.path, JOB_ID);
  }

  /** Watches and end listeners that are in place. */
  get subscriptions(): number {
    return this.#watches.size + this.#ends.size;
  }

  /** The next frame's bytes, as if they were appended. */
  encode(body: FrameBody): Uint8Array<ArrayBuffer> {
    const bytes = encodeFrame(body, {
      offset: this.offset,
      timeNs: 10n ** 18n + BigInt(this.#sequence),
      sequence: this.#sequence++,
    });
    this.offset += bytes.length;
    return bytes;
  }

  /** Appends whole frames and tells the watchers; returns where each began. */
  append(...bodies: readonly FrameBody[]): number[] {
    return bodies.map((body) => {
      const offset = this.offset;
      const sequence = this.#sequence;
      const bytes = this.encode(body);
      const head = { offset, size: bytes.length, timeNs: 10n ** 18n + BigInt(sequence), sequence };
      this.#kept.push({ ...body, ...head });
      this.write(bytes);
      return offset;
    });
  }

  /** What the removed frame says. */
  get removed(): RemovedBody {
    return this.#removed;
  }

  /**
   * Removes the oldest appended frames as init does, up to the first one at or after `target`, but never the newest. Zeros
   * stand for the hole. @param between called when the removed frame is written and the hole is not made
   */
  trim(target: number, between: () => void = () => {}): void {
    let timeNs = 0n;
    while (this.#kept.length > 1 && (this.#kept[0]!.offset < target || this.#tooShort())) {
      const frame = this.#kept.shift()!;
      timeNs = frame.timeNs;
      this.#removed = plus(this.#removed, frame);
    }
    if (timeNs === 0n || this.#tooShort()) return;
    this.overwrite(
      JOURNAL_HEADER_SIZE,
      encodeFrame(this.#removed, { offset: JOURNAL_HEADER_SIZE, timeNs, sequence: 0 }),
    );
    between();
    const start = JOURNAL_HEADER_SIZE + REMOVED_FRAME_SIZE;
    this.overwrite(start, new Uint8Array(this.#removed.nextOffset - start));
  }

  #tooShort(): boolean {
    return this.#removed.nextOffset < JOURNAL_HEADER_SIZE + REMOVED_FRAME_SIZE;
  }

  /** Writes over bytes that are there, and tells nobody. */
  overwrite(offset: number, bytes: Uint8Array): void {
    using file = Deno.openSync(this.path, { write: true });
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(bytes);
  }

  /** Appends bytes as they are and tells the watchers. */
  write(bytes: Uint8Array): void {
    Deno.writeFileSync(this.path, bytes, { append: true });
    for (const notify of this.#watches) notify();
  }

  /** Changes the byte at a place. */
  flip(offset: number): void {
    using file = Deno.openSync(this.path, { read: true, write: true });
    const byte = new Uint8Array(1);
    file.seekSync(offset, Deno.SeekMode.Start);
    file.readSync(byte);
    byte[0]! ^= 0xff;
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(byte);
  }

  watch(_path: string, onChange: () => void): Disposable {
    this.onWatch();
    this.#watches.add(onChange);
    return { [Symbol.dispose]: () => void this.#watches.delete(onChange) };
  }

  onEnd(listener: () => void): Disposable {
    this.#ends.add(listener);
    return { [Symbol.dispose]: () => void this.#ends.delete(listener) };
  }

  /** The writer is gone. */
  end(): void {
    this.value = true;
    for (const listener of this.#ends) listener();
  }

  stream(options: Partial<StreamJournalOptions> = {}): AsyncGenerator<JournalBatch> {
    const { signal } = new AbortController();
    return streamJournal({ path: this.path, signal, watcher: this, ended: this, ...options });
  }

  async read(options: Partial<StreamJournalOptions> = {}): Promise<JournalBatch[]> {
    return await Array.fromAsync(this.stream(options));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
