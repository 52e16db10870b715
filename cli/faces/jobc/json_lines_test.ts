import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { LogFrameSchema, LogStream } from "../../../proto/gen/joblet/v1/job_pb.ts";
import type { Terminal } from "../../terminal.ts";
import { jsonLineSink, MAX_PIECE_BYTES } from "./json_lines.ts";

interface Piece {
  readonly log: string;
  readonly stream: "stdout" | "stderr";
  readonly time: string;
  readonly base64?: string;
  readonly partial?: true;
  readonly missing_bytes?: number;
}

interface Part {
  readonly stream?: LogStream;
  readonly data: Uint8Array;
  readonly ms?: number;
  readonly missing?: bigint;
}

async function print(parts: readonly Part[]): Promise<string[]> {
  let text = "";
  const fail = () => Promise.reject(new Error("nothing goes to stderr"));
  const terminal: Terminal = {
    program: "jobc",
    isTerminal: false,
    colors: false,
    columns: Infinity,
    out: (data) => Promise.resolve(void (text += data)),
    err: fail,
  };
  const sink = jsonLineSink(terminal);
  for (const { stream = LogStream.STDOUT, data, ms = 0, missing = 0n } of parts) {
    await sink.frame(
      create(LogFrameSchema, { stream, data, time: timestampFromMs(ms), missingBytes: missing }),
    );
  }
  await sink.end();
  return text.split("\n").slice(0, -1);
}

const pieces = async (parts: readonly Part[]) => (await print(parts)).map((line) => JSON.parse(line) as Piece);
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A stream's bytes as its objects tell them. */
function reassemble(all: readonly Piece[], stream: string): Uint8Array {
  const parts = all.filter((piece) => piece.stream === stream).flatMap(({ log, base64, partial }) => [
    base64 === undefined ? utf8(log) : Uint8Array.fromBase64(base64),
    partial ? new Uint8Array() : Uint8Array.of(10),
  ]);
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("a line is one object with log, stream and time in this order, its newline stripped", async () => {
  const lines = await print([{ data: utf8("log message"), ms: 1 }, { data: utf8(" here\nnext\n"), ms: 1500 }]);
  assert.deepEqual(lines, [
    '{"log":"log message here","stream":"stdout","time":"1970-01-01T00:00:00.001000000Z"}',
    '{"log":"next","stream":"stdout","time":"1970-01-01T00:00:01.500000000Z"}',
  ]);
});

Deno.test("lines of the two streams are put together apart", async () => {
  const all = await pieces([
    { data: utf8("o1") },
    { data: utf8("e1"), stream: LogStream.STDERR },
    { data: utf8("o2\n") },
    { data: utf8("e2\n"), stream: LogStream.STDERR },
  ]);
  assert.deepEqual(all.map(({ log, stream }) => [log, stream]), [["o1o2", "stdout"], ["e1e2", "stderr"]]);
});

Deno.test("a line over 16 KiB comes in pieces, and no character is torn", async () => {
  const text = "a".repeat(MAX_PIECE_BYTES - 1) + "é" + "b".repeat(MAX_PIECE_BYTES);
  const all = await pieces([{ data: utf8(`${text}\n`) }]);
  assert.deepEqual(all.map(({ log, partial, base64 }) => [utf8(log).length, partial, base64]), [
    [MAX_PIECE_BYTES - 1, true, undefined],
    [MAX_PIECE_BYTES, true, undefined],
    [2, undefined, undefined],
  ]);
  assert.equal(all.map(({ log }) => log).join(""), text);
});

Deno.test("what is no UTF-8 has its exact bytes in base64, and the text a mark in their place", async () => {
  assert.deepEqual((await pieces([{ data: Uint8Array.of(97, 255, 10) }])).map(({ log, base64 }) => [log, base64]), [
    ["a\ufffd", "Yf8="],
  ]);
});

Deno.test("output that ends within a line, and output that is missing, are told", async () => {
  const all = await pieces([{ data: utf8("a") }, { data: utf8("b"), missing: 7n }]);
  assert.deepEqual(all.map(({ log, partial, missing_bytes }) => [log, partial, missing_bytes]), [
    ["a", true, undefined],
    ["", undefined, 7],
    ["b", true, undefined],
  ]);
});

Deno.test("any bytes of both streams, however they are cut, come out of the JSON exactly", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 100 }).map(utf8),
    fc.nat({ max: 40_000 }).map((length) => new Uint8Array(length).fill(0xe2)),
    fc.nat({ max: 12_000 }).map((length) => utf8("€".repeat(length))),
    fc.constant(utf8("\n")),
  );
  const part = fc.record({ stream: fc.constantFrom(LogStream.STDOUT, LogStream.STDERR), data: bytes });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      const all = await pieces(parts);
      for (const [name, stream] of [["stdout", LogStream.STDOUT], ["stderr", LogStream.STDERR]] as const) {
        const wanted = parts.filter((part) => part.stream === stream).flatMap(({ data }) => [...data]);
        assert.deepEqual(reassemble(all, name), Uint8Array.from(wanted));
      }
      for (const { log, base64 } of all) {
        const size = base64 === undefined ? utf8(log).length : Uint8Array.fromBase64(base64).length;
        assert(size <= MAX_PIECE_BYTES);
      }
    }),
    { numRuns: 60 },
  );
});
