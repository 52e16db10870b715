import assert from "node:assert/strict";
import { constants as c } from "../../ffi/mod.ts";
import { someSpec } from "../jobs/_job_fixture.ts";
import type { JobSpec } from "../jobs/spec.ts";
import { startFailure } from "./failure.ts";
import { idRange } from "./id_ranges.ts";
import { fdSteps, FIRST_SERVER_FD } from "./init_steps.ts";
import { describeNamespaces } from "./namespaces.ts";
import { type HostOptions, initSteps, jobEnvironment, makePlan, type Plan } from "./plan.ts";
import type { SandboxProfile } from "./profile.ts";
import { candidates } from "./program_steps.ts";
import { rootSteps } from "./root_steps.ts";
import { hostRootEntries } from "./rootfs.ts";
import { describeCall } from "./step.ts";

const profile = (name: string, strict = false): SandboxProfile => ({
  name,
  strict,
  filter: new Uint8Array(16),
  summary: [],
});
const host: HostOptions = {
  diskBytes: 1 << 20,
  diskInodes: 100,
  proc: { maskedFiles: ["kcore"], maskedFolders: ["acpi"], readOnly: ["sys"] },
  lastCapability: 40,
  keyrings: true,
  landlockAbi: 7,
  programFolders: ["/usr"],
  profiles: new Map([["default", profile("default")], ["strict", profile("strict", true)]]),
  shielded: false,
  graceMs: 1000,
  logBytes: 0,
};
const FDS = { journal: 20, status: 21, table: 22, cgroup: 23, devNull: 24, init: 25, root: 26, users: 28 };
const root = rootSteps({
  mountPoint: "/run/root",
  entries: [{ kind: "bind", name: "usr", source: "/usr" }, { kind: "link", name: "bin", target: "usr/bin" }],
  etc: "/run/etc",
});
const id = "0a0b0c0d-0000-4000-8000-000000000000";
const spec: JobSpec = someSpec({ args: ["1"], env: {} });

function indexOf(steps: readonly { readonly name: string }[], name: string | RegExp): number {
  const index = steps.findIndex((step) => typeof name === "string" ? step.name === name : name.test(step.name));
  assert.notEqual(index, -1, `no step ${name}`);
  return index;
}

Deno.test("rootSteps makes mounts private before the first mount and leaves the host's root before it ends", () => {
  const mounts = root.filter((step) => /mount/.test(step.call));
  assert.equal(mounts[0]!.name, "make mounts private");
  assert.deepEqual(root.slice(indexOf(root, "let go of the host's root") + 1).map(({ name }) => name), [
    "enter /",
    "make / read-only",
  ]);
});

Deno.test("every file system that a job sees is nosuid, and nodev but for /dev and what comes from it", () => {
  const made = [...root, ...makePlan(spec, id, host).init].filter(({ name }) => /^mount /.test(name));
  assert.deepEqual(made.map(({ name }) => name), [
    "mount tmpfs on /",
    "mount tmpfs on /dev",
    "mount tmpfs on /tmp",
    "mount proc on /proc",
  ]);
  for (const step of made) {
    const flags = Number(step.args[3]);
    assert.equal(flags & c.MS_NOSUID, c.MS_NOSUID, step.name);
    assert.equal(flags & c.MS_NODEV, step.name === "mount tmpfs on /dev" ? 0 : c.MS_NODEV, step.name);
  }
  for (const step of root.filter(({ name }) => /^make \/(usr|etc) read-only/.test(name))) {
    const attributes = new DataView((step.args[3] as Uint8Array<ArrayBuffer>).buffer).getUint32(0, true);
    assert.equal(attributes, c.MOUNT_ATTR_RDONLY | c.MOUNT_ATTR_NOSUID | c.MOUNT_ATTR_NODEV);
  }
});

Deno.test("makePlan enters the job's root before anything else, so that no later step names a file of the host", () => {
  const plan = makePlan(spec, id, host);
  const steps = initSteps(plan, { ...FDS, network: 27 }, 100);
  assert.equal(steps[0]!.name, "enter the jobs' root");
  assert.equal(steps[1]!.name, "enter the prepared network namespace");
});

Deno.test("makePlan has masks over /proc, after it is mounted", () => {
  const { init } = makePlan(spec, id, host);
  const order = ["mount proc on /proc", "mask /proc/kcore", "mask /proc/acpi", "make /proc/sys read-only"];
  const found = order.map((name) => indexOf(init, name));
  assert.deepEqual(found, [...found].sort((a, b) => a - b));
  const strict = makePlan({ ...spec, profile: "strict" }, id, host).init;
  assert(!strict.some(({ name }) => /^mask/.test(name)));
  assert.match(String(strict[indexOf(strict, "mount proc on /proc")]!.args[4]), /subset=pid/);
});

Deno.test("makePlan bounds all that a job may write by one file system, and lets 'strict' execute none of it", () => {
  const scratch = (fields: Partial<JobSpec>) => {
    const { init } = makePlan({ ...spec, ...fields }, id, host);
    return init[indexOf(init, "mount tmpfs on /tmp")]!;
  };
  assert.match(String(scratch({}).args[4]), /^size=1048576,nr_inodes=104,/);
  assert.match(String(scratch({ limits: { diskBytes: 4096, diskInodes: 5 } }).args[4]), /^size=4096,nr_inodes=9,/);
  assert.equal(Number(scratch({}).args[3]) & c.MS_NOEXEC, 0);
  assert.equal(Number(scratch({ profile: "strict" }).args[3]) & c.MS_NOEXEC, c.MS_NOEXEC);
});

