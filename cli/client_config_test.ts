import assert from "node:assert/strict";
import { chooseNode, configCandidates, findConfig } from "./client_config.ts";

const node = (extra = "") => `{address: "h:1", cert: c, key: k, ca: a${extra}}`;
const config = (text: string) => ({ path: "f.yml", exposed: false, text });

Deno.test("configCandidates puts JOBLET_HOME before the current folder, and the system's last", () => {
  const paths = configCandidates({ jobletHome: "/j", userHome: "/u" }).map(({ path }) => path);
  assert.deepEqual(paths, [
    "/j/config/rnx-config.yml",
    "./rnx-config.yml",
    "./config/rnx-config.yml",
    "/u/.rnx/rnx-config.yml",
    "/etc/joblet/rnx-config.yml",
    "/opt/joblet/config/rnx-config.yml",
  ]);
});

Deno.test("configCandidates looks nowhere else when a file is named, --config before RNX_CONFIG", () => {
  const named = (path: string) => [{ path, named: true }];
  assert.deepEqual(configCandidates({ configFlag: "a", rnxConfig: "b", jobletHome: "/j" }), named("a"));
  assert.deepEqual(configCandidates({ rnxConfig: "b", jobletHome: "/j" }), named("b"));
});

Deno.test("findConfig reports a named file that is missing and a key that others may read", async () => {
  await assert.rejects(findConfig({ configFlag: "/no/such/file" }), /'\/no\/such\/file'/);
  const path = await Deno.makeTempFile();
  try {
    await Deno.chmod(path, 0o640);
    assert.equal((await findConfig({ configFlag: path }))?.exposed, true);
    await Deno.chmod(path, 0o600);
    assert.equal((await findConfig({ configFlag: path }))?.exposed, false);
  } finally {
    await Deno.remove(path);
  }
});

for (
  const [text, wanted, name] of [
    [`nodes: {a: ${node()}, b: ${node(", isDefault: true")}, default: ${node()}}`, undefined, "b"],
    [`nodes: {a: ${node()}, default: ${node()}}`, undefined, "default"],
    [`nodes: {only: ${node()}}`, undefined, "only"],
    [`nodes: {a: ${node()}, b: ${node(", isDefault: true")}}`, "a", "a"],
  ] as const
) {
  Deno.test(`chooseNode takes '${name}' of ${text.match(/\w+(?=: \{a)/g)?.join(", ")} for ${wanted ?? "no name"}`, () => {
    assert.equal(chooseNode(config(text), wanted).name, name);
  });
}

for (
  const [text, wanted, message] of [
    [`nodes: {a: ${node()}, b: ${node()}}`, undefined, /--node: a, b/],
    [`nodes: {a: ${node()}}`, "z", /no node 'z', but a/],
    [`nodes: {a: ${node(", isDefault: true")}, b: ${node(", isDefault: true")}}`, undefined, /several.*a, b/],
    [`nodes: {a: {address: "h:1", cert: c, ca: a}}`, undefined, /node 'a' has no 'key'/],
    [`nodes: {}`, undefined, /no 'nodes'/],
    [`nodes: [`, undefined, /f\.yml/],
  ] as const
) {
  Deno.test(`chooseNode refuses ${text} with ${message}`, () => {
    assert.throws(() => chooseNode(config(text), wanted), { name: "CliError", message });
  });
}
