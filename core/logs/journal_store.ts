import { existsSync, statSync } from "node:fs";
import { EngineError } from "../errors.ts";
import { isJobId } from "../values/job_id.ts";
import { type FileWatcher, streamJournal } from "./follow.ts";
import { compressJournal } from "./compress_journal.ts";
import { compressedPath } from "./compressed_journal.ts";
import { deleteJournal } from "./journal_file.ts";
import { type JournalOutcome, readOutcome, type ReadOutcomeOptions } from "./last_frame.ts";
import type { JournalBatch, RunLogQuery, WriterEnd } from "./log.ts";
import type { LogStore, RunId } from "./log_store.ts";
import { Serial } from "./serial.ts";
import { SharedFlush } from "./shared_flush.ts";
import type { SpareJournals } from "./spare_journals.ts";
import { turn } from "./turn.ts";

export interface JournalStoreOptions {
  /**
   * Made if it is missing. All journals lie in it: a folder's index finds a name among millions, and spread over folders each
   * new file would take its inode from another block group, which costs ext4 half a millisecond.
   */
  readonly folder: string;
  readonly spares: SpareJournals;
  readonly watcher: FileWatcher;
  /** A run's output of more bytes than this is compressed when it is sealed. */
  readonly compressMinBytes: number;
  /** Makes durable what was written to the disk of the folder. */
  readonly flush: () => Promise<void>;
  /** How long others are waited for that want a flush too, in milliseconds. @default {5000} */
  readonly flushDelayMs?: number;
}

/** Names looked at by `list` before others get their turn. */
const NAMES_AT_ONCE = 500;

/** Folder of compressed journals that are not whole yet. */
const TEMPORARY = ".sealing";

interface Sealing {
  readonly abort: AbortController;
  readonly done: Promise<number>;
}

/** Opens the store of a home and removes what an earlier process left half made. */
export function openJournalStore(options: JournalStoreOptions): JournalStore {
  const temporary = `${options.folder}/${TEMPORARY}`;
  if (existsSync(temporary)) Deno.removeSync(temporary, { recursive: true });
  Deno.mkdirSync(temporary, { recursive: true, mode: 0o700 });
  return new JournalStore(options);
}

/**
 * Runs' output as files of one folder: `<id>.journal` for the first attempt, `<id>.<attempt>.journal` for the others. Sealed
 * and compressed it has `.z` behind that name.
 */
export class JournalStore implements LogStore {
  readonly #options: JournalStoreOptions;
  readonly #sealing = new Map<string, Sealing>();
  /** One at a time: each has a file and a block in memory, and they share the processor with everything else. */
  readonly #compressions = new Serial();
  /** Replaces names, or reads all of them. */
  readonly #names = new Serial();
  readonly #flushes: SharedFlush;
  #temporaries = 0;

  /** Use `openJournalStore`. */
  constructor(options: JournalStoreOptions) {
    this.#options = options;
    this.#flushes = new SharedFlush(options.flush, options.flushDelayMs);
  }

  create(run: RunId): string {
    const path = this.#path(run);
    // A spare's renaming would replace a journal that exists.
    if (isStored(path)) throw new EngineError("conflict", `Cannot create the journal "${path}": it exists`);
    this.#options.spares.create(path, run.id);
    return path;
  }

  describe(run: RunId): string {
    return this.#path(run);
  }

