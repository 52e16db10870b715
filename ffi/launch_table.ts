/**
 * Encodes system calls as a table that native code walks where no JavaScript can run; the layout is in native/walk.h.
 * A table is position independent until it is relocated: by `relocate` for use in this process, or by the code that
 * maps it.
 */
import { cString } from "./memory.ts";
import { type SyscallName, syscallNumber } from "./syscall_numbers.ts";

/** A struct with a pointer to other bytes in it, such as sock_fprog. */
export interface PointingStruct {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where in `bytes` the pointer is. */
  readonly pointerAt: number;
  readonly target: Uint8Array<ArrayBuffer>;
}

/**
 * An argument: a number, a C string, bytes, a struct that points to bytes, or an array of pointers to C strings that ends
 * with NULL (argv, envp).
 */
export type SyscallArg = number | bigint | string | Uint8Array<ArrayBuffer> | PointingStruct | readonly string[];

/** One system call. */
export interface TableCall {
  readonly call: SyscallName;
  readonly args: readonly SyscallArg[];
  /** The walk ends in failure if the result is below. @default {0} */
  readonly min?: number;
  /** After ENOENT, ENOTDIR or EACCES go on with the next call: the search of a program in PATH. @default {false} */
  readonly search?: boolean;
  /** The first argument is the index of an earlier call, whose result takes its place. @default {false} */
  readonly resultOf?: boolean;
}

const HEADER_BYTES = 32;
const ENTRY_BYTES = 80;
const MIN = 56;
const RESULT = 64;
const FLAGS = 72;
const FLAG_SEARCH = 1;
const FLAG_RESULT_OF = 2;
const NOT_REACHED = -(1n << 63n);
/** Its upper half; the lower one is 0. */
const NOT_REACHED_HIGH = 0x80000000;

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

  /** Overwrites all of it: it may hold what nobody is to find in this process's memory. Nothing can use it any more. */
  wipe(): void {
    this.bytes.fill(0);
  }

  /** Result of a call: -errno on failure. */
  result(index: number): TableResult {
    if (index < 0 || index >= this.#length) return undefined;
    const value = this.#view.getBigInt64(HEADER_BYTES + index * ENTRY_BYTES + RESULT, true);
    return value === NOT_REACHED ? undefined : Number(value);
  }
}

const FIRST_SIZE = 16 * 1024;
const TWO_TO_32 = 2 ** 32;
const encoder = new TextEncoder();

/** Writes into one growing buffer; on the way of every start, so without an object or a bigint a word. */
class Encoder {
  readonly relocations: number[] = [];
  tableBytes = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #end: number;

  constructor(calls: readonly TableCall[]) {
    this.#end = HEADER_BYTES + (calls.length + 1) * ENTRY_BYTES;
    this.#bytes = new Uint8Array(Math.max(FIRST_SIZE, this.#end * 2));
    this.#view = new DataView(this.#bytes.buffer);
    this.#word(0, -1);
    this.#word(8, -1);
    calls.forEach((call, index) => this.#entry(HEADER_BYTES + index * ENTRY_BYTES, call));
    this.#word(HEADER_BYTES + calls.length * ENTRY_BYTES, -1);
  }

  #word(at: number, value: number): void {
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setInt32(at + 4, Math.floor(value / TWO_TO_32), true);
  }

  #entry(at: number, { call, args, min, search, resultOf }: TableCall): void {
    if (args.length > 6) throw new RangeError(`Cannot call ${call} with ${args.length} arguments: at most 6`);
    this.#word(at, syscallNumber(call));
    for (let index = 0; index < args.length; index++) this.#argument(at + 8 + index * 8, args[index]!);
    this.#word(at + MIN, min ?? 0);
    this.#view.setUint32(at + RESULT + 4, NOT_REACHED_HIGH, true);
    if (search || resultOf) this.#word(at + FLAGS, (search ? FLAG_SEARCH : 0) | (resultOf ? FLAG_RESULT_OF : 0));
  }

  #argument(at: number, arg: SyscallArg): void {
    if (typeof arg === "number") return this.#word(at, arg);
    if (typeof arg === "bigint") return this.#view.setBigInt64(at, BigInt.asIntN(64, arg), true);
    if (typeof arg === "string") return this.#pointer(at, this.#text(arg));
    if (arg instanceof Uint8Array) return this.#pointer(at, this.#data(arg));
    if ("pointerAt" in arg) {
      const struct = this.#data(arg.bytes);
      this.#pointer(struct + arg.pointerAt, this.#data(arg.target));
      return this.#pointer(at, struct);
    }
    const array = this.#reserve((arg.length + 1) * 8);
    arg.forEach((text, index) => this.#pointer(array + index * 8, this.#text(text)));
    this.#pointer(at, array);
  }

  #pointer(at: number, offset: number): void {
    this.#word(at, offset);
    this.relocations.push(at);
  }

  /** Aligned room behind what is there. @returns its offset */
  #reserve(length: number): number {
    const at = this.#end;
    this.#end = (at + length + 7) & ~7;
    if (this.#end > this.#bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const larger = new Uint8Array(this.#end * 2);
    larger.set(this.#bytes);
    this.#bytes.fill(0);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #data(bytes: Uint8Array<ArrayBuffer>): number {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** A C string. @throws {TypeError} if it holds a NUL */
  #text(text: string): number {
    if (text.includes("\0")) return this.#data(cString(text));
    // At most three bytes a UTF-16 unit.
    const most = text.length * 3 + 1;
    const at = this.#reserve(most);
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(at, at + most));
    this.#end = (at + written + 1 + 7) & ~7;
    return at;
  }

  finish(extraBytes: number): Uint8Array<ArrayBuffer> {
    const relocs = this.#reserve(this.relocations.length * 8);
    this.tableBytes = relocs + this.relocations.length * 8;
    this.#word(16, relocs);
    this.#word(24, this.relocations.length);
    this.relocations.forEach((at, index) => this.#word(relocs + index * 8, at));
    const table = new Uint8Array(this.tableBytes + extraBytes);
    table.set(this.#bytes.subarray(0, this.tableBytes));
    // Only the table itself is wiped later.
    this.#bytes.fill(0);
    return table;
  }
}
