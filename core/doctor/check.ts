/** One thing that a host must have to run jobs. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly detail: string;
  /** What to do, where something is missing. */
  readonly cure?: string;
}

export function passed(name: string, detail: string): Check {
  return { name, ok: true, detail };
}

export function failed(name: string, detail: string, cure: string): Check {
  return { name, ok: false, detail, cure };
}
