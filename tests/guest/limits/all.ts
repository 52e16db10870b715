import type { LimitCheck } from "./check.ts";
import { CPU_CHECKS } from "./cpu.ts";
import { DISK_CHECKS } from "./disk.ts";
import { FACE_CHECKS } from "./faces.ts";
import { MEMORY_CHECKS } from "./memory.ts";
import { OTHER_CHECKS } from "./readable.ts";
import { TOGETHER_CHECKS } from "./together.ts";
import { USER_CHECKS } from "./user.ts";

export const LIMIT_CHECKS: readonly LimitCheck[] = [
  CPU_CHECKS,
  MEMORY_CHECKS,
  DISK_CHECKS,
  OTHER_CHECKS,
  USER_CHECKS,
  TOGETHER_CHECKS,
  FACE_CHECKS,
]
  .flat();
