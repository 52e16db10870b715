import type { AuditHead } from "../host.ts";

/** "17:9f86d0...", as `joblet audit --head` prints it. @throws {RangeError} */
export function parseHead(text: string): AuditHead {
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new RangeError(
    `Cannot use --expect-head '${text}': it must be a number, a colon and 64 hexadecimal digits, as 'joblet audit --head' prints`,
  );
}

/** The text that `parseHead` reads. */
export function formatHead({ seq, hash }: AuditHead): string {
  return `${seq}:${hash}`;
}
