/** Proves that the audit log is as it was written, or names the first place where it is not. */
import { EngineError } from "../../core/errors.ts";
import { type AuditRecord, type Head, parseLine, sha256, START } from "./record.ts";
import { type Line, listSegments, readLines, type Segment } from "./segments.ts";

/** What was found. */
export interface AuditCheck {
  /** Records whose chain holds, from `first` to the head. */
  readonly records: number;
  /** Number of the first record that is there; 0 for an empty log. */
  readonly first: number;
  readonly head: Head;
  /** Unfinished lines that a record tells of. */
  readonly torn: number;
  /** Calls without a record, as the log itself tells. */
  readonly missing: number;
  /** Bytes of an unfinished line at the very end: it is being written, or its writer was killed. */
  readonly unfinishedBytes: number;
  /** The first place that is not as it was written. */
  readonly broken?: { readonly file: string; readonly line: number; readonly reason: string };
}

/** A line that is no record, until the next one says why. */
interface Odd extends Line {
  readonly segment: Segment;
}

/**
 * Reads the whole log.
 * @param expected a head that was kept elsewhere: its record must still be there
 * @throws {EngineError} kind "precondition" if it can't be read
 */
export async function verifyAudit(folder: string, expected?: Head): Promise<AuditCheck> {
  const segments = listSegments(folder);
  const chain = new Chain(expected);
  for (const segment of segments) {
    for await (const line of readLines(segment)) {
      if (!chain.follow(segment, line)) return chain.result();
    }
  }
  return chain.end(segments);
}

class Chain {
  readonly #expected: Head | undefined;
  #head: Head = START;
  #first = 0;
  #records = 0;
  #torn = 0;
  #missing = 0;
  #removedThrough = 0;
  #odd: Odd | undefined;
  #unfinishedBytes = 0;
  #broken: AuditCheck["broken"];

  constructor(expected: Head | undefined) {
    this.#expected = expected;
  }

  result(): AuditCheck {
    return {
      records: this.#records,
      first: this.#first,
      head: this.#head,
      torn: this.#torn,
      missing: this.#missing,
      unfinishedBytes: this.#unfinishedBytes,
      ...(this.#broken && { broken: this.#broken }),
    };
  }

  /** @returns false if the chain is broken here */
  follow(segment: Segment, line: Line): boolean {
    const record = parseLine(line.bytes);
    if (this.#odd) return this.#explain(this.#odd, record) && this.#accept(segment, line, record);
    if (record) return this.#accept(segment, line, record);
    this.#odd = { ...line, bytes: line.bytes.slice(), segment };
    return true;
  }

  /** Looks at what can be told only of the whole. */
  end(segments: readonly Segment[]): AuditCheck {
    const [oldest, newest] = [segments[0], segments.at(-1)];
    const odd = this.#odd;
    if (odd && (odd.isWhole || odd.segment !== newest)) this.#breakOff(odd.segment, odd.number, CHANGED);
    else if (odd) this.#unfinishedBytes = odd.bytes.length;
    if (oldest && this.#broken === undefined && this.#first > this.#removedThrough + 1) {
      const reason = `records 1 to ${this.#first - 1} are gone, and no record tells that the server removed them`;
      this.#breakOff(oldest, 1, reason);
    }
    if (this.#broken === undefined && this.#expected) this.#checkExpected(this.#expected, newest);
    return this.result();
  }

  #explain(odd: Odd, record: AuditRecord | undefined): record is AuditRecord {
    const isTorn = record !== undefined && "event" in record && record.event === "torn" &&
      record.bytes === odd.bytes.length && record.sha256 === sha256(odd.bytes);
    if (!isTorn) return this.#breakOff(odd.segment, odd.number, CHANGED);
    this.#odd = undefined;
    this.#torn++;
    return true;
  }

  #accept(segment: Segment, line: Line, record: AuditRecord): boolean {
    const { seq } = record;
    // What comes first after a removal is the chain's anchor: nothing before it can be proven.
    if (this.#records === 0 && seq > 1) this.#head = { seq: seq - 1, hash: record.prev };
    const due = this.#head.seq + 1;
    if (seq > due) {
      const gone = seq - due === 1 ? `record ${due} is` : `records ${due} to ${seq - 1} are`;
      return this.#breakOff(segment, line.number, `${gone} gone before this one, ${seq}`);
    }
    if (seq < due) return this.#breakOff(segment, line.number, `record ${seq} stands where ${due} belongs`);
    if (record.prev !== this.#head.hash) {
      return this.#breakOff(segment, line.number, `record ${seq} does not follow the one before it`);
    }
    if (seq === this.#expected?.seq && record.hash !== this.#expected.hash) {
      return this.#breakOff(segment, line.number, `record ${seq} is another than the expected head`);
    }
    if (this.#records === 0) this.#first = seq;
    this.#records++;
    this.#head = { seq, hash: record.hash };
    if ("event" in record && record.event === "gap") this.#missing += record.missing;
    if ("event" in record && record.event === "removed") this.#removedThrough = record.through;
    return true;
  }

  #checkExpected({ seq }: Head, newest: Segment | undefined): void {
    if (seq > this.#head.seq) {
      const reason = `the log ends with record ${this.#head.seq}: those up to ${seq} were cut off`;
      this.#broken = { file: newest?.path ?? "", line: 0, reason };
    } else if (seq < this.#first) {
      throw new EngineError(
        "precondition",
        `Cannot check record ${seq}: the log begins with record ${this.#first}; keep its head more often`,
      );
    }
  }

  #breakOff({ path }: Segment, line: number, reason: string): false {
    this.#broken = { file: path, line, reason };
    return false;
  }
}

const CHANGED = "this line is not as it was written";
