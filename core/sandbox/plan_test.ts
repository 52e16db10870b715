import assert from "node:assert/strict";
import { constants as c } from "../../ffi/mod.ts";
import { someSpec } from "../jobs/_job_fixture.ts";
import type { JobSpec } from "../jobs/spec.ts";
import { startFailure } from "./failure.ts";
import { fdSteps, FIRST_SERVER_FD } from "./init_steps.ts";
import { describeNamespaces } from "./namespaces.ts";
import { type HostOptions, jobEnvironment, makePlan, type Plan } from "./plan.ts";
import { candidates } from "./program_steps.ts";
import { hostRootEntries } from "./rootfs.ts";
import { describeCall } from "./step.ts";

const host: HostOptions = {
  mountPoint: "/run/root",
  entries: [{ kind: "bind", name: "usr", source: "/usr" }, { kind: "link", name: "bin", target: "usr/bin" }],
  etc: "/run/etc",
  uid: 1000,
  gid: 1000,
  workBytes: 1 << 20,
  tmpBytes: 1 << 20,
  lastCapability: 40,
  shielded: false,
  graceMs: 1000,
  logBytes: 0,
};
const id = "0a0b0c0d-0000-4000-8000-000000000000";
const spec: JobSpec = someSpec({ args: ["1"], env: {} });

function indexOf(steps: readonly { readonly name: string }[], name: string | RegExp): number {
  const index = steps.findIndex((step) => typeof name === "string" ? step.name === name : name.test(step.name));
  assert.notEqual(index, -1, `no step ${name}`);
  return index;
}

Deno.test("makePlan makes mounts private before the first mount and leaves the host's root before it ends", () => {
  const { init } = makePlan(spec, id, host);
  const mounts = init.map((step, index) => ({ step, index })).filter(({ step }) => /mount|open_tree/.test(step.call));
  assert.equal(mounts[0]!.step.name, "make mounts private");
  const left = indexOf(init, "let go of the host's root");
  for (const { step, index } of mounts) {
    if (index > left) assert.equal(step.name, "make / read-only");
  }
});

Deno.test("makePlan mounts everything nosuid, and nodev but for /dev", () => {
  for (const step of makePlan(spec, id, host).init.filter(({ name }) => /^mount /.test(name))) {
    const flags = Number(step.args[3]);
    assert.equal(flags & c.MS_NOSUID, c.MS_NOSUID, step.name);
    assert.equal(flags & c.MS_NODEV, step.name === "mount tmpfs on /dev" ? 0 : c.MS_NODEV, step.name);
  }
});

