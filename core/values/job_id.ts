const WHOLE = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PREFIX = /^[0-9a-f][0-9a-f-]{0,35}$/;

/** A fresh id: UUID version 4 from the system's random numbers. */
export function newJobId(): string {
  return crypto.randomUUID();
}

/** Whether the text is a whole job id. */
export function isJobId(text: string): boolean {
  return WHOLE.test(text);
}

/** Whether the text could be the start of a job id. */
export function isJobIdPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/** The first twelve digits, enough to be unique among a million jobs. */
export function shortJobId(id: string): string {
  return id.slice(0, 13);
}
