import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import type { JobSpecInput } from "./spec.ts";
import { parseSpec } from "./validate.ts";

Deno.test("parseSpec fills in the defaults", () => {
  assert.deepEqual(parseSpec({ command: "true" }), {
    command: "true",
    args: [],
    name: "",
    env: {},
    workdir: "/work",
    network: "none",
    limits: {},
    labels: {},
    priority: 0,
  });
});

Deno.test("parseSpec keeps arguments exactly", () => {
  const args = ["", " a  b ", "$(id)", "-x", "é\n"];
  assert.deepEqual(parseSpec({ command: "x", args }).args, args);
});

Deno.test("parseSpec takes user, profile and work folder; the private one is the same as none", () => {
  const { uid, profile, work } = parseSpec({ command: "x", uid: 0, profile: "gpu_2", work: "kept" });
  assert.deepEqual([uid, profile, work], [0, "gpu_2", "kept"]);
  assert.deepEqual(parseSpec({ command: "x", profile: "", work: "private" }), parseSpec({ command: "x" }));
});

const REFUSED: readonly [string, JobSpecInput, RegExp][] = [
  ["no command", {}, /without a command/],
  ["a NUL in the command", { command: "a\0b" }, /NUL/],
  ["a NUL in an argument", { command: "x", args: ["ok", "a\0"] }, /argument 2.*NUL/],
  ["an argument of 128 KiB", { command: "x", args: ["a".repeat(131072)] }, /longer than 131071/],
  ["2 MiB of arguments", { command: "x", args: Array(20).fill("a".repeat(100_000)) }, /at most 1048576/],
  ["a name with a slash", { command: "x", name: "a/b" }, /name "a\/b"/],
  ["a name like a flag", { command: "x", name: "--flag" }, /not start with -/],
  ["a name of 64 characters", { command: "x", name: "a".repeat(64) }, /at most 63/],
  ["an environment name with '='", { command: "x", env: { "A=B": "1" } }, /'A': .*\[A-Za-z_\]/],
  ["an environment value with a NUL", { command: "x", env: { A: "\0" } }, /'A'.*NUL/],
  ["a relative working directory", { command: "x", workdir: "tmp" }, /absolute/],
  ["a working directory with ..", { command: "x", workdir: "/work/../.." }, /without '\.\.'/],
  ["a working directory below /proc", { command: "x", workdir: "//proc/self/fd/7" }, /not below \/proc/],
  ["an unknown network", { command: "x", network: "bridge" }, /'none' or 'host'/],
  ["a user beyond those of the job", { command: "x", uid: 65534 }, /user 65534: .*0 to 65533/],
  ["half a user", { command: "x", uid: 0.5 }, /user 0\.5/],
  ["a profile with a path in it", { command: "x", profile: "../a" }, /profile "\.\.\/a".*start with a letter/],
  ["a profile of 32 characters", { command: "x", profile: "a".repeat(32) }, /at most 31/],
  ["an unknown work folder", { command: "x", work: "shared" }, /'private' or 'kept'/],
  ["a limit that can't be", { command: "x", limits: { cpuPercent: 0 } }, /CPU limit 0: .*at least 1/],
  ["a timeout of nothing", { command: "x", timeoutMs: 0 }, /between 1 ms/],
  ["a timeout that is no number", { command: "x", timeoutMs: NaN }, /between 1 ms/],
];

for (const [name, input, message] of REFUSED) {
  Deno.test(`parseSpec refuses ${name} and says why`, () => {
    assert.throws(() => parseSpec(input), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "invalid", String(error));
      assert.match(error.message, message);
      assert(!error.message.includes("\n") && error.message.length < 300, "one line");
      return true;
    });
  });
}
