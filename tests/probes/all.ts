import { API } from "./api.ts";
import { IDENTITY } from "./identity.ts";
import { KERNEL_SURFACE } from "./kernel_surface.ts";
import { LIFECYCLE } from "./lifecycle.ts";
import { NETWORK } from "./network.ts";
import { OUTPUT } from "./output.ts";
import { PROC_DEV } from "./proc_dev.ts";
import type { Probe } from "./probe.ts";
import { RESOURCES } from "./resources.ts";

/** All probes by number. */
export const PROBES: readonly Probe[] = [
  ...[API, IDENTITY, KERNEL_SURFACE, LIFECYCLE],
  ...[NETWORK, OUTPUT, PROC_DEV, RESOURCES],
].flat().sort((a, b) => a.number - b.number);

/** "27 host network" */
export const nameOf = ({ number, part }: Probe): string => part === undefined ? String(number) : `${number} ${part}`;
