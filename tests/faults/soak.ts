/**
 * `deno task soak [FACTOR]`: the fault suite at full length, times a factor: a thousand kills, a hundred thousand jobs, ten
 * thousand reconnects, a minute without a server. About half an hour. Exits as the tests do.
 */
// deno-lint-ignore-file no-console -- A script: what it prints is its result.
const factor = Deno.args[0] ?? "1";
if (!(Number(factor) > 0)) {
  console.error(`Cannot use the length '${factor}': it must be a number such as 0.1 or 2`);
  Deno.exit(2);
}
const root = new URL("../..", import.meta.url).pathname;
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "tests/faults", "core/jobs/life_cycle_property_test.ts"],
  cwd: root,
  env: {
    JOBLET_SOAK: factor,
    JOBLET_HISTORIES: String(Math.round(200_000 * Number(factor))),
    JOBLET_TESTS_REQUIRED: "1",
  },
  stdout: "inherit",
  stderr: "inherit",
}).spawn().status;
Deno.exit(code);
