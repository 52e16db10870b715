import assert from "node:assert/strict";
import fc from "fast-check";
import { EngineError } from "../errors.ts";
import type { PlainSecrets, SealedSecrets } from "../jobs/secrets.ts";
import { SecretVault } from "./vault.ts";

const SOME: PlainSecrets = {
  env: { A: "é=1\n", B: "", BOM: "\ufeffx" },
  files: { "tls.key": new Uint8Array([0, 255, 10]) },
};
const encoder = new TextEncoder();

async function withVault(body: (vault: SecretVault, path: string) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/config/secrets.key`;
    await body(new SecretVault(path), path);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const refused = (message: RegExp) => (error: unknown) => {
  assert(error instanceof EngineError && error.kind === "precondition", String(error));
  assert.match(error.message, message);
  return true;
};

Deno.test("SecretVault opens what it has sealed, byte for byte, another vault with the same file does so, too", () =>
  withVault((vault, path) => {
    const sealed = vault.seal(SOME, "ann");
    assert.deepEqual(vault.open(sealed, "ann"), SOME);
    assert.deepEqual(new SecretVault(path).open(sealed, "ann"), SOME);
  }));

Deno.test("SecretVault opens any text and bytes that it has sealed", () =>
  withVault((vault) => {
    const text = fc.string({ unit: "grapheme" });
    fc.assert(fc.property(text, fc.uint8Array({ maxLength: 300 }), (value, bytes) => {
      const secrets = { env: { A: value }, files: { f: new Uint8Array(bytes) } };
      assert.deepEqual(vault.open(vault.seal(secrets, "ann"), "ann"), secrets);
    }));
  }));

Deno.test("SecretVault makes its key with the first secret: 32 bytes that nobody else can read", () =>
  withVault((vault, path) => {
    assert.deepEqual(vault.seal({ env: {}, files: {} }, "ann"), {});
    assert.deepEqual(vault.open({}, "ann"), { env: {}, files: {} });
    assert(!exists(path), "no secret, no key");
    vault.seal(SOME, "ann");
    assert.equal((Deno.lstatSync(path).mode ?? 0) & 0o777, 0o600);
    assert.equal(Uint8Array.fromBase64(Deno.readTextFileSync(path).trim()).length, 32);
    assert.deepEqual([...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].map(({ name }) => name), ["secrets.key"]);
  }));

Deno.test("SecretVault seals one value differently each time, and nothing of it shows", () =>
  withVault((vault) => {
    const value = "correct horse battery staple";
    const secrets = { env: { A: value }, files: { f: encoder.encode(value) } };
    const sealed = [vault.seal(secrets, "ann"), vault.seal(secrets, "ann")].map((one) => JSON.stringify(one));
    assert.notEqual(sealed[0], sealed[1]);
    assert(!sealed.join().includes(value) && !sealed.join().includes(encoder.encode(value).toBase64()));
  }));

Deno.test("SecretVault opens a value for its owner, kind and name alone, and not if it was changed", () =>
  withVault((vault) => {
    const { secretEnv = {}, secretFiles = {} } = vault.seal(
      { env: { A: "1" }, files: { A: encoder.encode("1") } },
      "ann",
    );
    const text = secretEnv["A"]!;
    const at = text.length - 8;
    const changed = text.slice(0, at) + (text[at] === "x" ? "y" : "x") + text.slice(at + 1);
    const others: readonly [string, SealedSecrets, string][] = [
      ["another owner", { secretEnv }, "bob"],
      ["another name", { secretEnv: { B: text } }, "ann"],
      ["a file as a variable", { secretEnv: { A: secretFiles["A"]! } }, "ann"],
      ["a variable as a file", { secretFiles: { A: text } }, "ann"],
      ["a changed text", { secretEnv: { A: changed } }, "ann"],
      ["half a text", { secretEnv: { A: text.slice(0, 30) } }, "ann"],
      ["no sealed text", { secretEnv: { A: "1" } }, "ann"],
      ["a newer format", { secretEnv: { A: text.replace(/^1/, "2") } }, "ann"],
    ];
    for (const [what, sealed, owner] of others) {
      assert.throws(
        () => vault.open(sealed, owner),
        refused(/^Cannot open the secret (environment variable|file) '[AB]': /),
        what,
      );
    }
    assert.deepEqual(vault.open({ secretEnv, secretFiles }, "ann").env, { A: "1" });
  }));

Deno.test("SecretVault seals with the first key of its file and opens with all; a key that is gone is told", () =>
  withVault((vault, path) => {
    const old = vault.seal(SOME, "ann");
    const former = Deno.readTextFileSync(path);
    const key = crypto.getRandomValues(new Uint8Array(32)).toBase64();
    Deno.writeTextFileSync(path, `${key}\n\n${former}`);
    const young = vault.seal(SOME, "ann");
    assert.deepEqual(vault.open(old, "ann"), SOME);
    Deno.writeTextFileSync(path, `${key}\n`);
    assert.deepEqual(vault.open(young, "ann"), SOME);
    assert.throws(() => vault.open(old, "ann"), refused(/'A': the key that sealed it is not in \/.*secrets\.key; put/));
    Deno.removeSync(path);
    assert.throws(() => vault.open(young, "ann"), refused(/put that key back/));
    assert(!exists(path), "what opens makes no key");
  }));

Deno.test("SecretVault uses no key file that others can read, or that holds no keys, and tells the cure without the key", () =>
  withVault((vault, path) => {
    const sealed = vault.seal(SOME, "ann");
    const key = Deno.readTextFileSync(path).trim();
    const check = (message: RegExp) => {
      for (const use of [() => vault.seal(SOME, "ann"), () => vault.open(sealed, "ann")]) {
        assert.throws(use, (error: Error) => refused(message)(error) && !error.message.includes(key.slice(0, 20)));
      }
    };
    Deno.chmodSync(path, 0o640);
    check(/mode 640 lets others at the keys; run 'chmod 600/);
    Deno.chmodSync(path, 0o600);
    Deno.writeTextFileSync(path, `${key}\n${key.slice(0, 30)}\n`);
    check(/line 2 must be 32 bytes as base64/);
    Deno.writeTextFileSync(path, `${key}?\n`);
    check(/line 1 must be 32 bytes/);
    Deno.writeTextFileSync(path, "\n");
    check(/it is empty/);
    Deno.writeTextFileSync(path, "A".repeat(20_000));
    check(/no file of keys/);
  }));

Deno.test({
  name: "SecretVault uses no key file of another user",
  ignore: Deno.uid() !== 0,
  fn: () =>
    withVault((vault, path) => {
      vault.seal(SOME, "ann");
      Deno.chownSync(path, 1000, 1000);
      assert.throws(() => vault.seal(SOME, "ann"), refused(/belongs to user 1000; run 'chown 0 /));
    }),
});
