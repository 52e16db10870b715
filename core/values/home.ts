/** Where everything of one server lives. JOBLET_HOME moves all of it, so that several servers fit on one host. */
export interface Home {
  readonly root: string;
  /** joblet-config.yml, rnx-config.yml, ca.pem, ca.key and secrets.key: private keys, mode 0700. */
  readonly config: string;
  /** joblet.db */
  readonly state: string;
  /** One journal a job: logs/<id>.journal. */
  readonly logs: string;
  /** /work of jobs that keep it: work/<id>. */
  readonly work: string;
  /** Who did what: audit/audit-<number>.jsonl, mode 0700. */
  readonly audit: string;
  /** Lock, server log, and what is made anew at each start. */
  readonly run: string;
}

export const DEFAULT_HOME = "/opt/joblet";

/** The layout below a home folder. @param root absolute path */
export function homeAt(root: string): Home {
  if (!root.startsWith("/")) throw new RangeError(`Cannot use '${root}' as JOBLET_HOME: it must be an absolute path`);
  const base = root.replace(/\/+$/, "");
  const below = (name: string) => `${base}/${name}`;
  return {
    root: base,
    config: below("config"),
    state: below("state"),
    logs: below("logs"),
    work: below("work"),
    audit: below("audit"),
    run: below("run"),
  };
}

/** The home folder that the environment names. @default {"/opt/joblet"} */
export function currentHome(): Home {
  return homeAt(Deno.env.get("JOBLET_HOME") || DEFAULT_HOME);
}
