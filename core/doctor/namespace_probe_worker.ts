/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** The thread of namespace_probe.ts. A new PID namespace is not tried: the runtime could start no more threads after it. */
import { chroot, closeFd, constants as c, mount, openFd, prctl, setns, unshare } from "../../ffi/mod.ts";
import type { ProbeResult } from "./namespace_probe.ts";

const KINDS = [
  ["ipc", c.CLONE_NEWIPC],
  ["uts", c.CLONE_NEWUTS],
  ["cgroup", c.CLONE_NEWCGROUP],
  ["net", c.CLONE_NEWNET],
] as const;

const ROOT = "/tmp";

function probe(): ProbeResult {
  const results: { step: string; error?: string }[] = [];
  const attempt = (step: string, action: () => void): boolean => {
    try {
      action();
      results.push({ step });
      return true;
    } catch (error) {
      results.push({ step, error: error instanceof Error ? error.message : String(error) });
      return false;
    }
  };
  for (const [step, flag] of KINDS) attempt(step, () => unshare(flag));
  attempt("setns", () => {
    const fd = openFd(`/proc/${Deno.pid}/ns/net`, c.O_RDONLY);
    try {
      setns(fd, c.CLONE_NEWNET);
    } finally {
      closeFd(fd);
    }
  });
  // Mounts and the root may only be changed once they are this thread's own.
  if (!attempt("mnt", () => unshare(c.CLONE_NEWNS))) return results;
  attempt("mount", () => {
    mount("none", "/", "", c.MS_REC | c.MS_PRIVATE);
    mount("tmpfs", ROOT, "tmpfs", c.MS_NOSUID | c.MS_NODEV, "size=64k");
  });
  attempt("chroot", () => chroot(ROOT));
  attempt("no_new_privs", () => void prctl(c.PR_SET_NO_NEW_PRIVS, 1n));
  return results;
}

self.postMessage(probe());
