/**
 * Encodes system calls as a table that native code walks where no JavaScript can run; the layout is in native/walk.h.
 * A table is position independent until it is relocated: by `relocate` for use in this process, or by the code that
 * maps it.
 */
import { cString } from "./memory.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

/** An argument: a number, a C string, bytes, or an array of pointers to C strings that ends with NULL (argv, envp). */
export type SyscallArg = number | bigint | string | Uint8Array<ArrayBuffer> | readonly string[];

/** One system call. */
export interface TableCall {
  readonly call: SyscallName;
  readonly args: readonly SyscallArg[];
  /** The walk ends in failure if the result is below. @default {0} */
  readonly min?: number;
  /** After ENOENT, ENOTDIR or EACCES go on with the next call: the search of a program in PATH. @default {false} */
  readonly search?: boolean;
}

const HEADER_BYTES = 32;
const ENTRY_BYTES = 80;
const MIN = 56;
const RESULT = 64;
const FLAGS = 72;
const FLAG_SEARCH = 1n;
const NOT_REACHED = -(1n << 63n);

/** A result of an entry: undefined if it was not reached, or was under way when the walker died or executed. */
export type TableResult = number | undefined;

export class LaunchTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of the table itself, without the extra room behind it. */
  readonly tableBytes: number;
  readonly #view: DataView;
  readonly #relocations: number[];
  readonly #length: number;

  /** @param extraBytes free room behind the table, for a stack or structs */
  constructor(calls: readonly TableCall[], extraBytes = 0) {
    const encoder = new Encoder(calls);
    this.bytes = encoder.finish(extraBytes);
    this.tableBytes = encoder.tableBytes;
    this.#relocations = encoder.relocations;
    this.#view = new DataView(this.bytes.buffer);
    this.#length = calls.length;
  }

  /** Makes the table's pointers whole for the address it lies at in this process. */
  relocate(address: bigint): void {
    for (const at of this.#relocations) {
      this.#view.setBigUint64(at, this.#view.getBigUint64(at, true) + address, true);
    }
  }

  /** Index of the call under way or last made; -1 if the walk has not begun. */
  get current(): number {
    return Number(this.#view.getBigInt64(0, true));
  }

  /** Result of a call: -errno on failure. */
  result(index: number): TableResult {
    if (index < 0 || index >= this.#length) return undefined;
    const value = this.#view.getBigInt64(HEADER_BYTES + index * ENTRY_BYTES + RESULT, true);
    return value === NOT_REACHED ? undefined : Number(value);
  }
}

class Encoder {
  readonly relocations: number[] = [];
  tableBytes = 0;
  readonly #chunks: { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> }[] = [];
  readonly #words: { readonly at: number; readonly value: bigint }[] = [];
  #end: number;

  constructor(calls: readonly TableCall[]) {
    this.#end = HEADER_BYTES + (calls.length + 1) * ENTRY_BYTES;
    this.#word(0, -1n);
    this.#word(8, -1n);
    calls.forEach((call, index) => this.#entry(HEADER_BYTES + index * ENTRY_BYTES, call));
    this.#word(HEADER_BYTES + calls.length * ENTRY_BYTES, -1n);
  }

  #word(at: number, value: bigint): void {
    this.#words.push({ at, value });
  }

  #entry(at: number, { call, args, min, search }: TableCall): void {
    if (args.length > 6) throw new RangeError(`Cannot call ${call} with ${args.length} arguments: at most 6`);
    this.#word(at, BigInt(syscallNumber(call)));
    args.forEach((arg, index) => this.#argument(at + 8 + index * 8, arg));
    this.#word(at + MIN, BigInt(min ?? 0));
    this.#word(at + RESULT, NOT_REACHED);
    this.#word(at + FLAGS, search ? FLAG_SEARCH : 0n);
  }

  #argument(at: number, arg: SyscallArg): void {
    if (typeof arg === "number" || typeof arg === "bigint") return this.#word(at, BigInt(arg));
    if (typeof arg === "string") return this.#pointer(at, this.#place(cString(arg)));
    if (arg instanceof Uint8Array) return this.#pointer(at, this.#place(arg));
    const array = this.#place(new Uint8Array((arg.length + 1) * 8));
    arg.forEach((text, index) => this.#pointer(array + index * 8, this.#place(cString(text))));
    this.#pointer(at, array);
  }

  #pointer(at: number, offset: number): void {
    this.#word(at, BigInt(offset));
    this.relocations.push(at);
  }

  /** Reserves aligned room for data. @returns its offset */
  #place(bytes: Uint8Array<ArrayBuffer>): number {
    const at = this.#end;
    this.#chunks.push({ at, bytes });
    this.#end = (at + bytes.length + 7) & ~7;
    return at;
  }

  finish(extraBytes: number): Uint8Array<ArrayBuffer> {
    const relocs = this.#end;
    this.tableBytes = relocs + this.relocations.length * 8;
    const table = new Uint8Array(this.tableBytes + extraBytes);
    const view = new DataView(table.buffer);
    this.#word(16, BigInt(relocs));
    this.#word(24, BigInt(this.relocations.length));
    this.relocations.forEach((at, index) => this.#word(relocs + index * 8, BigInt(at)));
    for (const { at, bytes } of this.#chunks) table.set(bytes, at);
    for (const { at, value } of this.#words) view.setBigInt64(at, BigInt.asIntN(64, value), true);
    return table;
  }
}
