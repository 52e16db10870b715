/** What the tests of this folder write journals with. */
import { encodeFrame, type FrameBody } from "./frame.ts";
import type { FileWatcher, JournalBatch, StreamJournalOptions, WriterEnd } from "./follow.ts";
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

/** A journal in a temporary folder; a watcher and a writer's end that tests move by hand. */
export class JournalFixture implements Disposable, FileWatcher, WriterEnd {
  readonly #folder = Deno.makeTempDirSync({ prefix: "joblet-journal-" });
  readonly path = `${this.#folder}/0f/${JOB_ID}.journal`;
  readonly #watches = new Set<() => void>();
  readonly #ends = new Set<() => void>();
  #sequence = 0;
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
      this.write(this.encode(body));
      return offset;
    });
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
