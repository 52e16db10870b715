/** The writer of the audit log. There is one for a home folder at a time, which the server's lock sees to. */
import { EngineError } from "../../core/errors.ts";
import { type CallEntry, type EventEntry, formatLine, type Head, sha256, START } from "./record.ts";
import { type AppendFile, openAppendFile, type OpenFile } from "./segment_file.ts";
import { listSegments, readEnd, segmentPath } from "./segments.ts";

const SEGMENT_BYTES = 64 << 20;
/** The bound of the whole log holds at least so many segments, so that removing one leaves most of it. */
const LEAST_SEGMENTS = 4;

/** Room that must be there before a disk that was full counts as writable again: for more than a record or two. */
const ROOM_BYTES = 1 << 16;

export interface AuditLogOptions {
  /** Made if need be, mode 0700. */
  readonly folder: string;
  /** Bytes of all segments: beyond it the oldest are removed. */
  readonly maxBytes: number;
  /** Told once when writing fails, and not again before it has worked. */
  readonly onFailure: (error: unknown) => void;
  /** Told when writing works again. */
  readonly onRecovery: (missing: number) => void;
  /** @default {Date.now} */
  readonly now?: () => number;
  /** @default a file that is made durable in the background */
  readonly openFile?: OpenFile;
}

export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #segmentBytes: number;
  #file: AppendFile | undefined;
  #head: Head = START;
  #failure: unknown;
  /** Calls without a record since writing failed. */
  #missing = 0;
  /** Files that are being made durable and closed. */
  readonly #closing = new Set<Promise<void>>();

  private constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#segmentBytes = Math.min(SEGMENT_BYTES, Math.floor(options.maxBytes / LEAST_SEGMENTS));
  }

  /** Goes on behind what an earlier writer left. Never fails: a log that can't be written now may be later. */
  static open(options: AuditLogOptions): AuditLog {
    const log = new AuditLog(options);
    log.#attempt(() => log.#ready());
    return log;
  }

  /** Writes the record of a call before it returns. A record that can't be written is counted, and told when it can. */
  record(call: CallEntry): void {
    const done = this.#attempt(() => {
      this.#ready();
      this.#write(call);
    });
    if (!done) this.#missing++;
  }

  /** @throws {EngineError} kind "exhausted" or "unavailable" while nothing can be written */
  assertWritable(): void {
    if (this.#failure === undefined || this.#attempt(() => this.#ready())) return;
    const isFull = isFullDisk(this.#failure);
    const why = isFull ? "its disk is full; make room on it" : "its disk fails; the server's log says how";
    throw new EngineError(
      isFull ? "exhausted" : "unavailable",
      `Cannot start or arrange anything while the server's audit log can't be written: ${why}`,
    );
  }

  /** Resolves when all is durable. */
  async close(): Promise<void> {
    if (this.#missing > 0) this.#attempt(() => this.#ready());
    this.#retire();
    await Promise.all(this.#closing);
  }

  #attempt(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) this.#options.onFailure(error);
    this.#failure = error;
    // The next attempt looks at what is on the disk.
    this.#retire();
  }

  #retire(): void {
    if (this.#file === undefined) return;
    const closed = this.#file.close();
    this.#file = undefined;
    this.#closing.add(closed);
    closed.finally(() => this.#closing.delete(closed));
  }

  /** Has a file to append to, behind a whole line, and tells what is missing. */
  #ready(): void {
    if (this.#file === undefined) this.#reopen();
    if (this.#missing > 0) {
      this.#write({ event: "gap", missing: this.#missing });
      this.#options.onRecovery(this.#missing);
      this.#missing = 0;
    } else if (this.#failure !== undefined) {
      this.#options.onRecovery(0);
    }
    this.#failure = undefined;
  }

  #reopen(): void {
    const { folder } = this.#options;
    Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
    Deno.chmodSync(folder, 0o700);
    if (this.#failure !== undefined) assertRoom(`${folder}/room`);
    const { head, torn, lacksNewline } = readEnd(folder);
    this.#head = head;
    this.#file = this.#open(listSegments(folder).at(-1)?.path ?? segmentPath(folder, head.seq + 1));
    if (lacksNewline) this.#file.append(Uint8Array.of(0x0a));
    if (torn.length > 0) this.#endTorn(this.#file, torn);
  }

  #open(path: string): AppendFile {
    const file: AppendFile = (this.#options.openFile ?? openAppendFile)(path, (error) => {
      // One that was retired has failed before; of a later one nothing is said by that.
      if (this.#file === file) this.#fail(error);
    });
    return file;
  }

  /** Ends an unfinished line and tells of it, in one write. */
  #endTorn(file: AppendFile, torn: Uint8Array): void {
    const entry: EventEntry = { event: "torn", bytes: torn.length, sha256: sha256(torn) };
    const { line, head } = formatLine(entry, this.#head, this.#now());
    file.append(Uint8Array.of(0x0a, ...line));
    this.#head = head;
  }

  #write(entry: CallEntry | EventEntry): void {
    let { line, head } = formatLine(entry, this.#head, this.#now());
    const size = this.#file?.size ?? 0;
    if (size > 0 && size + line.length > this.#segmentBytes) {
      this.#startSegment();
      ({ line, head } = formatLine(entry, this.#head, this.#now()));
    }
    this.#file?.append(line);
    this.#head = head;
  }

  #startSegment(): void {
    const { folder, maxBytes } = this.#options;
    const next = this.#open(segmentPath(folder, this.#head.seq + 1));
    this.#retire();
    this.#file = next;
    const segments = listSegments(folder);
    const sizes = segments.map(({ path }) => Deno.statSync(path).size);
    let total = sizes.reduce((sum, size) => sum + size, 0);
    let kept = 0;
    // The new one is counted as full, so that the bound holds until it is.
    while (kept < segments.length - 1 && total + this.#segmentBytes > maxBytes) total -= sizes[kept++]!;
    const first = segments[kept]?.first;
    if (kept === 0 || first === undefined) return;
    // Told before it is done: what is missing without a word was taken by somebody else.
    const { line, head } = formatLine({ event: "removed", through: first - 1 }, this.#head, this.#now());
    next.append(line);
    this.#head = head;
    for (const { path } of segments.slice(0, kept)) Deno.removeSync(path);
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** @throws if so much can't be written */
function assertRoom(path: string): void {
  try {
    Deno.writeFileSync(path, new Uint8Array(ROOM_BYTES), { mode: 0o600 });
  } finally {
    removeIfThere(path);
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isFullDisk(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
