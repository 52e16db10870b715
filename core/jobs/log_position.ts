/**
 * Positions in the output of all attempts of a job: the attempt in the bits above 44, the offset in that attempt's journal
 * below. So they grow with time, one number resumes a stream exactly, and the first attempt's are the journal's own.
 */
const ATTEMPT_UNIT = 2 ** 44;

/** Most attempts of a job: positions stay safe integers. */
export const MAX_ATTEMPTS = 2 ** 9 - 1;

export function toPosition(attempt: number, offset: number): number {
  return (attempt - 1) * ATTEMPT_UNIT + offset;
}

/** The attempt and the offset in it; position 0 is the start of the first attempt. */
export function fromPosition(position: number): { readonly attempt: number; readonly offset: number } {
  const attempt = Math.floor(position / ATTEMPT_UNIT) + 1;
  return { attempt, offset: position - (attempt - 1) * ATTEMPT_UNIT };
}
