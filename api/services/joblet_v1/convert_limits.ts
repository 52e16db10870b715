/** Limits, from the wire to the core and back: the fields have the same names. What is unset stays unset. */
import { create } from "@bufbuild/protobuf";
import type { Limits as CoreLimits, LimitsInput, NumericLimit } from "../../../core/jobs/spec.ts";
import { formatCoreList } from "../../../core/values/core_list.ts";
import { type Limits, LimitsSchema } from "../../../proto/gen/joblet/v1/job_pb.ts";

/** Fields of 32 bits. */
const NUMBERS = [
  "cpuPercent",
  "cpuWeight",
  "pids",
  "ioReadOpsPerSecond",
  "ioWriteOpsPerSecond",
  "ioWeight",
  "openFiles",
] as const satisfies readonly NumericLimit[];

/** Fields of 64 bits. */
const BIG_NUMBERS = [
  "memoryBytes",
  "memoryHighBytes",
  "ioBytesPerSecond",
  "ioReadBytesPerSecond",
  "ioWriteBytesPerSecond",
  "diskBytes",
  "diskInodes",
] as const satisfies readonly NumericLimit[];

/** Not checked yet. */
export function limitsFromProto(limits: Limits): LimitsInput {
  const numbers: Partial<Record<NumericLimit, number | bigint>> = {};
  for (const field of [...NUMBERS, ...BIG_NUMBERS]) {
    const value = limits[field];
    if (value !== undefined) numbers[field] = value;
  }
  return {
    ...numbers,
    ...(limits.cpuCores !== "" && { cpuCores: limits.cpuCores }),
    ...(limits.ioDevice !== "" && { ioDevice: limits.ioDevice }),
  };
}

export function limitsToProto(limits: CoreLimits): Limits {
  const message = create(LimitsSchema);
  for (const field of NUMBERS) {
    const value = limits[field];
    if (value !== undefined) message[field] = value;
  }
  for (const field of BIG_NUMBERS) {
    const value = limits[field];
    if (value !== undefined) message[field] = BigInt(value);
  }
  if (limits.cpuCores !== undefined) message.cpuCores = formatCoreList(limits.cpuCores);
  message.ioDevice = limits.ioDevice ?? "";
  return message;
}
