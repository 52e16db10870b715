import { setImmediate } from "node:timers";

/** Gives the rest of the process its turn: for long loops whose awaits may all be answered at once. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
