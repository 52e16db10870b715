import assert from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampDate, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type LogFrameSchema,
  LogStream,
  type StreamLogsRequest,
  type StreamLogsResponseSchema,
} from "../../proto/gen/joblet/v1/job_pb.ts";
import { type FakeCli, fakeCli } from "../testing/fake_cli.ts";

const { STDOUT, STDERR } = LogStream;
const bytes = (text: string) => new TextEncoder().encode(text);
const time = (nanos: number) => create(TimestampSchema, { seconds: 1772350200n, nanos });
const stamp = (nanos: number) => `2026-03-01T07:30:00.${String(nanos).padStart(9, "0")}Z`;

type Frame = MessageInitShape<typeof LogFrameSchema>;
type Message = MessageInitShape<typeof StreamLogsResponseSchema>;

/** A client of a job with these frames, a message each. */
function withFrames(...frames: Frame[]): FakeCli {
  return fakeCli({
    async *streamLogs(): AsyncGenerator<Message> {
      for (const frame of frames) yield { frames: [{ stream: STDOUT, ...frame }], nextOffset: 1n };
    },
  });
}

Deno.test("logs asks for what its flags say", async () => {
  const seen: StreamLogsRequest[] = [];
  const cli = fakeCli({
    async *streamLogs(request) {
      seen.push(request);
      yield {};
    },
  });
  const words = ["-f", "--tail", "20", "--stream", "stderr", "--attempt", "2"];
  assert.equal(await cli.run("logs", ...words, "--since", "2026-03-01T07:30:00Z", "--until", "1s", "3f2a"), 0);
  const { id, offset, follow, tailLines, streams, attempt, since, until } = seen[0]!;
  assert.deepEqual([id, offset, follow, tailLines, streams, attempt], ["3f2a", 0n, true, 20, [STDERR], 2]);
  assert.equal(timestampDate(since!).toISOString(), "2026-03-01T07:30:00.000Z");
  assert(Math.abs(timestampDate(until!).getTime() + 1000 - Date.now()) < 60_000);
  await cli.run("job", "log", "a");
  await cli.run("logs", "a");
  assert.deepEqual(seen.slice(1).map((request) => [request.follow, request.tailLines]), [[true, 0], [false, 0]]);
});

for (const mode of [[], ["--json"], ["--timestamps"]]) {
  Deno.test(`logs ${mode.join("")} goes on after a broken connection where it was, with the same filters`, async () => {
    const seen: StreamLogsRequest[] = [];
    const cli = fakeCli({
      async *streamLogs(request): AsyncGenerator<Message> {
        seen.push(request);
        if (seen.length === 2) {
          yield { frames: [{ stream: STDOUT, data: bytes("one\n"), time: time(1) }], nextOffset: 40n };
        } else if (seen.length === 3) {
          yield { frames: [{ stream: STDOUT, data: bytes("two\n"), time: time(2) }], nextOffset: 80n };
          return;
        }
        throw new ConnectError("broken", Code.Unavailable);
      },
    });
    const words = ["--tail", "5", "--since", "2026-03-01T07:30:00Z", "--stream", "stdout", "--attempt", "3"];
    assert.equal(await cli.run("logs", ...mode, ...words, "a"), 0);
    assert.deepEqual(
      seen.map((
        { offset, tailLines, since, streams, attempt },
      ) => [offset, tailLines, since?.seconds, streams, attempt]),
      [[0n, 5], [0n, 5], [40n, 0]].map((position) => [...position, 1772350200n, [STDOUT], 3]),
    );
    assert.deepEqual([cli.out().match(/one|two/g), cli.pauses], [["one", "two"], [100, 100]]);
  });
}

Deno.test("logs shows what it held back when the connection stays broken", async () => {
  const cli = fakeCli({
    async *streamLogs({ offset }): AsyncGenerator<Message> {
      if (offset === 0n) yield { frames: [{ stream: STDOUT, data: bytes("half"), time: time(1) }], nextOffset: 9n };
      throw new ConnectError("gone", Code.Unavailable);
    },
  });
  assert.equal(await cli.run("logs", "--timestamps", "a"), 1);
  assert.deepEqual([cli.out(), cli.pauses.length], [`${stamp(1)} half`, 8]);
});

Deno.test("logs passes every byte on at once, lines or not", async () => {
  const pieces: Uint8Array[] = [];
  const cli = fakeCli({
    async *streamLogs(): AsyncGenerator<Message> {
      yield { frames: [{ stream: STDOUT, data: Uint8Array.of(0xff, 0, 13) }], nextOffset: 1n };
      assert.equal(pieces.length, 1);
      yield { frames: [{ stream: STDOUT, data: Uint8Array.of(0xfe) }], nextOffset: 2n };
    },
  }, { onOut: (data) => void pieces.push(data as Uint8Array) });
  await cli.run("logs", "a");
  assert.deepEqual([...cli.outBytes()], [0xff, 0, 13, 0xfe]);
});

Deno.test("logs --timestamps begins each line with the time of the frame in which it began", async () => {
  const cli = withFrames(
    { data: bytes("a"), time: time(123456789) },
    { data: bytes("b\nc"), time: time(2) },
    { stream: STDERR, data: bytes("E\n"), time: time(3) },
    { data: bytes("\n\nlast"), time: time(4) },
  );
  assert.equal(await cli.run("logs", "--timestamps", "x"), 0);
  assert.equal(cli.out(), `${stamp(123456789)} ab\n${stamp(2)} c\n${stamp(4)} \n${stamp(4)} last`);
  assert.equal(cli.err(), `${stamp(3)} E\n`);
});

