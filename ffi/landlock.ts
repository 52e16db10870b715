import { LANDLOCK_CREATE_RULESET_VERSION } from "./constants.ts";
import { check, libc } from "./libc.ts";
import { SyscallError } from "./errno.ts";
import { syscallNumber } from "./syscall_numbers.ts";

/** Version of the kernel's Landlock interface; 0 if it has none or was started without it. */
export function landlockAbi(): number {
  const number = BigInt(syscallNumber("landlock_create_ruleset"));
  try {
    return check(
      "landlock_create_ruleset",
      () => libc().syscall(number, 0n, 0n, BigInt(LANDLOCK_CREATE_RULESET_VERSION), 0n, 0n),
    );
  } catch (error) {
    if (error instanceof SyscallError && ["ENOSYS", "EOPNOTSUPP"].includes(error.errnoName)) return 0;
    throw error;
  }
}
