import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { LogFrameSchema, LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { concat, LineSplitter, type LogLine, MAX_LINE_BYTES } from "./lines.ts";

const { STDOUT, STDERR } = LogStream;
const bytes = (text: string) => new TextEncoder().encode(text);
const frame = (
  text: string,
  more: { stream?: LogStream; offset?: bigint; attempt?: number; missingBytes?: bigint } = {},
) => create(LogFrameSchema, { stream: STDOUT, data: bytes(text), ...more });
const text = ({ data }: LogLine) => new TextDecoder().decode(data);

function split(...frames: ReturnType<typeof frame>[]): LogLine[] {
  const splitter = new LineSplitter();
  return [...frames.flatMap((each) => [...splitter.push(each)]), ...splitter.end()];
}

Deno.test("a line that comes in pieces is one line of where it began", () => {
  const lines = split(frame("a", { offset: 1n }), frame("b", { offset: 2n }), frame("c\nd\n", { offset: 3n }));
  assert.deepEqual(lines.map((line) => [text(line), line.offset]), [["abc\n", 1n], ["d\n", 3n]]);
});

Deno.test("each stream has lines of its own", () => {
  const lines = split(frame("out"), frame("err\n", { stream: STDERR }), frame("put\n"));
  assert.deepEqual(lines.map((line) => [text(line), line.stream]), [["err\n", STDERR], ["output\n", STDOUT]]);
});

Deno.test("a last line without a newline is a line, and nothing is none", () => {
  assert.deepEqual(split(frame("a\nb")).map(text), ["a\n", "b"]);
  assert.deepEqual(split(frame("")), []);
  assert.deepEqual(split(frame("\n\n")).map(text), ["\n", "\n"]);
});

Deno.test("a gap and another attempt end the line before them", () => {
  const gap = frame("", { missingBytes: 10n });
  assert.deepEqual(split(frame("a"), gap, frame("b\n")).map(text), ["a\n", "b\n"]);
  assert.deepEqual(split(gap, frame("b\n")).map(text), ["b\n"]);
  const lines = split(frame("one", { attempt: 1 }), frame("two", { attempt: 2 }));
  assert.deepEqual(lines.map((line) => [text(line), line.attempt]), [["one\n", 1], ["two", 2]]);
});

Deno.test("a line that is too long to keep comes in pieces and ends as it does", () => {
  const lines = split(frame("x".repeat(MAX_LINE_BYTES - 1)), frame("yz"), frame("!\nnext\n"));
  assert.deepEqual(lines.map(({ data, continued }) => [data.length, continued]), [
    [MAX_LINE_BYTES, false],
    [3, true],
    [5, false],
  ]);
  assert.equal(text(lines[1]!), "z!\n");
});

Deno.test("a line of just the longest length ends with an empty piece at most", () => {
  const exact = split(frame("x".repeat(MAX_LINE_BYTES)), frame("\n"), frame("next\n"));
  assert.deepEqual(exact.map(({ data, continued }) => [data.length, continued]), [
    [MAX_LINE_BYTES, false],
    [1, true],
    [5, false],
  ]);
});

Deno.test("however output is cut into frames, lines hold the same bytes", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (chunks) => {
    const splitter = new LineSplitter();
    const frames = chunks.map((data) => create(LogFrameSchema, { stream: STDOUT, data }));
    const lines = [...frames.flatMap((each) => [...splitter.push(each)]), ...splitter.end()].map(({ data }) => data);
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    assert.deepEqual(concat(lines, size), concat(chunks, size));
    for (const line of lines.slice(0, -1)) assert.equal(line.indexOf(10), line.length - 1);
  }));
});
