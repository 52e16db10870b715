import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";

const VM = new URL("./vm.ts", import.meta.url).pathname;
const guest = requires("guest");

function vm(...args: string[]): Deno.ChildProcess {
  const command = ["run", "-A", "--quiet", "--no-check", VM, ...args];
  return new Deno.Command(Deno.execPath(), { args: command, stdout: "piped", stderr: "piped" }).spawn();
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Processes of the guest with this memory size, which no other guest has. */
function machines(memory: number): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    if (!Number.isInteger(pid)) return false;
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(`size=${memory}M`);
    } catch (error) {
      // It has ended meanwhile.
      if (error instanceof Deno.errors.NotFound || (error instanceof Error && "code" in error)) return false;
      throw error;
    }
  });
}

Deno.test({
  ...guest,
  name: "a guest runs a command as root on the host's files, which it can't change, and ends with its code",
  async fn() {
    const mounts = await Deno.readTextFile("/proc/self/mountinfo");
    const file = await Deno.makeTempFile({ prefix: "joblet-guest-" });
    try {
      const script = `cat ${file} && echo changed >${file} && cat ${file} >&2 && id -u &&
        cat /sys/fs/cgroup/cgroup.subtree_control && stat -f -c %T /disk; exit 37`;
      await Deno.writeTextFile(file, "the host's\n");
      const { code, stdout, stderr } = await vm("--", "sh", "-c", script).output();
      const [first, uid, controllers, disk] = text(stdout).split("\n");
      assert.deepEqual([code, text(stderr)], [37, "changed\n"]);
      assert.deepEqual([first, uid, disk], ["the host's", "0", "ext2/ext3"]);
      for (const wanted of ["cpuset", "cpu", "io", "memory", "pids"]) {
        assert(controllers!.split(" ").includes(wanted), controllers);
      }
      assert.equal(await Deno.readTextFile(file), "the host's\n");
      assert.equal(await Deno.readTextFile("/proc/self/mountinfo"), mounts);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  ...guest,
  name: "a guest ends at its time limit, and with a harness that is killed",
  async fn() {
    const late = await vm("--seconds", "2", "--memory", "517", "--", "sleep", "1000").output();
    assert.equal(late.code, 124, text(late.stderr));
    assert.match(text(late.stderr), /time limit of 2 s/);
    assert.deepEqual(machines(517), []);

    const killed = vm("--memory", "519", "--", "sh", "-c", "echo up; sleep 1000");
    const reader = killed.stdout.getReader();
    assert.equal(text((await reader.read()).value!), "up\n");
    assert.notDeepEqual(machines(519), []);
    killed.kill("SIGKILL");
    await killed.status;
    await reader.cancel();
    await killed.stderr.cancel();
    const abandoned = performance.now();
    while (machines(519).length > 0) assert(performance.now() - abandoned < 5000, "the guest outlives its harness");
  },
});
