/** Classic BPF as seccomp runs it (linux/filter.h, linux/bpf_common.h), and a builder of programs. */

export const LD_W_ABS = 0x20;
export const ALU_AND_K = 0x54;
export const JMP_JA = 0x05;
export const JMP_JEQ_K = 0x15;
export const JMP_JGE_K = 0x35;
export const RET_K = 0x06;

/** BPF_MAXINSNS: the kernel takes no longer program. */
export const MAX_INSTRUCTIONS = 4096;
/** sizeof(struct sock_filter): u16 code, u8 jt, u8 jf, u32 k. */
export const INSTRUCTION_BYTES = 8;

export interface Instruction {
  readonly code: number;
  /** How many instructions to skip if the comparison holds, and if it does not. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** An instruction of a program that is being built, to jump to. Counted from the program's end, so that it stays. */
export type Place = number & { readonly __place: unique symbol };

/** How far a conditional jump may go, less one: making the other of its jumps may move it by one instruction. */
const FAR = 254;

/**
 * Builds a program from its end to its start. Jumps only go forward, so the target of each is there when it is made
 * and its distance is known: nothing is ever corrected afterwards.
 */
export class ProgramBuilder {
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Place>();

  /** Ends the program with this value. Shared with what asked for the same before, if that is near enough. */
  ret(value: number): Place {
    const earlier = this.#returns.get(value);
    if (earlier !== undefined && this.#distance(earlier) <= FAR) return earlier;
    const place = this.#push({ code: RET_K, jt: 0, jf: 0, k: value });
    this.#returns.set(value, place);
    return place;
  }

  /** Loads the word at this offset of struct seccomp_data. */
  load(offset: number, next: Place): Place {
    this.#continueAt(next);
    return this.#push({ code: LD_W_ABS, jt: 0, jf: 0, k: offset });
  }

  /** Clears the bits of the loaded word that are not in the mask. */
  and(mask: number, next: Place): Place {
    this.#continueAt(next);
    return this.#push({ code: ALU_AND_K, jt: 0, jf: 0, k: mask });
  }

  /** Goes on at `yes` if the loaded word compares to `value`, else at `no`. */
  branch(code: typeof JMP_JEQ_K | typeof JMP_JGE_K, value: number, yes: Place, no: Place): Place {
    const [nearYes, nearNo] = [this.#near(yes), this.#near(no)];
    return this.#push({ code, jt: this.#distance(nearYes), jf: this.#distance(nearNo), k: value });
  }

  /** The program as struct sock_filter[], little-endian. @throws {RangeError} if it is longer than the kernel takes */
  bytes(): Uint8Array<ArrayBuffer> {
    const count = this.#reversed.length;
    if (count > MAX_INSTRUCTIONS) throw new RangeError(`Cannot make a filter of ${count} instructions`);
    const bytes = new Uint8Array(count * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    this.#reversed.toReversed().forEach(({ code, jt, jf, k }, index) => {
      const at = index * INSTRUCTION_BYTES;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, jt);
      view.setUint8(at + 3, jf);
      view.setUint32(at + 4, k, true);
    });
    return bytes;
  }

  #push(instruction: Instruction): Place {
    this.#reversed.push(instruction);
    return this.#reversed.length - 1 as Place;
  }

  /** How many instructions lie between the next one to be made and a place. */
  #distance(place: Place): number {
    return this.#reversed.length - 1 - place;
  }

  /** A place from which the program goes on at this one, near enough for a conditional jump. */
  #near(place: Place): Place {
    return this.#distance(place) <= FAR ? place : this.#goto(place);
  }

  /** Makes the next instruction fall through to this place. */
  #continueAt(place: Place): void {
    if (this.#distance(place) > 0) this.#goto(place);
  }

  #goto(place: Place): Place {
    return this.#push({ code: JMP_JA, jt: 0, jf: 0, k: this.#distance(place) });
  }
}
