import "../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import { errnoName, errnoNumber, SyscallError } from "./errno.ts";
import { closeFd, openFd } from "./fd.ts";

Deno.test("errnoName knows the ends of the list and numbers without a name", () => {
  assert.equal(errnoName(1), "EPERM");
  assert.equal(errnoName(34), "ERANGE");
  assert.equal(errnoName(95), "EOPNOTSUPP");
  assert.equal(errnoName(122), "EDQUOT");
  assert.equal(errnoName(133), "EHWPOISON");
  assert.equal(errnoName(4000), "E4000");
  assert.equal(errnoNumber("ENOSPC"), 28);
  assert.throws(() => errnoNumber("ENOSUCHTHING"), RangeError);
});

Deno.test("SyscallError of a failed open names the call, the path and the errno", () => {
  assert.throws(() => openFd("/no/such/file", 0), (error: unknown) => {
    assert(error instanceof SyscallError);
    assert.equal(error.message, "open /no/such/file: ENOENT");
    assert.equal(error.errno, 2);
    return true;
  });
});

Deno.test("openFd opens close-on-exec", () => {
  const fd = openFd("/dev/null", 0);
  try {
    const flags = /flags:\s*(\d+)/.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`))?.[1];
    assert.equal(parseInt(flags ?? "0", 8) & 0o2000000, 0o2000000);
  } finally {
    closeFd(fd);
  }
});