Deno.test("logs --timestamps and --grep leave bytes that are no UTF-8 as they are", async () => {
  const data = Uint8Array.of(0xff, 0x61, 10, 0xc3, 10, 0x61, 0xfe);
  const grep = withFrames({ data });
  await grep.run("logs", "--grep", "a", "x");
  assert.deepEqual([...grep.outBytes()], [0xff, 0x61, 10, 0x61, 0xfe]);
  const stamped = withFrames({ data: data.subarray(0, 3), time: time(0) });
  await stamped.run("logs", "--timestamps", "x");
  assert.deepEqual([...stamped.outBytes()], [...bytes(`${stamp(0)} `), 0xff, 0x61, 10]);
});

Deno.test("logs --grep matches whole lines of each stream, with Unicode, and not their newlines", async () => {
  const frames = [{ data: bytes("grü") }, { stream: STDERR, data: bytes("bad\ngrün\n") }, {
    data: bytes("n\n\nrot\n"),
  }];
  const word = withFrames(...frames);
  await word.run("logs", "--grep", "^gr.n$", "x");
  assert.deepEqual([word.out(), word.err()], ["grün\n", "grün\n"]);
  const empty = withFrames(...frames);
  await empty.run("logs", "--grep", "^$", "x");
  assert.deepEqual([empty.out(), empty.err()], ["\n", ""]);
});

Deno.test("of a line that is too long to keep its beginning decides", async () => {
  const long = `a${"x".repeat(3 << 20)}b\n`;
  const shown = withFrames({ data: bytes(long) }, { data: bytes("b\n") });
  await shown.run("logs", "--grep", "^a", "--timestamps", "x");
  assert.equal(shown.out(), `- ${long}`);
  const hidden = withFrames({ data: bytes(long) }, { data: bytes("b\n") });
  await hidden.run("logs", "--grep", "b$", "x");
  assert.equal(hidden.out(), "b\n");
});

Deno.test("logs tells of missing output on stderr, between the lines", async () => {
  for (const words of [[], ["--grep", "."]]) {
    const cli = withFrames({ data: bytes("a\n") }, { missingBytes: 7n }, { data: bytes("b\n") });
    await cli.run("logs", ...words, "x");
    assert.deepEqual([cli.out(), cli.err()], ["a\nb\n", "joblet: 7 bytes of stdout are missing here\n"]);
  }
});

Deno.test("logs --json prints an object for each piece and keeps what is no UTF-8", async () => {
  const cli = withFrames(
    { data: bytes("a\nb"), time: time(5), offset: 32n, attempt: 2 },
    { stream: STDERR, data: Uint8Array.of(0xff) },
    { missingBytes: 9n },
  );
  assert.equal(await cli.run("logs", "--json", "--timestamps", "x"), 0);
  assert.deepEqual(cli.out().trimEnd().split("\n").map((line) => JSON.parse(line)), [
    { time: stamp(5), stream: "stdout", log: "a\nb", offset: 32, attempt: 2 },
    { time: null, stream: "stderr", log: "\ufffd", base64: "/w==", offset: 0, attempt: 0 },
    { time: null, stream: "stdout", log: "", missing_bytes: 9, offset: 0, attempt: 0 },
  ]);
});

Deno.test("logs --json --grep prints an object for each line that matches", async () => {
  const cli = withFrames(
    { data: bytes("er"), time: time(5), offset: 8n, attempt: 1 },
    { missingBytes: 9n, stream: STDERR },
    { data: bytes("ror\nfine\n"), time: time(6), offset: 9n, attempt: 1 },
  );
  assert.equal(await cli.run("logs", "--json", "--grep", "err", "x"), 0);
  assert.deepEqual(cli.out().trimEnd().split("\n").map((line) => JSON.parse(line)), [
    { time: null, stream: "stderr", log: "", missing_bytes: 9, offset: 0, attempt: 0 },
    { time: stamp(5), stream: "stdout", log: "error\n", offset: 8, attempt: 1 },
  ]);
});

for (
  const [words, message] of [
    [["--grep", "("], "Cannot use --grep '(': it must be a JavaScript regular expression"],
    [["--grep", "\\-"], "Cannot use --grep '\\-'"],
    [["--tail", "0"], "Cannot use '0': it must be a whole number, at least 1"],
    [["--attempt", "x"], "Cannot use 'x'"],
    [["--since", "noon"], "Cannot use --since 'noon': it must look like"],
    [["--until", "2026-02-30"], "Cannot use --until '2026-02-30'"],
    [["--stream", "both"], "Cannot use --stream 'both'"],
  ] as const
) {
  Deno.test(`logs refuses '${words.join(" ")}' in one line with exit code 2`, async () => {
    const cli = withFrames({ data: bytes("shown\n") });
    assert.equal(await cli.run("logs", ...words, "x"), 2);
    assert.match(cli.err(), /^joblet: [^\n]*\n$/);
    assert(cli.err().includes(message), cli.err());
    assert.equal(cli.out(), "");
  });
}

Deno.test("logs ends quietly when its reader has gone, and does not ask again", async () => {
  let calls = 0;
  const cli = fakeCli({
    async *streamLogs(): AsyncGenerator<Message> {
      calls++;
      yield { frames: [{ stream: STDOUT, data: bytes("a\nb") }], nextOffset: 1n };
    },
  }, {
    onOut: () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    },
  });
  assert.equal(await cli.run("logs", "--timestamps", "x"), 141);
  assert.deepEqual([calls, cli.err()], [1, ""]);
});
