/** A job's own /proc: its processes alone, and nothing that tells of or changes the host. */
import { constants as c } from "../../ffi/mod.ts";
import { bind, setAttributes } from "./mount_steps.ts";
import { EMPTY_FOLDER } from "./root_steps.ts";
import type { Step } from "./step.ts";

/** What this kernel's /proc has of what jobs must not see, and of what they must not change. */
export interface ProcEntries {
  readonly maskedFiles: readonly string[];
  readonly maskedFolders: readonly string[];
  readonly readOnly: readonly string[];
}

/** What leaks data of other jobs or of the host: keys, kernel memory, timers, interrupt counts, hardware. */
const MASKED = [
  "acpi",
  "asound",
  "interrupts",
  "kallsyms",
  "kcore",
  "keys",
  "latency_stats",
  "sched_debug",
  "scsi",
  "timer_list",
  "timer_stats",
];
/** What changes the host when it is written. */
const READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/** Looks at a /proc. @param proc another one in tests */
export function procEntries(proc = "/proc"): ProcEntries {
  const kinds = new Map([...Deno.readDirSync(proc)].map((entry) => [entry.name, entry.isDirectory]));
  return {
    maskedFiles: MASKED.filter((name) => kinds.get(name) === false),
    maskedFolders: MASKED.filter((name) => kinds.get(name) === true),
    readOnly: READ_ONLY.filter((name) => kinds.has(name)),
  };
}

/**
 * Mounts it and covers what is not for jobs. What covers a file is the root's own /dev/null, which lies in a file system that
 * no job can write (CVE-2025-31133: a job's own /dev/null might be a link).
 * @param pidsOnly leaves out all but the processes
 */
export function procSteps(entries: ProcEntries, pidsOnly: boolean): Step[] {
  const flags = c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC;
  const options = pidsOnly ? "hidepid=2,subset=pid" : "hidepid=2";
  const mount: Step = { name: "mount proc on /proc", call: "mount", args: ["proc", "proc", "proc", flags, options] };
  if (pidsOnly) return [mount];
  return [
    mount,
    ...entries.maskedFiles.map((name) => bind(`mask /proc/${name}`, "dev/null", `proc/${name}`)),
    ...entries.maskedFolders.map((name) => bind(`mask /proc/${name}`, EMPTY_FOLDER.slice(1), `proc/${name}`)),
    ...entries.readOnly.flatMap((name) => [
      bind(`bind /proc/${name} on itself`, `proc/${name}`, `proc/${name}`),
      setAttributes(`make /proc/${name} read-only`, `proc/${name}`, c.MOUNT_ATTR_RDONLY),
    ]),
  ];
}
