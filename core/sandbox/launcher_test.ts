/** Launches real sandboxes: needs root and cgroup v2. */
import "../../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import type { RootOptions } from "./root_steps.ts";
import { RootTemplate } from "./root_template.ts";
import { Lab } from "./_launcher_lab.ts";
import { constants, errnoName, SyscallError } from "../../ffi/mod.ts";
import { requires } from "../../tests/harness/requires.ts";
import { initSteps } from "./plan.ts";
import type { Step } from "./step.ts";

const root = requires("root", "cgroup2");

/** A call that fails with EBADF in place of the given step. */
function broken(step: Step): Step {
  return { name: step.name, call: "close", args: [-1] };
}

function replaceAt(steps: readonly Step[], index: number, step: Step): Step[] {
  return steps.map((old, at) => at === index ? step : old);
}

Deno.test({
  ...root,
  name: "Launcher names each step of init that fails, with its errno, and the program does not start",
  async fn() {
    await using lab = await Lab.open();
    const plan = lab.plan("echo", ["ran"]);
    for (const [index, step] of plan.init.entries()) {
      const { failed, journal } = await lab.run({ ...plan, init: replaceAt(plan.init, index, broken(step)) });
      assert.deepEqual(failed, { step: step.name, errno: 9, isExec: false });
      assert.equal(journal, "", step.name);
    }
  },
});

Deno.test({
  ...root,
  name: "Launcher names each step of secret files that fails, with its errno, and the program does not start",
  async fn() {
    await using lab = await Lab.open();
    const plan = lab.plan("echo", ["ran"], {
      secrets: { env: {}, files: { a: new Uint8Array(), b: new Uint8Array(9) } },
    });
    const own = plan.init.flatMap((step, index) => /secret/.test(step.name) ? [{ step, index }] : []);
    assert.equal(own.length, 10);
    for (const { step, index } of own) {
      const { failed, journal } = await lab.run({ ...plan, init: replaceAt(plan.init, index, broken(step)) });
      assert.deepEqual(failed, { step: step.name, errno: 9, isExec: false });
      assert.equal(journal, "", step.name);
    }
  },
});

Deno.test({
  ...root,
  name: "Launcher names each step that moves files to init, and the execution of init itself",
  async fn() {
    await using lab = await Lab.open();
    const plan = lab.plan("echo", ["ran"]);
    let [index, moving, last] = [0, Infinity, Infinity];
    while (index <= last) {
      let name = "";
      const { failed, journal } = await lab.run(plan, (...args) => {
        const steps = initSteps(...args);
        last = steps.length - 1;
        moving = last - plan.init.length;
        // Where a network is ready, there are fewer steps than the time before.
        index = Math.min(index, last);
        name = steps[index]!.name;
        return replaceAt(steps, index, broken(steps[index]!));
      });
      assert.deepEqual(failed, { step: name, errno: 9, isExec: false });
      assert.equal(journal, "", name);
      // The plan's own steps, between the moves and the execution, have a test of their own.
      index = index === moving - 1 ? last : index + 1;
    }
    assert(moving >= 12, `${moving} steps`);
  },
});

Deno.test({
  ...root,
  name: "Launcher throws what clone3 says, and nothing was started",
  async fn() {
    await using lab = await Lab.open();
    const plan = { ...lab.plan("true"), namespaces: constants.CLONE_NEWPID | 0x10000n }; // CLONE_THREAD
    await assert.rejects(lab.run(plan), (error: unknown) => {
      assert(error instanceof SyscallError);
      assert.equal(error.message, "clone3: EINVAL");
      return true;
    });
  },
});

Deno.test({
  ...root,
  name: "Launcher names each step of the program that fails, with its errno, and the program does not start",
  async fn() {
    await using lab = await Lab.open();
    const plan = lab.plan("echo", ["ran"]);
    const setUp = plan.program.filter((step) => step.call !== "execve");
    for (const [index, step] of setUp.entries()) {
      const { failed, journal } = await lab.run({ ...plan, program: replaceAt(plan.program, index, broken(step)) });
      assert.deepEqual(failed, { step: step.name, errno: 9, isExec: false });
      assert.doesNotMatch(journal, /ran/, step.name);
    }
  },
});

