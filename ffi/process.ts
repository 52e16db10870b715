import * as c from "./constants.ts";
import { check, libc } from "./libc.ts";
import { syscallNumber } from "./syscall_numbers.ts";

/** An fd that stands for a process and, unlike its pid, never for another one. @throws {SyscallError} ESRCH: none */
export function pidfdOpen(pid: number): number {
  if (!(pid > 0)) throw new RangeError(`Cannot open process ${pid}: a pid is positive`);
  const number = BigInt(syscallNumber("pidfd_open"));
  return check("pidfd_open", () => libc().syscall(number, BigInt(pid), 0n, 0n, 0n, 0n), `pid ${pid}`);
}

/** Sends a signal to the process behind a pidfd. @throws {SyscallError} ESRCH: it has ended */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  const number = BigInt(syscallNumber("pidfd_send_signal"));
  check(
    "pidfd_send_signal",
    () => libc().syscall(number, BigInt(pidfd), BigInt(signal), 0n, 0n, 0n),
    `signal ${signal}`,
  );
}

const SIGINFO_BYTES = 128; // sizeof(siginfo_t)
const SI_CODE = 8; // offsetof(siginfo_t, si_code)
const SI_STATUS = 24; // offsetof(siginfo_t, si_status)
const CLD_EXITED = 1;

/**
 * Reaps a child that has ended. @returns its exit code or signal; undefined if it is no child of this process (it was
 * started by an earlier one) or has not ended. @throws {SyscallError}
 */
export function reapChild(pidfd: number): { readonly code: number } | { readonly signal: number } | undefined {
  const info = new Uint8Array(SIGINFO_BYTES);
  const errno = tryWait(pidfd, info);
  const view = new DataView(info.buffer);
  if (errno === "not a child" || view.getInt32(0, true) === 0) return undefined;
  const status = view.getInt32(SI_STATUS, true);
  return view.getInt32(SI_CODE, true) === CLD_EXITED ? { code: status } : { signal: status };
}

function tryWait(pidfd: number, info: Uint8Array<ArrayBuffer>): "waited" | "not a child" {
  try {
    check("waitid", () => libc().waitid(c.P_PIDFD, pidfd, info, c.WEXITED | c.WNOHANG | c.WALL), `pidfd ${pidfd}`);
    return "waited";
  } catch (error) {
    if (error instanceof Error && "errnoName" in error && error.errnoName === "ECHILD") return "not a child";
    throw error;
  }
}

/** prctl(2) with up to four arguments. @throws {SyscallError} */
export function prctl(option: number, a = 0n, b = 0n, x = 0n, d = 0n): number {
  return check("prctl", () => libc().prctl(option, a, b, x, d), `option ${option}`);
}
