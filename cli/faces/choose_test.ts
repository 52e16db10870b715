import assert from "node:assert/strict";
import { chooseFace } from "./choose.ts";

for (
  const [program, words, name, left] of [
    ["rnx", ["job", "list"], "rnx", ["job", "list"]],
    ["jobc", ["joblet", "ps"], "jobc", ["joblet", "ps"]],
    ["joblet", ["jobworker", "status", "a"], "jobworker", ["status", "a"]],
    ["joblet", ["joblet", "ps"], "joblet", ["ps"]],
    ["joblet", ["run", "rnx"], "joblet", ["run", "rnx"]],
    ["", ["rnx"], "rnx", []],
    ["joblet-1.2", [], "joblet", []],
    ["joblet", ["__complete", "rnx", "job", ""], "rnx", ["__complete", "job", ""]],
    ["joblet", ["__complete", "rnx"], "joblet", ["__complete", "rnx"]],
  ] as const
) {
  Deno.test(`a program called '${program}' with the words '${words.join(" ")}' is ${name}`, () => {
    assert.deepEqual(chooseFace(program, words), { name, words: left });
  });
}