function mountNamespaceFds(): number {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch (error) {
      // The fd that the folder itself was read with.
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  });
  return links.filter((target) => target.startsWith("mnt:")).length;
}

Deno.test({
  ...root,
  name: "RootTemplate names the step that failed, with its errno, and leaves no fd open",
  async fn() {
    await using lab = await Lab.open();
    const { rootOptions } = lab.sandbox;
    const cases: [Partial<RootOptions>, RegExp][] = [
      [{ mountPoint: `${lab.dir}/none` }, /mount tmpfs on \/: ENOENT/],
      [{ etc: `${lab.dir}/none` }, /bind .*\/none on \/etc: ENOENT/],
      [{ entries: [{ kind: "bind", name: "usr", source: "/no/usr" }] }, /bind \/no\/usr on \/usr: ENOENT/],
    ];
    for (const [fields, message] of cases) {
      const before = mountNamespaceFds();
      await assert.rejects(RootTemplate.make(lab.poller, lab.tree.initsFd, { ...rootOptions, ...fields }), message);
      assert.equal(mountNamespaceFds(), before);
    }
  },
});

Deno.test({
  ...root,
  name: "Launcher searches PATH as execvp does: past what is not there, and EACCES only if nothing is found",
  async fn() {
    await using lab = await Lab.open();
    const found = await lab.run(lab.plan("echo", ["found"], { env: { PATH: "/nowhere:/etc/passwd:/usr/bin" } }));
    assert.equal(found.failed, undefined);
    assert.match(found.journal, /found/);
    const exec = async (command: string, PATH: string) => {
      const { failed } = await lab.run(lab.plan(command, [], { env: { PATH } }));
      assert.equal(failed?.isExec, true);
      return errnoName(failed.errno);
    };
    assert.equal(await exec("no-such-program", "/usr/bin:/bin"), "ENOENT");
    assert.equal(await exec("passwd", "/etc:/nowhere"), "EACCES");
    assert.equal(await exec("true", ""), "ENOENT");
    assert.equal(await exec("/etc/passwd", "/bin"), "EACCES");
  },
});

Deno.test({
  ...root,
  name: "Launcher starts many jobs at once, each with its own output",
  async fn() {
    await using lab = await Lab.open();
    const texts = Array.from({ length: 64 }, (_, index) => `job number ${index}.`);
    const runs = await Promise.all(texts.map((text) => lab.run(lab.plan("echo", [text]))));
    runs.forEach(({ failed, journal }, index) => {
      assert.equal(failed, undefined);
      assert(journal.includes(texts[index]!), texts[index]);
    });
  },
});

Deno.test({
  ...root,
  name: "Launcher starts programs that the out-of-memory killer may choose",
  async fn() {
    await using lab = await Lab.open();
    const { failed, journal } = await lab.run(lab.plan("sh", ["-c", "echo score=$(cat /proc/self/oom_score_adj)."]));
    assert.equal(failed, undefined);
    assert.match(journal, /score=0\./);
  },
});

Deno.test({
  ...root,
  name: "Launcher leaves no fd open",
  async fn() {
    await using lab = await Lab.open();
    const fds = () => [...Deno.readDirSync("/proc/self/fd")].length;
    await lab.run(lab.plan("true"));
    const before = fds();
    for (let i = 0; i < 40; i++) await lab.run(lab.plan(i % 2 === 0 ? "true" : "no-such-program"));
    // Up to four prepared network namespaces come and go.
    assert(Math.abs(fds() - before) <= 4, `${before} before, ${fds()} after`);
  },
});

Deno.test({
  ...root,
  name: "Launcher gives every job a network namespace of its own, prepared or not",
  async fn() {
    await using lab = await Lab.open();
    const show = () =>
      lab.run(lab.plan("sh", ["-c", "echo ns=$(readlink /proc/self/ns/net). up=$(cat /proc/net/if_inet6)"]));
    const journals = [];
    for (let i = 0; i < 4; i++) journals.push(...await Promise.all(Array.from({ length: 4 }, show)));
    const names = journals.map(({ journal }) => /ns=(net:\[\d+\])\./.exec(journal)?.[1]);
    const host = Deno.readLinkSync("/proc/self/ns/net");
    assert(names.every((name) => name !== undefined && name !== host));
    assert(journals.every(({ journal }) => / lo\n/.test(journal)), "loopback is up");
  },
});
