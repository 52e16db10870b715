/** A network with nothing but loopback, in the process's own network namespace. */
import { constants as c } from "../../ffi/mod.ts";
import type { Step } from "./step.ts";

/**
 * Sets the interface flags of "lo" (struct ifreq: 16 bytes of name, then the flags).
 * @param index how many steps come before these
 */
export function loopbackSteps(index: number): Step[] {
  const ifreq = new Uint8Array(40);
  new TextEncoder().encodeInto("lo", ifreq);
  new DataView(ifreq.buffer).setInt16(16, c.IFF_UP, true);
  return [
    { name: "open a socket", call: "socket", args: [c.AF_INET, c.SOCK_DGRAM | c.SOCK_CLOEXEC, 0] },
    { name: "bring up loopback", call: "ioctl", args: [index, c.SIOCSIFFLAGS, ifreq], resultOf: true },
    { name: "close the socket", call: "close", args: [index], resultOf: true },
  ];
}

/** Name of the step whose result is an fd of a namespace. */
export const OPEN_NETWORK = "open the network namespace";

/** Makes so many namespaces. Of each the last thing is that it is opened: what can be opened is ready. */
export function networkSteps(count: number): Step[] {
  const steps: Step[] = [];
  for (let made = 0; made < count; made++) {
    steps.push({ name: "make a network namespace", call: "unshare", args: [c.CLONE_NEWNET] });
    steps.push(...loopbackSteps(steps.length));
    const args = [c.AT_FDCWD, "/proc/self/ns/net", c.O_RDONLY | c.O_CLOEXEC, 0];
    steps.push({ name: OPEN_NETWORK, call: "openat", args });
  }
  return steps;
}