Deno.test("makePlan empties the capability sets before the program, the bounding set before the user changes", () => {
  const { program } = makePlan(spec, id, host);
  const order = [
    /^hide other files/,
    /^drop capability 0 /,
    /^drop capability 40 /,
    /^leave all groups/,
    /^become group/,
    /^become user/,
    /^drop all capabilities/,
    /^forbid new privileges/,
    /^enter \/work/,
    /^execute /,
  ].map((name) => indexOf(program, name));
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

Deno.test("makePlan gives up the server's shield from the out-of-memory killer while the process is still root", () => {
  const { program } = makePlan(spec, id, { ...host, shielded: true });
  assert(indexOf(program, "let the out-of-memory killer choose the job") < indexOf(program, /^become user/));
  assert(!makePlan(spec, id, host).program.some(({ name }) => /out-of-memory/.test(name)));
});

Deno.test("makePlan gives network 'none' a namespace with loopback and 'host' neither", () => {
  const none = makePlan(spec, id, host);
  const namespaces = (plan: Plan) =>
    describeNamespaces(BigInt(plan.init[indexOf(plan.init, "make namespaces")]!.args[0] as bigint));
  assert.match(namespaces(none), /CLONE_NEWNS.*CLONE_NEWNET/);
  indexOf(none.init, "bring up loopback");
  const shared = makePlan({ ...spec, network: "host" }, id, host);
  assert.doesNotMatch(namespaces(shared), /CLONE_NEWNET/);
  assert(!shared.init.some((step) => step.name === "bring up loopback"));
});

Deno.test("makePlan refuses a cap on the output that is too small to keep", () => {
  for (const logBytes of [-1, 1, 2 ** 20 - 1, 2 ** 20 + 0.5, NaN]) {
    assert.throws(() => makePlan(spec, id, { ...host, logBytes }), RangeError);
  }
  assert.equal(makePlan(spec, id, { ...host, logBytes: 2 ** 20 }).logBytes, 2 ** 20);
});

Deno.test("jobEnvironment has nothing of the server's and lets the spec win", () => {
  const env = jobEnvironment({ ...spec, env: { PATH: "/x", A: "1" } }, id);
  assert.deepEqual(Object.keys(env).sort(), ["A", "HOME", "JOBLET_JOB_ID", "LANG", "LOGNAME", "PATH", "USER"]);
  assert.equal(env["PATH"], "/x");
});

Deno.test("candidates looks in absolute folders of PATH only, and nowhere for a path", () => {
  assert.deepEqual(candidates("ls", "/usr/bin/:.::rel:/bin"), ["/usr/bin/ls", "/bin/ls"]);
  assert.deepEqual(candidates("./ls", "/usr/bin"), ["./ls"]);
  assert.deepEqual(candidates("ls", ""), []);
});

Deno.test("fdSteps refuses a low fd, as moving another could overwrite it", () => {
  const fds = { journal: 20, status: 21, table: 22, cgroup: 23, devNull: 24, init: 25 };
  assert.throws(() => fdSteps({ ...fds, table: FIRST_SERVER_FD - 1 }), RangeError);
});

Deno.test("hostRootEntries shows folders as binds, links as links and leaves out what is not there", async () => {
  const root = await Deno.makeTempDir() + "/";
  try {
    await Deno.mkdir(`${root}usr`);
    await Deno.mkdir(`${root}lib`);
    await Deno.symlink("usr/bin", `${root}bin`);
    await Deno.symlink("/usr/lib64", `${root}lib64`);
    assert.deepEqual(hostRootEntries(root), [
      { kind: "bind", name: "usr", source: `${root}usr` },
      { kind: "link", name: "bin", target: "usr/bin" },
      { kind: "bind", name: "lib", source: `${root}lib` },
      { kind: "link", name: "lib64", target: "usr/lib64" },
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("startFailure of an exec gives the exit code of a shell and says what to look at", () => {
  const fail = (errno: number, command = "foo") =>
    startFailure({ step: "execute /bin/foo", errno, isExec: true }, { command, workdir: "/work" }, "/bin");
  assert.deepEqual([fail(2).exitCode, fail(2).message], [127, 'exec "foo": not found in PATH (/bin)']);
  assert.match(fail(2, "/x/foo").message, /no such file in the job/);
  assert.deepEqual([fail(13).exitCode, fail(8).exitCode, fail(7).exitCode], [126, 126, 126]);
  assert.match(fail(8).message, /#! line/);
});

Deno.test("startFailure of another step names it, its errno and the cure", () => {
  const fail = (step: string, errno: number) =>
    startFailure({ step, errno, isExec: false }, { command: "x", workdir: "/nowhere" }, "");
  assert.equal(fail("mount proc on /proc", 1).message, "mount proc on /proc: EPERM");
  assert.match(fail("clone3", 28).message, /^clone3: ENOSPC \(too many namespaces/);
  assert.match(fail("enter /nowhere", 2).message, /ENOENT \(the working directory must exist/);
  assert.equal(fail("clone3", 28).exitCode, 125);
});

Deno.test("startFailure without a failed system call has no errno", () => {
  const step = "init was killed by signal 9 before the program was executed";
  const failure = startFailure({ step, errno: 0, isExec: false }, { command: "x", workdir: "/" }, "");
  assert.deepEqual(failure, { step, errno: "", message: step, exitCode: 125 });
});

Deno.test("describeCall shows text as text and structs by size", () => {
  const call = { name: "n", call: "execve", args: ["/bin/a", ["a", "b c"], new Uint8Array(8), -1] } as const;
  assert.equal(describeCall(call), 'execve("/bin/a", ["a", "b c"], <8 bytes>, -1)');
});