  exists(run: RunId): boolean {
    return isStored(this.#path(run));
  }

  async outcome(run: RunId, options: ReadOutcomeOptions = {}): Promise<JournalOutcome> {
    return await readOutcome(this.#path(run), options);
  }

  read(run: RunId, query: RunLogQuery, ended: WriterEnd): AsyncGenerator<JournalBatch> {
    return streamJournal({ ...query, path: this.#path(run), watcher: this.#options.watcher, ended });
  }

  async seal(run: RunId): Promise<number> {
    const path = this.#path(run);
    const sealing = this.#sealing.get(path) ?? this.#startSeal(path);
    return await sealing.done;
  }

  #startSeal(path: string): Sealing {
    const abort = new AbortController();
    const done = this.#seal(path, abort.signal).finally(() => this.#sealing.delete(path));
    const sealing = { abort, done };
    this.#sealing.set(path, sealing);
    return sealing;
  }

  async #seal(path: string, signal: AbortSignal): Promise<number> {
    await this.#flushes.wait();
    const info = infoOf(path);
    if (info === undefined || signal.aborted) return await this.#sealedBytes(path, signal);
    if (info.size <= this.#options.compressMinBytes) return diskBytes(info);
    const temporary = `${this.#options.folder}/${TEMPORARY}/${this.#temporaries++}`;
    await this.#compressions.run(async () => {
      // For less than an eighth, reading it will not be made slower.
      if (await compressJournal(path, temporary, diskBytes(info) * 7 / 8, signal)) {
        await this.#names.run(() => this.#replace(path, temporary, signal));
      }
    });
    return await this.#sealedBytes(path, signal);
  }

  async #sealedBytes(path: string, signal: AbortSignal): Promise<number> {
    const bytes = await bytesOf(path) ?? await bytesOf(compressedPath(path));
    if (bytes === undefined && !signal.aborted) {
      throw new EngineError("not_found", `Cannot seal the journal "${path}": there is none`);
    }
    return bytes ?? 0;
  }

  /** A crash at any point leaves one of the two files, or both, which say the same. */
  async #replace(path: string, temporary: string, signal: AbortSignal): Promise<void> {
    // Without a pause between look and renaming: what `remove` removes after this includes the compressed one.
    if (signal.aborted) return Deno.removeSync(temporary);
    Deno.renameSync(temporary, compressedPath(path));
    using folder = await Deno.open(this.#options.folder);
    await folder.sync();
    try {
      await Deno.remove(path);
    } catch (error) {
      // `remove` was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  diskBytes(run: RunId): number {
    const path = this.#path(run);
    const info = statSync(path, { throwIfNoEntry: false }) ?? statSync(compressedPath(path), { throwIfNoEntry: false });
    return (info?.blocks ?? 0) * 512;
  }

  async removeRun(run: RunId): Promise<void> {
    const path = this.#path(run);
    this.#sealing.get(path)?.abort.abort();
    await deleteJournal(path);
  }

  async remove(id: string, attempts: number): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) await this.removeRun({ id, attempt });
  }

  async close(): Promise<void> {
    this.#flushes.close();
    for (const { abort } of this.#sealing.values()) abort.abort();
    await Promise.allSettled([...this.#sealing.values()].map(({ done }) => done));
  }

  async *list(): AsyncGenerator<RunId> {
    const { folder } = this.#options;
    // All names at once and not while one is replaced by another, so that none is missed or seen twice.
    const names = await this.#names.run(() => namesOf(folder));
    for (const [i, name] of names.entries()) {
      if (i % NAMES_AT_ONCE === 0) await turn();
      const found = parseName(name);
      // A crash may have left both forms.
      if (found && !(found.compressed && existsSync(this.#path(found.run)))) yield found.run;
    }
  }

  /** @throws {RangeError} if there can be no such run: a name made up must not lead to other files */
  #path({ id, attempt }: RunId): string {
    if (!isJobId(id) || !Number.isSafeInteger(attempt) || attempt < 1) {
      throw new RangeError(`Cannot name the journal of attempt ${attempt} of job '${id}'`);
    }
    return `${this.#options.folder}/${id}${attempt === 1 ? "" : `.${attempt}`}.journal`;
  }
}

/** In this order: the compressed one is there before the other one goes. */
function isStored(path: string): boolean {
  return existsSync(path) || existsSync(compressedPath(path));
}

const NAME = /^([0-9a-f-]{36})(?:\.([2-9]|[1-9][0-9]{1,14}))?\.journal(\.z)?$/;

function parseName(name: string): { readonly run: RunId; readonly compressed: boolean } | undefined {
  const [, id, attempt = "1", suffix] = NAME.exec(name) ?? [];
  if (id === undefined || !isJobId(id)) return undefined;
  return { run: { id, attempt: Number(attempt) }, compressed: suffix !== undefined };
}

async function namesOf(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    names.push(name);
    if (names.length % NAMES_AT_ONCE === 0) await turn();
  }
  return names;
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function bytesOf(path: string): Promise<number | undefined> {
  try {
    return diskBytes(await Deno.stat(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function diskBytes(info: Deno.FileInfo): number {
  return (info.blocks ?? 0) * 512;
}
