/** Signals that a job may be sent, with the numbers that x86-64 and aarch64 share (signal(7)). */
const NUMBERS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGWINCH: 28,
} as const;

export type SignalName = keyof typeof NUMBERS;

/** Names for signals that a job can die of but can't be sent. */
const OTHER_NAMES: Readonly<Record<number, string>> = {
  4: "SIGILL",
  5: "SIGTRAP",
  7: "SIGBUS",
  8: "SIGFPE",
  11: "SIGSEGV",
  13: "SIGPIPE",
  16: "SIGSTKFLT",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  26: "SIGVTALRM",
  27: "SIGPROF",
  29: "SIGIO",
  30: "SIGPWR",
  31: "SIGSYS",
};

/** Names that `parseSignal` takes, for help texts. */
export const SIGNAL_NAMES: readonly string[] = Object.keys(NUMBERS);

/** Reads "TERM", "SIGTERM", "term" or "15". @throws {RangeError} with the known names */
export function parseSignal(text: string): SignalName {
  const wanted = text.trim().toUpperCase();
  for (const [name, number] of Object.entries(NUMBERS)) {
    if (wanted === name || `SIG${wanted}` === name || wanted === String(number)) return name as SignalName;
  }
  throw new RangeError(`Cannot use signal '${text}': it must be one of ${SIGNAL_NAMES.join(", ")}`);
}

/** Number of a signal. */
export function signalNumber(name: SignalName): number {
  return NUMBERS[name];
}

/** Name of a signal number, "SIG34" style for those without one. */
export function signalName(number: number): string {
  const known = Object.entries(NUMBERS).find(([, value]) => value === number);
  return known?.[0] ?? OTHER_NAMES[number] ?? `SIG${number}`;
}
