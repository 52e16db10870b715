import assert from "node:assert/strict";
import { commandOf, prepareStart, splitCommandLine } from "./command_line.ts";

for (
  const [text, words] of [
    ["echo 'Life is Great'", ["echo", "Life is Great"]],
    ["  a\tb\nc  ", ["a", "b", "c"]],
    [`a"b c"'d e'f`, ["ab cd ef"]],
    [`echo "\\"x\\" \\$HOME \\n"`, ["echo", '"x" $HOME \\n']],
    [`echo a\\ b '\\'`, ["echo", "a b", "\\"]],
    [`echo $HOME * ~ \`id\` $(id)`, ["echo", "$HOME", "*", "~", "`id`", "$(id)"]],
    [`echo '' ""`, ["echo", "", ""]],
  ] as const
) {
  Deno.test(`the command ${JSON.stringify(text)} is split as a shell would, with nothing expanded`, () => {
    assert.deepEqual(splitCommandLine(text), words);
  });
}

for (
  const [text, message] of [
    ["echo 'a", /a ' is left open/],
    ['echo "a', /a " is left open/],
    ['echo "a\\"', /a " is left open/],
    ["echo a\\", /ends with a backslash/],
    [" ", /its command is empty/],
  ] as const
) {
  Deno.test(`the command ${JSON.stringify(text)} is refused with the reason`, () => {
    assert.throws(() => splitCommandLine(text), { name: "RangeError", message });
  });
}

Deno.test("a single word without blanks and several words are taken as they are", () => {
  assert.deepEqual(commandOf(["it's"]), ["it's"]);
  assert.deepEqual(commandOf(["echo 'a", "b c"]), ["echo 'a", "b c"]);
});

const VALUE_FLAGS = new Set(["--cpu-weight", "--timeout"]);

for (
  const [line, prepared] of [
    [["a b", "--cpu-weight", "9"], ["--cpu-weight", "9", "--", "a b"]],
    [["--timeout=1s", "a b", "--cpu-weight=9"], ["--timeout=1s", "--cpu-weight=9", "--", "a b"]],
    [["date", "--cpu-weight", "9"], ["--cpu-weight", "9", "--", "date"]],
    [["ls", "-la", "/"], ["--", "ls", "-la", "/"]],
    [["make", "--timeout", "5s", "all"], ["--", "make", "--timeout", "5s", "all"]],
    [["sleep", "5", "--timeout", "9s"], ["--timeout", "9s", "--", "sleep", "5"]],
    [["a b", "--cpu-wieght", "9"], ["--cpu-wieght", "9", "--", "a b"]],
    [["a b", "c"], ["--", "a b", "c"]],
    [["--timeout", "9s", "--", "x", "--timeout", "1s"], ["--timeout", "9s", "--", "x", "--timeout", "1s"]],
    [["--help"], ["--help"]],
    [["--frob", "x"], ["--frob", "x"]],
    [["a b", "--timeout"], ["--timeout", "--", "a b"]],
    [[], []],
  ] as const
) {
  Deno.test(`of 'start ${line.join(" ")}' the parser gets '${prepared.join(" ")}'`, () => {
    assert.deepEqual(prepareStart(line, VALUE_FLAGS), prepared);
  });
}
