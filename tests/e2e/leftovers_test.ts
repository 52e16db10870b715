/** What an earlier server left behind that belongs to no job is gone when the next one is ready, or soon after. */
import assert from "node:assert/strict";
import { hostState, processesWith } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");
const STRANGER = "00000000-0000-4000-8000-00000000000";

Deno.test({
  ...root,
  name: "a server removes cgroups with their processes, output and temporary files that belong to no job",
}, async () => {
  await using server = await TestServer.start();
  const id = await server.detach("sleep", "1000");
  const { cgroups } = await hostState(server.home);
  // Where earlier versions made the cgroups of jobs.
  const base = cgroups[0]!.replace(/\/jobs\/user-[^/]*\/job-[^/]*$/, "");
  await server.end("SIGKILL");

  const marker = `1618${server.port}`;
  const cgroup = `${base}/job-${STRANGER}1`;
  await Deno.mkdir(cgroup);
  await Deno.mkdir(`${base}/user-somebody/job-${STRANGER}3`, { recursive: true });
  const child = new Deno.Command("sh", { args: ["-c", `echo $$ > ${cgroup}/cgroup.procs; exec sleep ${marker}`] })
    .spawn();
  while (processesWith(`sleep ${marker}`).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await Deno.writeTextFile(`${server.home}/logs/${STRANGER}2.journal`, "x");
  await Deno.writeTextFile(`${server.home}/logs/${STRANGER}2.3.journal.z`, "x");
  await Deno.writeTextFile(`${server.home}/run/journals/spare`, "x");

  await server.launch();
  assert.deepEqual(processesWith(`sleep ${marker}`), []);
  await child.status;
  assert.deepEqual((await hostState(server.home)).cgroups, cgroups);
  const strangers = () => [...Deno.readDirSync(`${server.home}/logs`)].filter(({ name }) => name.startsWith(STRANGER));
  while (strangers().length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([...Deno.readDirSync(`${server.home}/run/journals`)].filter(({ name }) => name === "spare"), []);
  assert.match((await server.cli("status", id)).stdout, /RUNNING/);
});

Deno.test(
  { ...root, name: "a server that keeps its jobs in memory ends, after a restart, those it knows nothing of" },
  async () => {
    await using server = await TestServer.start({ config: "state: { backend: memory }" });
    const marker = `1414${server.port}`;
    const id = await server.detach("sleep", marker);
    assert.equal(processesWith(`sleep ${marker}`).length > 0, true);
    await server.end("SIGKILL");
    await server.launch();
    assert.deepEqual(processesWith(`sleep ${marker}`), []);
    assert.equal((await server.cli("status", id)).code, 1);
    assert.deepEqual((await hostState(server.home)).cgroups, []);
  },
);
