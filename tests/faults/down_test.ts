/** A job prints while no server runs. */
import assert from "node:assert/strict";
import { LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { connect, untilOutput } from "../harness/client.ts";
import { requires } from "../harness/requires.ts";
import { TestServer } from "../harness/server.ts";
import { count } from "./length.ts";

const MEGABYTES = 200;
const DOWN_SECONDS = count("JOBLET_DOWN_SECONDS", 8, 60);

/** Prints the bytes in even portions over the time that the server is away, and tells its longest write and a checksum. */
const SCRIPT = `
import hashlib, os, sys, time
portions = ${DOWN_SECONDS} * 10
size = ${MEGABYTES * 1_000_000} // portions
digest, longest = hashlib.sha256(), 0
os.write(1, b"x"); digest.update(b"x")
for _ in range(portions):
    data = os.urandom(size)
    begin = time.monotonic()
    done = 0
    while done < size: done += os.write(1, data[done:])
    longest = max(longest, time.monotonic() - begin)
    digest.update(data)
    time.sleep(0.08)
print(digest.hexdigest(), longest, portions * size + 1, file=sys.stderr)
`;

Deno.test({
  ...requires("root", "cgroup2", "python3"),
  name:
    `no server runs for ${DOWN_SECONDS} s while a job prints ${MEGABYTES} MB: it never blocks, and every byte is there`,
  async fn() {
    await using server = await TestServer.start();
    await using client = await connect(server);
    const { job: started } = await client.jobs.runJob({ spec: { command: "python3", args: ["-c", SCRIPT] } });
    const id = started?.id ?? "";
    await untilOutput(client, id);
    await server.end("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, DOWN_SECONDS * 1000));
    await server.launch();
    const hash = new Deno.Command("sha256sum", { stdin: "piped", stdout: "piped" }).spawn();
    const input = hash.stdin.getWriter();
    let [bytes, report] = [0, ""];
    for await (const { frames } of client.jobs.streamLogs({ id, follow: true })) {
      for (const { stream, data, missingBytes } of frames) {
        assert.equal(missingBytes, 0n);
        if (stream === LogStream.STDERR) report += new TextDecoder().decode(data);
        else {
          bytes += data.length;
          await input.write(data);
        }
      }
    }
    await input.close();
    const [digest, longest, written] = report.trim().split(" ");
    assert.equal(bytes, Number(written));
    assert.equal(new TextDecoder().decode((await hash.output()).stdout).slice(0, 64), digest);
    assert(Number(longest) < 1, `the longest write took ${longest} s`);
    const { job } = await client.jobs.getJob({ id });
    assert.equal(job?.exitCode, 0);
  },
});
