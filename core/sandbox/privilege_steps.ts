/** From root of the host to a user of the job's own user namespace without any privilege. */
import { constants as c, PROGRAM_FDS } from "../../ffi/mod.ts";
import type { Step } from "./step.ts";

export interface PrivilegeOptions {
  readonly uid: number;
  readonly lastCapability: number;
  readonly keyrings: boolean;
}

/**
 * All five capability sets empty, for good. Entering the user namespace fills four of them, with power over that namespace
 * alone; so they are emptied after it, the bounding set first, as dropping from it needs a capability.
 */
export function privilegeSteps({ uid, lastCapability, keyrings }: PrivilegeOptions): Step[] {
  const drops = Array.from({ length: lastCapability + 1 }, (_, capability): Step => ({
    name: `drop capability ${capability} for good`,
    call: "prctl",
    args: [c.PR_CAPBSET_DROP, capability, 0, 0, 0],
  }));
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, c.CAPABILITY_VERSION_3, true);
  return [
    { name: "enter the user namespace", call: "setns", args: [PROGRAM_FDS.users, c.CLONE_NEWUSER] },
    { name: "close the user namespace", call: "close", args: [PROGRAM_FDS.users] },
    ...drops,
    {
      name: "clear ambient capabilities",
      call: "prctl",
      args: [c.PR_CAP_AMBIENT, c.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0],
    },
    // Else user 0 would gain what the bounding set still had, and set-id programs would change the sets.
    { name: "lock the secure bits", call: "prctl", args: [c.PR_SET_SECUREBITS, c.SECUREBITS_LOCKED_DOWN, 0, 0, 0] },
    { name: "leave all groups", call: "setgroups", args: [0, 0] },
    { name: `become group ${uid}`, call: "setresgid", args: [uid, uid, uid] },
    { name: `become user ${uid}`, call: "setresuid", args: [uid, uid, uid] },
    // The server's session keyring would come along, with whatever keys it leads to.
    ...(keyrings
      ? [{ name: "leave the server's keyring", call: "keyctl", args: [c.KEYCTL_JOIN_SESSION_KEYRING, 0] } as const]
      : []),
    { name: "drop all capabilities", call: "capset", args: [header, new Uint8Array(24)] },
    { name: "forbid new privileges", call: "prctl", args: [c.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] },
  ];
}
