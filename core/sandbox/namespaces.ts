import { constants as c } from "../../ffi/mod.ts";

const NAMES = {
  CLONE_NEWPID: c.CLONE_NEWPID,
  CLONE_NEWNS: c.CLONE_NEWNS,
  CLONE_NEWIPC: c.CLONE_NEWIPC,
  CLONE_NEWUTS: c.CLONE_NEWUTS,
  CLONE_NEWNET: c.CLONE_NEWNET,
  CLONE_NEWUSER: c.CLONE_NEWUSER,
  CLONE_NEWCGROUP: c.CLONE_NEWCGROUP,
} as const;

/** "CLONE_NEWPID|CLONE_NEWNS" */
export function describeNamespaces(flags: bigint): string {
  return Object.entries(NAMES).filter(([, flag]) => (flags & flag) !== 0n).map(([name]) => name).join("|");
}
