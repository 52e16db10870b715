/** A client that runs short jobs and sees each end: run_jobs_main.ts HOME PORT COUNT. */
import { connect } from "../harness/client.ts";

const IN_FLIGHT = 16;
const [home = "", port = "", count = ""] = Deno.args;

await using client = await connect({ home, port: Number(port) });
let left = Number(count);
await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
  while (left-- > 0) {
    const { job } = await client.jobs.runJob({ spec: { command: "echo", args: ["x"] } });
    for await (const _ of client.jobs.watchJob({ id: job?.id ?? "" }));
  }
}));
