/** Each limit is enforced or refused, whatever controllers the host has; never ignored. */
import assert from "node:assert/strict";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");

/** Every flag that needs a controller, with a value that any job can live with. */
const FLAGS: readonly (readonly [flag: string, value: string, controller: string])[] = [
  ["--max-cpu", "100", "cpu"],
  ["--cpu-weight", "50", "cpu"],
  ["--cpu-cores", "0", "cpuset"],
  ["--max-memory", "512M", "memory"],
  ["--memory-high", "256M", "memory"],
  ["--max-pids", "64", "pids"],
  ["--max-iobps", "100M", "io"],
  ["--max-read-bps", "100M", "io"],
  ["--max-write-bps", "100M", "io"],
  ["--max-read-iops", "10000", "io"],
  ["--max-write-iops", "10000", "io"],
  ["--io-weight", "50", "io"],
];

/** Controllers that the host's cgroup v2 does not have. */
async function missingControllers(server: TestServer): Promise<readonly string[]> {
  const checks = JSON.parse((await server.cli("doctor", "--json")).stdout) as { name: string; detail: string }[];
  const { detail = "" } = checks.find(({ name }) => name === "limits") ?? {};
  return detail.startsWith("no cgroup v2 controller ") ? detail.split(" ").slice(4).join(" ").split(", ") : [];
}

Deno.test({ ...root, name: "each limit whose controller is absent is refused by name, and nothing runs" }, async () => {
  await using server = await TestServer.start();
  const missing = await missingControllers(server);
  let ran = 0;
  for (const [flag, value, controller] of FLAGS) {
    const { code, stdout, stderr } = await server.cli("run", flag, value, "echo", "ran");
    if (!missing.includes(controller)) {
      // Whether weights or a disk are there to be limited is the host's business; then too it is refused by name.
      if (code !== 0) assert.match(stderr, new RegExp(`^joblet: Cannot enforce ${flag}[: ]`));
      else assert.equal(stdout, "ran\n");
      ran += code === 0 ? 1 : 0;
      continue;
    }
    assert.deepEqual([code, stdout], [1, ""], flag);
    const message = `^joblet: Cannot enforce ${flag}: the cgroup v2 controller '${controller}' is not available.*\\n$`;
    assert.match(stderr, new RegExp(message));
    assert.match(stderr, new RegExp(`cgroup_no_v1=all.*or run the job without ${flag}\\n$`));
  }
  assert.equal(JSON.parse((await server.cli("ps", "--json")).stdout).length, ran, "nothing else was stored");
  const plain = await server.cli("run", "echo", "ran");
  assert.deepEqual([plain.code, plain.stdout], [0, "ran\n"], "a job without limits runs");
});

Deno.test({ ...root, name: "limits that need no controller are kept with the job and shown" }, async () => {
  await using server = await TestServer.start();
  const flags = ["--max-disk", "64M", "--max-disk-inodes", "500", "--max-open-files", "64", "--user", "job"];
  const { code, stderr, stdout } = await server.cli("run", "-d", ...flags, "true");
  assert.equal(code, 0, stderr);
  const job = JSON.parse((await server.cli("status", "--json", stdout.trim())).stdout);
  assert.deepEqual([job.max_disk, job.max_disk_inodes, job.max_open_files, job.user], [64 << 20, 500, 64, 1000]);
  assert.match((await server.cli("status", stdout.trim())).stdout, /Disk limit: +64 MiB\n.*Open files limit: +64\n/s);
});

Deno.test({ ...root, name: "what the administrator sets is enforced or refused; a ceiling is told" }, async () => {
  const config = "limits: { default: { maxMemory: 256M }, ceiling: { maxMemory: 512M, maxOpenFiles: 100 } }";
  await using server = await TestServer.start({ config });
  const missing = await missingControllers(server);
  const plain = await server.cli("run", "echo", "ran");
  if (missing.includes("memory")) {
    assert.equal(plain.code, 1);
    assert.match(plain.stderr, /--max-memory, which this server sets for jobs that name none: .*joblet-config\.yml/);
  } else {
    assert.deepEqual([plain.code, plain.stdout], [0, "ran\n"]);
  }
  const above = await server.cli("run", "--max-memory", "1G", "true");
  assert.deepEqual([above.code, above.stderr], [
    1,
    "joblet: Cannot run a job with --max-memory 1 GiB: this server gives at most 512 MiB\n",
  ]);
  const files = await server.cli("run", "--max-open-files", "101", "true");
  assert.match(files.stderr, /--max-open-files 101: this server gives at most 100\n$/);
});

Deno.test(
  { ...root, name: "a limit for all jobs of a user that can't be enforced is refused, naming it" },
  async () => {
    await using server = await TestServer.start({ config: "limits: { user: { maxPids: 500, maxJobs: 1 } }" });
    const { code, stderr } = await server.cli("run", "true");
    if (!(await missingControllers(server)).includes("pids")) return assert.equal(code, 0, stderr);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /--max-pids for all jobs of one user together, as this server's 'limits\.user' says: .*'pids'/,
    );
  },
);

Deno.test({ ...root, name: "a user's jobs beyond those that may run at once wait, and say for what" }, async () => {
  await using server = await TestServer.start({ config: "limits: { user: { maxJobs: 1 } }" });
  await server.detach("sleep", "1000");
  const second = await server.detach("true");
  assert.match((await server.cli("status", second)).stdout, /Waiting for: +a free place of its user: 1 jobs of/);
});
