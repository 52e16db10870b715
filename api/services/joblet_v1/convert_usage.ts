/** What a job uses, to the wire. */
import { create } from "@bufbuild/protobuf";
import type { Pressure as CorePressure, Usage } from "../../../core/jobs/job.ts";
import {
  type Pressure,
  PressureSchema,
  type ResourceUsage,
  ResourceUsageSchema,
} from "../../../proto/gen/joblet/v1/job_pb.ts";
import { durationFromMs } from "./convert_time.ts";

/** Fields of the same name on both sides. */
const NUMBERS = [
  "memoryPeakBytes",
  "memoryBytes",
  "ioReadBytes",
  "ioWriteBytes",
  "ioReadOps",
  "ioWriteOps",
  "pids",
  "pidsPeak",
] as const satisfies readonly (keyof Usage)[];

export function usageToProto(usage: Usage): ResourceUsage {
  const message = create(ResourceUsageSchema);
  const { cpuUserMs, cpuSystemMs, pressure } = usage;
  if (cpuUserMs !== undefined) message.cpuUser = durationFromMs(cpuUserMs);
  if (cpuSystemMs !== undefined) message.cpuSystem = durationFromMs(cpuSystemMs);
  for (const field of NUMBERS) {
    const value = usage[field];
    if (value !== undefined) message[field] = BigInt(value);
  }
  if (pressure?.cpu) message.cpuPressure = pressureToProto(pressure.cpu);
  if (pressure?.memory) message.memoryPressure = pressureToProto(pressure.memory);
  if (pressure?.io) message.ioPressure = pressureToProto(pressure.io);
  return message;
}

function pressureToProto({ someTotalUs, fullTotalUs, someAvg10, fullAvg10 }: CorePressure): Pressure {
  const message = create(PressureSchema, { someTotalUs: BigInt(someTotalUs) });
  if (fullTotalUs !== undefined) message.fullTotalUs = BigInt(fullTotalUs);
  if (someAvg10 !== undefined) message.someAvg10 = someAvg10;
  if (fullAvg10 !== undefined) message.fullAvg10 = fullAvg10;
  return message;
}
