/** A client that loads a server until it is killed: load_main.ts HOME PORT ID. Prints "loading" once all is under way. */
import { connect } from "./client.ts";

const CONNECTIONS = 8;
const STREAMS = 8;
const CALLS = 8;
const WARM_UP_CALLS = 100;

const [home = "", port = "", id = ""] = Deno.args;
let calls = 0;
const warm = Promise.withResolvers<void>();

async function load(): Promise<void> {
  await using client = await connect({ home, port: Number(port) });
  const streams = Array.from({ length: STREAMS }, async () => {
    for await (const _ of client.jobs.streamLogs({ id, follow: true })) calls++;
  });
  const unary = Array.from({ length: CALLS }, async () => {
    for (;;) {
      await client.jobs.listJobs({});
      if (++calls > WARM_UP_CALLS) warm.resolve();
    }
  });
  await Promise.all([...streams, ...unary]);
}

const all = Promise.all(Array.from({ length: CONNECTIONS }, load));
await Promise.race([warm.promise, all]);
await Deno.stdout.write(new TextEncoder().encode("loading\n"));
await all;
