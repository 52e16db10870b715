/** The server is killed at random moments, in the middle of starts, ends, submits and of its own start. */
import assert from "node:assert/strict";
import { connect } from "../harness/client.ts";
import { hostState } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { count } from "./length.ts";
import { Load } from "./load.ts";

const KILLS = count("JOBLET_KILLS", 100, 1000);
const RUNNING = 50;
const QUEUED = 50;
const SPAN_MS = 1500;
/** Longest time from the start of a server to its kill. */
const MAX_LIFE_MS = 250;
/** One kill in so many comes before the server is ready. */
const EARLY = 5;

async function lifeAndDeath(server: TestServer, load: Load, round: number): Promise<void> {
  const listening = server.begin();
  if (round % EARLY === 0) {
    // Its start takes about that long: it dies somewhere in the middle.
    listening.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 * MAX_LIFE_MS));
    await server.end("SIGKILL");
    return;
  }
  await listening;
  await using client = await connect(server);
  const death = new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_LIFE_MS)).then(() =>
    server.end("SIGKILL")
  );
  await load.topUp(client, RUNNING + QUEUED).catch(ignoreBroken);
  await death;
}

/** The first look at what lives may break too. */
function ignoreBroken(error: unknown): void {
  assert(error instanceof Error && error.name === "ConnectError", String(error));
}

Deno.test({
  ...requires("root", "cgroup2"),
  name:
    `${KILLS} kill -9 of the server with ${RUNNING} running and ${QUEUED} queued jobs: none is lost or run twice, ` +
    "every byte and exit code is right, nothing is left",
  async fn() {
    await using server = await TestServer.start({ config: `joblet: { maxConcurrentJobs: ${RUNNING} }` });
    await using load = new Load(SPAN_MS);
    {
      await using client = await connect(server);
      await load.topUp(client, RUNNING + QUEUED);
      const states = (await load.live(client)).map(({ waitingFor }) => waitingFor !== "");
      assert(states.filter(Boolean).length >= QUEUED / 2, "about half of them wait");
    }
    await server.end("SIGKILL");
    for (let round = 1; round <= KILLS; round++) await lifeAndDeath(server, load, round);
    await server.launch();
    await using client = await connect(server);
    await load.check(client);
    assert(load.accepted.size > RUNNING + QUEUED, `${load.accepted.size} jobs were accepted`);
    const { cgroups, processes } = await hostState(server.home);
    assert.deepEqual([cgroups, processes], [[], []]);
  },
});
