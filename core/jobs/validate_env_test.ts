import assert from "node:assert/strict";
import { EngineError } from "../errors.ts";
import type { JobSpecInput } from "./spec.ts";
import { parseSpec } from "./validate.ts";
import { parseSecrets } from "./validate_env.ts";

const VALUE = "correct-horse";
const bytes = (length: number) => new Uint8Array(length);

Deno.test("variables whose names look secret become secrets, whatever way they came, and no others", () => {
  const secret = ["SECRET_X", "secret_y", "GH_TOKEN", "api_key", "DB_PASSWORD", "Client_Secret"];
  const open = ["MODE", "TOKEN", "KEYS", "MY_SECRETS", "TOKEN_TYPE", "NOSECRET_X", "PASSWORD"];
  const env = Object.fromEntries([...secret, ...open].map((name) => [name, VALUE]));
  const input: JobSpecInput = { command: "x", env, secretEnv: { MORE: "1" } };
  assert.deepEqual(Object.keys(parseSpec(input).env), open);
  assert.deepEqual(Object.keys(parseSecrets(input).env), ["MORE", ...secret]);
});

Deno.test("a spec has nothing of its secrets", () => {
  const input = { command: "x", env: { A_KEY: VALUE }, secretEnv: { B: VALUE }, secretFiles: { f: bytes(3) } };
  assert.deepEqual(parseSpec(input), parseSpec({ command: "x" }));
});

Deno.test("a variable that is named like a part of every object is one like any other", () => {
  const input = { command: "x", env: JSON.parse(`{"__proto__": "1"}`), secretEnv: { constructor: "2" } };
  assert.deepEqual(Object.entries(parseSpec(input).env), [["__proto__", "1"]]);
  assert.deepEqual(Object.entries(parseSecrets(input).env), [["constructor", "2"]]);
});

Deno.test("64 secret files of 1 MiB together are taken", () => {
  const secretFiles = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`f.${index}`, bytes(16 * 1024)]));
  assert.equal(Object.keys(parseSecrets({ secretFiles }).files).length, 64);
});

const REFUSED: readonly [string, JobSpecInput, RegExp][] = [
  ["a name in both maps", { env: { A: VALUE }, secretEnv: { A: VALUE } }, /'A' twice: .*plain and as secret/],
  ["a name that looks secret in both", { env: { A_KEY: VALUE }, secretEnv: { A_KEY: VALUE } }, /'A_KEY' twice/],
  ["PATH", { secretEnv: { PATH: VALUE } }, /PATH as a secret/],
  ["a NUL in a value", { secretEnv: { A: `${VALUE}\0` } }, /variable 'A': its value holds a NUL/],
  ["a NUL in a value that is moved", { env: { A_TOKEN: `${VALUE}\0` } }, /variable 'A_TOKEN': its value holds a NUL/],
  ["a NUL in a plain value", { env: { A: `${VALUE}\0` } }, /variable 'A': its value holds a NUL/],
  ["a long value", { secretEnv: { A: VALUE.repeat(4000) } }, /'A': its value is longer than 32768/],
  ["a value in the name", { secretEnv: { [`A=${VALUE}`]: "" } }, /'A': its name must match/],
  ["a value in the name of a plain one", { env: { [`-=${VALUE}`]: "" } }, /'-': its name must match/],
  ["a name with a line break", { secretEnv: { "A\nB": VALUE } }, /'A\\nB': its name/],
  ["a file that leads elsewhere", { secretFiles: { "../x": bytes(1) } }, /secret file "\.\.\/x"/],
  ["a file with a dot in front", { secretFiles: { ".x": bytes(1) } }, /not start with a dot/],
  ["a file without a name", { secretFiles: { "": bytes(1) } }, /secret file ""/],
  ["a file with a long name", { secretFiles: { ["x".repeat(256)]: bytes(1) } }, /at most 255/],
  ["files that are too large", { secretFiles: { a: bytes(1 << 20), b: bytes(1) } }, /1048577 bytes of secret files/],
  [
    "65 files",
    { secretFiles: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, bytes(0)])) },
    /65 secret files/,
  ],
];

for (const [name, input, message] of REFUSED) {
  Deno.test(`secrets are refused with ${name}; the message names it and not its value`, () => {
    assert.throws(() => (parseSpec({ command: "x", ...input }), parseSecrets(input)), (error: unknown) => {
      assert(error instanceof EngineError && error.kind === "invalid", String(error));
      assert.match(error.message, message);
      assert(!error.message.includes(VALUE), error.message);
      assert(!error.message.includes("\n") && error.message.length < 400, "one line");
      return true;
    });
  });
}

Deno.test("secrets count with arguments and environment", () => {
  const large = "a".repeat(30_000);
  const many = (prefix: string) => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${prefix}${i}`, large]));
  parseSpec({ command: "x", env: many("A") });
  assert.throws(() => parseSpec({ command: "x", env: many("A"), secretEnv: many("B") }), /at most 1048576/);
});
