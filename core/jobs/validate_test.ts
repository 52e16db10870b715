import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import type { JobSpecInput } from "./spec.ts";
import { parseSpec } from "./validate.ts";

const config = {};

Deno.test("parseSpec fills in the defaults", () => {
  assert.deepEqual(parseSpec({ command: "true" }, config), {
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
  assert.deepEqual(parseSpec({ command: "x", args }, config).args, args);
});

Deno.test("parseSpec takes the configured limits where the job names none", () => {
  const defaults = { ...config, defaultCpuPercent: 50, defaultMemoryBytes: 64 << 20 };
  const { limits } = parseSpec({ command: "x", limits: { cpuPercent: 10 } }, defaults);
  assert.deepEqual(limits, { cpuPercent: 10, memoryBytes: 64 << 20 });
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
  ["an environment name with '='", { command: "x", env: { "A=B": "1" } }, /\[A-Za-z_\]/],
  ["an environment value with a NUL", { command: "x", env: { A: "\0" } }, /'A'.*NUL/],
  ["a relative working directory", { command: "x", workdir: "tmp" }, /absolute/],
  ["a working directory with ..", { command: "x", workdir: "/work/../.." }, /without '\.\.'/],
  ["a working directory below /proc", { command: "x", workdir: "//proc/self/fd/7" }, /not below \/proc/],
  ["an unknown network", { command: "x", network: "bridge" }, /'none' or 'host'/],
  ["no CPU", { command: "x", limits: { cpuPercent: 0 } }, /at least 1/],
  ["half a percent of CPU", { command: "x", limits: { cpuPercent: 1.5 } }, /whole percentage/],
  ["too little memory", { command: "x", limits: { memoryBytes: 4096n } }, /at least 1 MiB/],
  ["memory beyond all numbers", { command: "x", limits: { memoryBytes: 1n << 60n } }, /too large/],
  ["I/O of 0 bytes per second", { command: "x", limits: { ioBytesPerSecond: 0n } }, /at least 1/],
  ["a core list that is none", { command: "x", limits: { cpuCores: "3-1" } }, /core list '3-1'/],
  ["a timeout of nothing", { command: "x", timeoutMs: 0 }, /between 1 ms/],
  ["a timeout that is no number", { command: "x", timeoutMs: NaN }, /between 1 ms/],
];

for (const [name, input, message] of REFUSED) {
  Deno.test(`parseSpec refuses ${name} and says why`, () => {
    assert.throws(() => parseSpec(input, config), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "invalid", String(error));
      assert.match(error.message, message);
      assert(!error.message.includes("\n") && error.message.length < 300, "one line");
      return true;
    });
  });
}
