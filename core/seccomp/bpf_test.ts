import assert from "node:assert/strict";
import { JMP_JEQ_K, MAX_INSTRUCTIONS, type Place, ProgramBuilder } from "./bpf.ts";
import { decode, faults, run } from "./testing/interpreter.ts";

const call = (nr: number) => ({ arch: 0, nr, args: [] });

Deno.test("ProgramBuilder reaches over more instructions than a conditional jump can skip", () => {
  const builder = new ProgramBuilder();
  const [hit, miss] = [builder.load(4, builder.ret(1)), builder.load(4, builder.ret(2))];
  // A chain so long that the last comparisons are out of reach of what the first ones go to.
  let next: Place = miss;
  for (let value = 1000; value > 0; value--) next = builder.branch(JMP_JEQ_K, value, hit, next);
  builder.load(0, next);
  const program = decode(builder.bytes());
  assert.deepEqual(faults(program), []);
  for (let value = 1; value <= 1000; value++) assert.equal(run(program, call(value)).value, 1, `${value}`);
  assert.equal(run(program, call(0)).value, 2);
  assert.equal(run(program, call(1001)).value, 2);
});

Deno.test("ProgramBuilder repeats an end that is too far away", () => {
  const builder = new ProgramBuilder();
  let next = builder.ret(7);
  for (let index = 0; index < 300; index++) next = builder.load(0, next);
  builder.branch(JMP_JEQ_K, 5, builder.ret(7), next);
  const program = decode(builder.bytes());
  assert.equal(program.filter(({ k }) => k === 7).length, 2);
  assert.equal(run(program, call(5)).value, 7);
});

Deno.test("ProgramBuilder.bytes() refuses a program that is too long for the kernel", () => {
  const builder = new ProgramBuilder();
  let next = builder.ret(0);
  while (next < MAX_INSTRUCTIONS - 1) next = builder.load(0, next);
  assert.equal(builder.bytes().length, 8 * MAX_INSTRUCTIONS);
  builder.load(0, next);
  assert.throws(() => builder.bytes(), RangeError);
});
