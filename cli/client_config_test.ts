import assert from "node:assert/strict";
import { chooseNode, configCandidates, findConfig } from "./client_config.ts";

const node = (extra = "") => `{address: "h:1", cert: "c\\n", key: "k\\n", ca: "a\\n"${extra}}`;
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
    [`nodes: {a: {address: "h:1", cert: "c\\n", ca: "a\\n"}}`, undefined, /node 'a' has no 'key'/],
    [`nodes: {a: {address: "h:1", cert: no.pem, key: k, ca: a}}`, undefined, /names the file '\.\/no\.pem'/],
    [`nodes: {}`, undefined, /no 'nodes'/],
    [`nodes: [`, undefined, /f\.yml/],
  ] as const
) {
  Deno.test(`chooseNode refuses ${text} with ${message}`, () => {
    assert.throws(() => chooseNode(config(text), wanted), { name: "CliError", message });
  });
}

Deno.test("chooseNode reads PEM files that the file names, relative to it, and tells of a key that others may read", async () => {
  const folder = await Deno.makeTempDir({ prefix: "joblet-client-" });
  try {
    for (const name of ["c.pem", "k.pem", "a.pem"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `PEM of ${name}\n`, { mode: 0o600 });
    }
    const text = `nodes: {a: {address: "h:1", cert: c.pem, key: ${folder}/k.pem, ca: a.pem}}`;
    const found = { path: `${folder}/rnx-config.yml`, exposed: false, text };
    assert.deepEqual(chooseNode(found), {
      name: "a",
      nodeId: "",
      address: "h:1",
      cert: "PEM of c.pem\n",
      key: "PEM of k.pem\n",
      ca: "PEM of a.pem\n",
      certFile: `${folder}/c.pem`,
    });
    await Deno.chmod(`${folder}/k.pem`, 0o640);
    assert.equal(chooseNode(found).exposedKey, `${folder}/k.pem`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
