/** Many short jobs through one server: it must not grow, and nothing may be left of them. */
import assert from "node:assert/strict";
import { hostState } from "../harness/leftovers.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { count } from "./length.ts";

const JOBS = count("JOBLET_SOAK_JOBS", 1000, 100_000);
const WARM_UP = count("JOBLET_SOAK_WARM_UP", 1500, 20_000);
/** Ended jobs that are kept, so that memory and disk reach their bounds in the warm-up. */
const KEPT = Math.min(2000, Math.floor(WARM_UP / 3));
const MAX_GROWTH = 0.05;
/** The runtime's own breath, which goes on for long: a short run can only find a leak of 64 KiB a job or more. */
const NOISE_MIB = JOBS < 50_000 ? 64 : 0;

/** Jobs of one client process: its own memory grows with the calls that it has made. */
const JOBS_A_CLIENT = 5000;
const CLIENT = new URL("./run_jobs_main.ts", import.meta.url).pathname;

async function runJobs(server: TestServer, jobs: number): Promise<void> {
  for (let left = jobs; left > 0; left -= JOBS_A_CLIENT) {
    const count = String(Math.min(left, JOBS_A_CLIENT));
    const args = ["run", "-A", "--quiet", CLIENT, server.home, String(server.port), count];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, env: server.env }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }
}

/** The least of several looks: what is there for good. */
async function rssMiB(server: TestServer): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 5; look++) {
    await runJobs(server, 200);
    looks.push(Number(/^VmRSS:\s*(\d+)/m.exec(Deno.readTextFileSync(`/proc/${server.pid}/status`))?.[1]) / 1024);
  }
  return Math.min(...looks);
}

Deno.test({
  ...requires("root", "cgroup2"),
  name:
    `${JOBS} jobs after a warm-up of ${WARM_UP}: the server grows by at most 5 % or ${NOISE_MIB} MiB, and leaves nothing`,
  async fn() {
    await using server = await TestServer.start({ config: `retention: { maxJobs: ${KEPT} }` });
    await runJobs(server, WARM_UP);
    const before = { rss: await rssMiB(server), host: await hostState(server.home) };
    await runJobs(server, JOBS);
    const rss = await rssMiB(server);
    const growth = rss - before.rss;
    // Shown in the soak's report.
    await Deno.stderr.write(new TextEncoder().encode(`RSS ${before.rss.toFixed(1)} -> ${rss.toFixed(1)} MiB\n`));
    assert(
      growth <= Math.max(before.rss * MAX_GROWTH, NOISE_MIB),
      `RSS ${before.rss.toFixed(1)} MiB before, ${rss.toFixed(1)} MiB after`,
    );
    assert.deepEqual(await hostState(server.home), before.host);
    const journals = [...Deno.readDirSync(`${server.home}/logs`)].length;
    assert(journals <= KEPT + 2000, `${journals} journals are kept`);
  },
});