const SECRETS = {
  env: { API_TOKEN: "correct" },
  files: { a: new Uint8Array([1, 2]), "b.pem": new Uint8Array(70_000) },
};

Deno.test("makePlan shows secret files in a full, bounded, read-only file system that is the program's user's alone", () => {
  const { init } = makePlan({ ...spec, uid: 7 }, id, host, { secrets: SECRETS });
  const mount = init[indexOf(init, "mount tmpfs on /run/secrets")]!;
  assert.equal(mount.args[3], c.MS_NOSUID | c.MS_NODEV | c.MS_NOEXEC);
  const user = idRange(0).first + 7;
  assert.equal(mount.args[4], `size=${3 * 65536},nr_inodes=3,mode=500,uid=${user},gid=${user}`);
  const write = init[indexOf(init, "write secret file a (2 bytes)")]!;
  assert.deepEqual([write.args[1], write.min], [SECRETS.files.a, 2]);
  assert.equal(init[indexOf(init, "make /run/secrets/b.pem")]!.args[3], 0o400);
  assert(indexOf(init, "make /run/secrets read-only") > indexOf(init, "close /run/secrets/b.pem"));
});

Deno.test("makePlan takes no step more for a job without secret files", () => {
  assert.deepEqual(
    makePlan(spec, id, host, { secrets: { env: { A: "1" }, files: {} } }).init,
    makePlan(spec, id, host).init,
  );
});

Deno.test("makePlan gives secret variables to the program alone, and no name of a step tells a value", () => {
  const { init, program } = makePlan(spec, id, host, { secrets: SECRETS });
  assert((program.at(-1)!.args[2] as readonly string[]).includes("API_TOKEN=correct"));
  assert(!init.some((step) => describeCall(step).includes("correct")));
  assert(![...init, ...program].some(({ name }) => name.includes("correct")));
  // What a failed step is called is found out with a plan without secrets.
  assert.deepEqual(program.map(({ name }) => name), makePlan(spec, id, host).program.map(({ name }) => name));
});

Deno.test("makePlan refuses a profile that the server does not have and names those it has", () => {
  assert.throws(
    () => makePlan({ ...spec, profile: "wide" }, id, host),
    /profile 'wide': this server has default, strict/,
  );
});

Deno.test("makePlan gives the program the ids of its range and init the one beyond it", () => {
  const plan = makePlan({ ...spec, uid: 7 }, id, host, { range: idRange(3) });
  const { first, initId } = idRange(3);
  assert.deepEqual(plan.program[indexOf(plan.program, "own stdout")]!.args, [1, first + 7, first + 7]);
  assert.deepEqual(plan.program[indexOf(plan.program, "become user 7")]!.args, [7, 7, 7]);
  const words = initSteps(plan, FDS, 100).at(-1)!.args[2] as readonly string[];
  assert.deepEqual(words, ["init", id, "100", "0", "1000", "0", String(initId)]);
});

Deno.test("makePlan empties the capability sets in the user namespace, the bounding set before the user changes", () => {
  const { program } = makePlan(spec, id, host);
  const order = [
    /^hide other files/,
    /^make a cgroup namespace/,
    /^make Landlock rules/,
    /^enter the user namespace/,
    /^drop capability 0 /,
    /^drop capability 40 /,
    /^lock the secure bits/,
    /^leave all groups/,
    /^become group/,
    /^become user/,
    /^drop all capabilities/,
    /^forbid new privileges/,
    /^restrict by Landlock/,
    /^enter \/work/,
    /^filter system calls/,
    /^execute /,
  ].map((name) => indexOf(program, name));
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

Deno.test("makePlan leaves out what the kernel does not have: Landlock, keyrings", () => {
  const { program } = makePlan(spec, id, { ...host, landlockAbi: 0, keyrings: false });
  assert(!program.some(({ name }) => /Landlock|keyring/.test(name)));
});

Deno.test("makePlan asks Landlock for no right that its version does not know", () => {
  const handled = (landlockAbi: number) => {
    const { program } = makePlan(spec, id, { ...host, landlockAbi });
    const step = program[indexOf(program, "make Landlock rules")]!;
    return [new DataView((step.args[0] as Uint8Array<ArrayBuffer>).buffer).getUint32(0, true), step.args[1]];
  };
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(handled), [
    [0x1fff, 8],
    [0x3fff, 8],
    [0x7fff, 8],
    [0x7fff, 16],
    [0xffff, 16],
    [0xffff, 24],
  ]);
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
  const own = initSteps(none, FDS, 100);
  const socket = indexOf(own, "open a socket");
  assert.deepEqual([own[socket + 1]!.args[0], own[socket + 1]!.resultOf], [socket, true]);
  const prepared = initSteps(none, { ...FDS, network: 27 }, 100);
  assert(!prepared.some((step) => step.name === "bring up loopback"));
  assert.doesNotMatch(
    describeNamespaces(BigInt(prepared[indexOf(prepared, "make namespaces")]!.args[0] as bigint)),
    /CLONE_NEWNET/,
  );
  const shared = makePlan({ ...spec, network: "host" }, id, host);
  assert.doesNotMatch(namespaces(shared), /CLONE_NEWNET/);
  assert(!initSteps(shared, FDS, 100).some((step) => step.name === "bring up loopback"));
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
  assert.throws(() => fdSteps({ ...FDS, table: FIRST_SERVER_FD - 1 }), RangeError);
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
  assert.match(fail("make a user namespace", 28).message, /: ENOSPC \(too many namespaces/);
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
