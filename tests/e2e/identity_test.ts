import assert from "node:assert/strict";
import { hostState } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");

/** PTRACE_SEIZE of a child; prints 0, or -1 if that is refused. */
const FORK_AND_SEIZE = `
import ctypes, os, signal
pid = os.fork()
if pid == 0: signal.pause()
print(ctypes.CDLL(None).ptrace(0x4206, pid, 0, 0))
os.kill(pid, 9)`;

/** Host's user ids of the processes that run this text as part of their command. */
async function hostUids(server: TestServer, text: string): Promise<number[]> {
  const { processes } = await hostState(server.home);
  return processes.flatMap((line) => {
    const pid = Number(line.split(" ")[0]);
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const isInit = line.endsWith("/inits");
    if (isInit || !Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(text)) return [];
    return [Number(/^Uid:\t(\d+)/m.exec(status)![1])];
  });
}

async function initUids(server: TestServer): Promise<number[]> {
  const { processes } = await hostState(server.home);
  return processes.filter((line) => line.endsWith("/inits")).map((line) =>
    Number(/^Uid:\t(\d+)/m.exec(Deno.readTextFileSync(`/proc/${line.split(" ")[0]}/status`))![1])
  );
}

Deno.test({
  ...root,
  name: "a job is an unprivileged user inside, and outside one that no other running job is, of another server neither",
}, async () => {
  await using one = await TestServer.start();
  await using two = await TestServer.start();
  const id = await one.cli("run", "sh", "-c", "id -un; id -u; cat /proc/self/uid_map");
  assert.match(id.stdout, /^job\n1000\n +0 +\d+ +65536\n$/);
  const asRoot = await one.cli(
    "run",
    "--user",
    "root",
    "sh",
    "-c",
    "id -u; cat /etc/shadow; grep Cap /proc/self/status",
  );
  assert.match(asRoot.stdout, /^0\n(Cap\w+:\t0+\n){5}$/);
  await Promise.all([1001, 1002, 1003].map((n) => one.detach("sleep", String(n))));
  await Promise.all([1004, 1005].map((n) => two.detach("--user", "root", "sleep", String(n))));
  const jobs = [...await hostUids(one, "sleep"), ...await hostUids(two, "sleep")];
  const inits = [...await initUids(one), ...await initUids(two)];
  assert.deepEqual([jobs.length, inits.length], [5, 5]);
  // 65,536 ids each: two jobs never differ by less, and no init has an id of any range.
  const ranges = jobs.map((uid) => Math.floor((uid - 2 ** 31) / 65_536));
  assert.equal(new Set([...ranges, ...inits.map((uid) => Math.floor((uid - 2 ** 31) / 65_536))]).size, 10);
  assert(jobs.every((uid) => uid >= 2 ** 31) && inits.every((uid) => uid >= 2 ** 31));
});

Deno.test({
  ...root,
  name: "a job that outlives its server keeps its ids to itself",
}, async () => {
  await using server = await TestServer.start();
  await Promise.all([2001, 2002].map((n) => server.detach("sleep", String(n))));
  await server.end("SIGKILL");
  await server.launch();
  await Promise.all([2003, 2004, 2005].map((n) => server.detach("sleep", String(n))));
  const uids = await hostUids(server, "sleep");
  assert.equal(uids.length, 5);
  assert.equal(new Set(uids).size, 5);
});

Deno.test({
  ...root,
  name: "a file made in a kept /work is its owner's in the next attempt, and goes with the job",
}, async () => {
  await using server = await TestServer.start();
  const script =
    "if test -e made; then stat -c %U:%a made; echo more >> made && cat made; else echo first > made; exit 1; fi";
  const ran = await server.cli("run", "--work", "kept", "--retries", "1", "--retry-delay", "1ms", "sh", "-c", script);
  assert.deepEqual([ran.code, ran.stdout], [0, "job:644\nfirst\nmore\n"]);
  const [id] = [...Deno.readDirSync(`${server.home}/work`)].map(({ name }) => name);
  // On the disk are the ids that the job sees, where ids can be mapped: they mean the same for every attempt.
  const { uid } = Deno.statSync(`${server.home}/work/${id}/made`);
  assert(uid === 1000 || uid! >= 2 ** 31);
  assert.equal((await server.cli("rm", id!)).code, 0);
  assert.deepEqual([...Deno.readDirSync(`${server.home}/work`)], []);
});

Deno.test({
  ...root,
  name: "the strict profile has no network, no program of its own making and nothing but processes in /proc",
}, async () => {
  await using server = await TestServer.start();
  const strict = async (...command: string[]) => await server.cli("run", "--profile", "strict", ...command);
  const socket = "import socket; socket.socket(socket.AF_INET)";
  const refused = await strict("python3", "-c", socket);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /Error/);
  assert.equal((await server.cli("run", "python3", "-c", socket)).code, 0);
  const own = await strict("sh", "-c", "cp /bin/true mine && ./mine");
  assert.match(own.stderr, /Permission denied/);
  assert.equal((await server.cli("run", "sh", "-c", "cp /bin/true mine && ./mine")).code, 0);
  assert.equal((await strict("ls", "/proc/sys")).code, 2);
  const network = await strict("--network", "host", "true");
  assert.match(network.stderr, /--network host with profile 'strict': it allows no network/);
});

Deno.test({
  ...root,
  name: "the debug profile, by name only, lets a job trace its own processes",
}, async () => {
  await using server = await TestServer.start();
  const trace = ["python3", "-c", FORK_AND_SEIZE];
  assert.equal((await server.cli("run", ...trace)).stdout, "-1\n");
  assert.equal((await server.cli("run", "--profile", "debug", ...trace)).stdout, "0\n");
  assert.match(
    (await server.cli("run", "--profile", "nope", "true")).stderr,
    /profile 'nope': this server has .*strict/,
  );
});
