import { type Check, failed, passed } from "./check.ts";

/** What the worker found: each step it took, and the error of those that failed. */
export type ProbeResult = readonly { readonly step: string; readonly error?: string }[];

/** Makes namespaces, a mount and a new root for real, in a thread of its own: a worker's changes end with it. */
export async function probeNamespaces(): Promise<ProbeResult> {
  const worker = new Worker(new URL("./namespace_probe_worker.ts", import.meta.url), { type: "module" });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<ProbeResult>();
    worker.onmessage = ({ data }: MessageEvent<ProbeResult>) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    return await promise;
  } finally {
    worker.terminate();
  }
}

/** Puts the probe's result into words. */
export function checkNamespaces(result: ProbeResult): Check {
  const failures = result.filter(({ error }) => error !== undefined);
  if (failures.length === 0) return passed("namespaces", result.map(({ step }) => step).join(", "));
  const found = failures.map(({ step, error }) => `${step}: ${error}`).join(", ");
  return failed(
    "namespaces",
    found,
    "allow them: sysctl -w user.max_{cgroup,ipc,mnt,net,pid,uts}_namespaces=15000, and run as root with CAP_SYS_ADMIN",
  );
}
