import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { JobState, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { fakeCli } from "../testing/fake_cli.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";
const job = { id: ID };
const bytes = (text: string) => new TextEncoder().encode(text);
const frame = (text: string, stream = LogStream.STDOUT) => ({ stream, data: bytes(text) });
const ended = (code: number) => ({ id: ID, state: JobState.FAILED, exitCode: code });

Deno.test("run writes each stream to its own output and exits with the job's code", async () => {
  const cli = fakeCli({
    runJob: () => ({ job }),
    async *streamLogs() {
      yield { frames: [frame("out\n"), frame("err\n", LogStream.STDERR)], nextOffset: 5n };
      yield { nextOffset: 5n, endedJob: ended(7) };
    },
  });
  assert.equal(await cli.run("run", "x"), 7);
  assert.deepEqual([cli.out(), cli.err()], ["out\n", "err\n"]);
});

Deno.test("run goes on at the next offset when the connection breaks, without gap or repetition", async () => {
  const offsets: bigint[] = [];
  const cli = fakeCli({
    runJob: () => ({ job }),
    async *streamLogs({ offset }) {
      offsets.push(offset);
      if (offset === 0n) {
        yield { frames: [frame("one ")], nextOffset: 40n };
        throw new ConnectError("broken", Code.Unavailable);
      }
      yield { frames: [frame("two")], nextOffset: 80n, endedJob: ended(3) };
    },
  });
  assert.equal(await cli.run("run", "x"), 3);
  assert.deepEqual([offsets, cli.out(), cli.err()], [[0n, 40n], "one two", ""]);
});

Deno.test("run does not try again what the server refused", async () => {
  let calls = 0;
  const cli = fakeCli({
    runJob: () => ({ job }),
    // deno-lint-ignore require-yield -- it fails before it has anything to give
    async *streamLogs() {
      calls++;
      throw new ConnectError("not yours", Code.PermissionDenied);
    },
  });
  assert.equal(await cli.run("run", "x"), 1);
  assert.deepEqual([calls, cli.err()], [1, "joblet: Not allowed: not yours\n"]);
});

Deno.test("run passes the first interrupt on and kills at the second", async () => {
  const stops: string[] = [];
  const killed = Promise.withResolvers<void>();
  const cli = fakeCli({
    runJob: () => ({ job }),
    stopJob: ({ id, signal }) => {
      assert.equal(id, ID);
      if (stops.push(signal) === 2) killed.resolve();
      return {};
    },
    async *streamLogs() {
      cli.interrupt("SIGTERM");
      cli.interrupt();
      await killed.promise;
      yield { nextOffset: 1n, endedJob: { id: ID, state: JobState.STOPPED, signal: 9 } };
    },
  });
  assert.equal(await cli.run("run", "x"), 137);
  assert.deepEqual(stops.toSorted(), ["SIGKILL", "SIGTERM"]);
});

Deno.test("run survives an interrupt while its start fails", async () => {
  const cli = fakeCli({
    runJob: () => {
      cli.interrupt();
      throw new ConnectError("no memory controller", Code.FailedPrecondition);
    },
  });
  assert.equal(await cli.run("run", "x"), 1);
  assert.equal(cli.err(), "joblet: no memory controller\n");
});

Deno.test("run tells of a stop that failed and keeps following the job", async () => {
  const told = Promise.withResolvers<void>();
  const cli = fakeCli({
    runJob: () => ({ job }),
    stopJob: () => {
      told.resolve();
      throw new ConnectError("not yours", Code.PermissionDenied);
    },
    async *streamLogs() {
      cli.interrupt();
      await told.promise;
      yield { frames: [frame("on")], nextOffset: 1n, endedJob: ended(4) };
    },
  });
  assert.equal(await cli.run("run", "x"), 4);
  assert.equal(cli.out(), "on");
});

Deno.test("run stops the job and ends quietly when the reader of its output has gone", async () => {
  const stops: string[] = [];
  const cli = fakeCli({
    runJob: () => ({ job }),
    stopJob: ({ signal }) => {
      stops.push(signal);
      return {};
    },
    async *streamLogs() {
      yield { frames: [frame("y\n")], nextOffset: 1n };
    },
  }, {
    onOut: () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  });
  assert.equal(await cli.run("run", "yes"), 141);
  assert.deepEqual([stops, cli.err()], [["SIGTERM"], ""]);
});

Deno.test("run tells why a job did not start and exits as a shell would", async () => {
  const startFailure = { message: 'exec "foo": not found in PATH', exitCode: 127 };
  const cli = fakeCli({ runJob: () => ({ job: { id: ID, state: JobState.FAILED, startFailure } }) });
  assert.equal(await cli.run("run", "foo"), 127);
  assert.equal(cli.err(), 'joblet: exec "foo": not found in PATH\n');
});

Deno.test("run leaves every word from the program on to the job", async () => {
  const seen: unknown[] = [];
  const cli = fakeCli({
    runJob: ({ spec }) => {
      seen.push([spec?.command, spec?.args, spec?.limits?.memoryBytes, spec?.env]);
      return { job };
    },
  });
  assert.equal(await cli.run("run", "-d", "--max-memory", "64", "-e", "A=b=c", "ls", "--help", "-d", "--", "-e"), 0);
  assert.deepEqual(seen, [["ls", ["--help", "-d", "--", "-e"], 64n << 20n, { A: "b=c" }]]);
  assert.equal(cli.out(), `${ID}\n`);
});

Deno.test("run passes each limit on in its unit, and user, profile and work folder", async () => {
  const seen: unknown[] = [];
  const cli = fakeCli({
    runJob: ({ spec }) => {
      const { $typeName: _, ...limits } = spec!.limits!;
      seen.push(limits, spec?.uid, spec?.profile, spec?.work);
      return { job };
    },
  });
  const flags = {
    "--max-cpu": "150",
    "--cpu-weight": "10000",
    "--cpu-cores": "0-1,3",
    "--max-memory": "512",
    "--memory-high": "400M",
    "--max-pids": "64",
    "--max-iobps": "10M",
    "--max-read-bps": "1K",
    "--max-write-bps": "2048",
    "--max-read-iops": "10",
    "--max-write-iops": "20",
    "--io-weight": "1",
    "--io-device": "/dev/sda",
    "--max-disk": "1024",
    "--max-disk-inodes": "1000",
    "--max-open-files": "256",
    "--user": "root",
    "--profile": "gpu",
    "--work": "kept",
  };
  assert.equal(await cli.run("run", "-d", ...Object.entries(flags).flat(), "x"), 0, cli.err());
  assert.deepEqual(seen, [
    {
      cpuPercent: 150,
      cpuWeight: 10_000,
      cpuCores: "0-1,3",
      memoryBytes: 512n << 20n,
      memoryHighBytes: 400n << 20n,
      pids: 64,
      ioBytesPerSecond: 10n << 20n,
      ioReadBytesPerSecond: 1024n,
      ioWriteBytesPerSecond: 2048n,
      ioReadOpsPerSecond: 10,
      ioWriteOpsPerSecond: 20,
      ioWeight: 1,
      ioDevice: "/dev/sda",
      diskBytes: 1024n << 20n,
      diskInodes: 1000n,
      openFiles: 256,
    },
    0,
    "gpu",
    "kept",
  ]);
});

for (
  const [words, message] of [
    [["--max-cpu", "abc", "true"], /--max-cpu 'abc'/],
    [["--max-cpu=0", "true"], /--max-cpu '0'/],
    [["--max-memory", "12Q", "true"], /size '12Q'/],
    [["--max-iobps=-5", "true"], /size '-5'/],
    [["--cpu-weight", "10001", "true"], /--cpu-weight '10001': .*1 to 10000/],
    [["--io-weight", "0", "true"], /--io-weight '0'/],
    [["--memory-high", "x", "true"], /size 'x'/],
    [["--max-pids", "many", "true"], /--max-pids 'many': .*at least 1/],
    [["--max-read-bps", "1Q", "true"], /size '1Q'/],
    [["--max-write-bps", "", "true"], /size ''/],
    [["--max-read-iops", "0", "true"], /--max-read-iops '0'/],
    [["--max-write-iops", "99999999999", "true"], /--max-write-iops '99999999999'/],
    [["--io-device", "8:0", "true"], /--io-device without an I\/O limit/],
    [["--max-disk", "1.2.3", "true"], /size '1\.2\.3'/],
    [["--max-disk-inodes", "1.5", "true"], /--max-disk-inodes '1\.5'/],
    [["--max-open-files", "-1", "true"], /max-open-files|-1/],
    [["--user", "nobody", "true"], /--user 'nobody': .*job, root or a number/],
    [["--user", "65534", "true"], /--user '65534'/],
    [["--work", "shared", "true"], /--work 'shared': .*private, kept/],
    [["--timeout", "soon", "true"], /duration 'soon'/],
    [["--cpu-cores", "3-1", "true"], /core list '3-1'/],
    [["--env", "NOVALUE", "true"], /'NOVALUE'/],
    [["--workdri", "/", "true"], /--workdri/],
    [["--max-cpu"], /--max-cpu/],
    [[], /CMD/],
  ] as const
) {
  Deno.test(`run refuses '${words.join(" ")}' in one line with exit code 2 and starts nothing`, async () => {
    const cli = fakeCli({
      runJob: () => {
        throw new Error("started");
      },
    });
    assert.equal(await cli.run("run", ...words), 2);
    assert.match(cli.err(), message);
    assert.match(cli.err(), /^joblet: [^\n]*\n$/);
  });
}
