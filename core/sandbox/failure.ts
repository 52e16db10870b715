import { errnoName } from "../../ffi/mod.ts";
import type { StartFailure } from "../jobs/job.ts";
import type { JobSpec } from "../jobs/spec.ts";
import type { Step } from "./step.ts";

/** A step that failed, before it is put into words. */
export interface FailedStep {
  /** Name of the step in the plan, or of what the server did. */
  readonly step: string;
  /** 0 where no system call failed. */
  readonly errno: number;
  /** Last of the steps: the execution of the program itself. */
  readonly isExec: boolean;
}

/** Names a step of the program's table. undefined for errno 0, which is success. */
export function programFailure(errno: number, index: number, program: readonly Step[]): FailedStep | undefined {
  if (errno === 0) return undefined;
  const step = program[index];
  return { step: step?.name ?? "clone3 of the program's process", errno, isExec: step?.call === "execve" };
}

/** What to look at where an errno alone misleads. Keys: step name's first words, then errno. */
const HINTS: readonly { readonly step: RegExp; readonly errno: string; readonly hint: string }[] = [
  {
    step: /^(clone|make namespaces|make a user namespace)/,
    errno: "ENOSPC",
    hint: "too many namespaces: raise the limits in /proc/sys/user/max_*_namespaces",
  },
  { step: /^(clone|make namespaces)/, errno: "EPERM", hint: "the server must run as root with CAP_SYS_ADMIN" },
  {
    step: /^clone/,
    errno: "EAGAIN",
    hint: "too many processes: raise pids.max of the server's cgroup or its RLIMIT_NPROC",
  },
  { step: /^mount tmpfs/, errno: "EINVAL", hint: "the kernel lacks an option of tmpfs" },
  { step: /read-only$/, errno: "ENOSYS", hint: "mount_setattr needs Linux 5.12 or newer" },
  { step: /^make mounts private/, errno: "EPERM", hint: "the server must run as root with CAP_SYS_ADMIN" },
];

/** Puts a failed step into words, with the exit code that a shell would give. */
export function startFailure(
  failed: FailedStep,
  spec: Pick<JobSpec, "command" | "workdir">,
  path: string,
): StartFailure {
  if (failed.errno === 0) return { step: failed.step, errno: "", message: failed.step, exitCode: 125 };
  const errno = errnoName(failed.errno);
  if (failed.isExec) return execFailure(errno, spec, path);
  const hint = failed.step === `enter ${spec.workdir}`
    ? "the working directory must exist inside the job and be open to its user"
    : HINTS.find((candidate) => candidate.step.test(failed.step) && candidate.errno === errno)?.hint;
  const message = `${failed.step}: ${errno}${hint === undefined ? "" : ` (${hint})`}`;
  return { step: failed.step, errno, message, exitCode: 125 };
}

function execFailure(errno: string, { command }: Pick<JobSpec, "command">, path: string): StartFailure {
  const step = `exec ${JSON.stringify(command)}`;
  const byName = !command.includes("/");
  switch (errno) {
    case "ENOENT":
    case "ENOTDIR": {
      const where = byName ? `not found in PATH (${path})` : "no such file in the job, or its interpreter is missing";
      return { step, errno, message: `${step}: ${where}`, exitCode: 127 };
    }
    case "EACCES":
      return { step, errno, message: `${step}: permission denied (is it executable?)`, exitCode: 126 };
    case "ENOEXEC":
      return { step, errno, message: `${step}: not an executable format (a script needs a #! line)`, exitCode: 126 };
    case "E2BIG":
      return { step, errno, message: `${step}: arguments and environment are too long`, exitCode: 126 };
    default:
      return { step, errno, message: `${step}: ${errno}`, exitCode: 126 };
  }
}
