import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { parse } from "@std/yaml";
import { EngineError } from "../../core/errors.ts";
import { type Home, homeAt } from "../../core/values/home.ts";
import { loadServerConfig } from "../config/config.ts";
import { readExtensions, readOidSequence } from "../auth/der.ts";
import { identify } from "../auth/identity.ts";
import { ROLE_SOURCES } from "../auth/role.ts";
import { initAuthority } from "./authority.ts";
import { issueClient } from "./clients.ts";
import { clientAddress, isIpAddress, serverNames } from "./host_names.ts";

interface Node {
  readonly address: string;
  readonly nodeId: string;
  readonly isDefault: boolean;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "joblet-certs-" });
  try {
    await body(homeAt(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function readNode(path: string): Promise<Node> {
  const file = parse(await Deno.readTextFile(path)) as { version: string; nodes: { default: Node } };
  assert.equal(file.version, "3.0");
  assert.deepEqual(Object.keys(file.nodes), ["default"]);
  return file.nodes.default;
}

async function modeOf(path: string): Promise<string> {
  return ((await Deno.stat(path)).mode! & 0o777).toString(8);
}

/** The identity as the server sees it. */
function identityOf(pem: string) {
  const { raw, validTo, serialNumber } = new X509Certificate(pem);
  const { subject } = new X509Certificate(pem).toLegacyObject();
  return identify({ subject, raw, serialNumber, valid_to: validTo }, ROLE_SOURCES);
}

/** `openssl verify`, where there is an openssl. */
async function opensslVerifies(ca: string, cert: string, purpose: string): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ca.pem`, ca);
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", `${folder}/ca.pem`, `${folder}/cert.pem`];
    return (await new Deno.Command("openssl", { args }).output()).success;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function hasOpenssl(): boolean {
  try {
    return new Deno.Command("openssl", { args: ["version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("initAuthority writes a CA, a server's and an administrator's file that belong together, for their owner only", async () => {
  await withHome(async (home) => {
    const result = await initAuthority({ home, port: 5000, hosts: ["build.example", "10.0.0.7"], days: 30 });
    assert.equal(await modeOf(home.config), "700");
    for (const name of ["ca.pem", "ca.key", "joblet-config.yml", "rnx-config.yml"]) {
      assert.equal(await modeOf(`${home.config}/${name}`), "600", name);
    }
    const config = loadServerConfig(home);
    assert.deepEqual([config.address, config.port], ["127.0.0.1", 5000]);
    const node = await readNode(result.clientConfigPath);
    assert.deepEqual([node.address, node.nodeId, node.isDefault], ["127.0.0.1:5000", config.nodeId, true]);
    assert.equal(node.ca, config.tls.ca);
    assert.equal(node.ca, await Deno.readTextFile(`${home.config}/ca.pem`));
    const days = (result.notAfter.getTime() - Date.now()) / 86_400_000;
    assert.ok(days > 29.9 && days <= 30, String(days));
    assert.ok(result.newAuthority);
    const left = [...Deno.readDirSync(home.config)].map((entry) => entry.name).filter((name) => name.endsWith(".tmp"));
    assert.deepEqual(left, []);
  });
});

Deno.test("initAuthority makes ECDSA P-256 certificates that can do one thing each", async () => {
  await withHome(async (home) => {
    const { clientConfigPath } = await initAuthority({ home, hosts: ["build.example", "10.0.0.7"] });
    const { tls } = loadServerConfig(home);
    const node = await readNode(clientConfigPath);
    const [ca, server, client] = [tls.ca, tls.cert, node.cert].map((pem) => new X509Certificate(pem)) as [
      X509Certificate,
      X509Certificate,
      X509Certificate,
    ];
    assert.deepEqual([ca.ca, server.ca, client.ca], [true, false, false]);
    const purposes = (certificate: X509Certificate) =>
      readOidSequence(readExtensions(certificate.raw).get("2.5.29.37")!);
    assert.deepEqual(purposes(server), ["1.3.6.1.5.5.7.3.1"]);
    assert.deepEqual(purposes(client), ["1.3.6.1.5.5.7.3.2"]);
    for (const certificate of [ca, server, client]) {
      assert.ok(certificate.verify(ca.publicKey));
      assert.deepEqual(certificate.publicKey.asymmetricKeyDetails, { namedCurve: "prime256v1" });
    }
    assert.ok(server.checkPrivateKey(createPrivateKey(tls.key)));
    assert.ok(client.checkPrivateKey(createPrivateKey(node.key)));
    for (const name of ["joblet", "localhost", "build.example"]) assert.ok(server.checkHost(name), name);
    for (const ip of ["127.0.0.1", "::1", "10.0.0.7"]) assert.ok(server.checkIP(ip), ip);
    assert.equal(server.checkHost("other.example"), undefined);
    assert.equal(identityOf(node.cert).name, "admin");
    assert.equal(identityOf(node.cert).role, "admin");
    const serials = new Set([ca, server, client].map((certificate) => certificate.serialNumber));
    assert.equal(serials.size, 3);
  });
});

Deno.test({
  name: "initAuthority makes certificates that openssl accepts for their purpose and no other",
  ignore: !hasOpenssl(),
  fn: async () => {
    await withHome(async (home) => {
      const { clientConfigPath } = await initAuthority({ home });
      const { tls } = loadServerConfig(home);
      const { cert } = await readNode(clientConfigPath);
      assert.ok(await opensslVerifies(tls.ca, tls.cert, "sslserver"));
      assert.ok(await opensslVerifies(tls.ca, cert, "sslclient"));
      assert.ok(!await opensslVerifies(tls.ca, tls.cert, "sslclient"));
      assert.ok(!await opensslVerifies(tls.ca, cert, "sslserver"));
    });
  },
});

Deno.test("initAuthority refuses to overwrite; with force it renews the certificates and keeps the CA", async () => {
  await withHome(async (home) => {
    await initAuthority({ home });
    const before = loadServerConfig(home).tls;
    await assert.rejects(initAuthority({ home }), {
      name: "EngineError",
      kind: "conflict",
      message: `Cannot write ${home.config}/joblet-config.yml: it exists; use --force to make new certificates`,
    });
    assert.deepEqual(loadServerConfig(home).tls, before);
    const { newAuthority } = await initAuthority({ home, force: true });
    const after = loadServerConfig(home).tls;
    assert.equal(newAuthority, false);
    assert.equal(after.ca, before.ca);
    assert.notEqual(after.cert, before.cert);
  });
});

Deno.test("initAuthority called twice at once gives one whole result and one conflict", async () => {
  await withHome(async (home) => {
    const results = await Promise.allSettled([initAuthority({ home }), initAuthority({ home })]);
    assert.deepEqual(results.map((result) => result.status).sort(), ["fulfilled", "rejected"]);
    const { tls } = loadServerConfig(home);
    assert.ok(new X509Certificate(tls.cert).verify(new X509Certificate(tls.ca).publicKey));
  });
});

Deno.test("initAuthority refuses a host, a port or a life that is none, and a CA that is broken", async () => {
  await withHome(async (home) => {
    for (const wrong of [{ hosts: ["a b"] }, { hosts: [""] }, { port: 70000 }, { days: 0 }, { days: 1.5 }]) {
      await assert.rejects(initAuthority({ home, ...wrong }), { name: "EngineError", kind: "invalid" });
    }
    await initAuthority({ home });
    await Deno.writeTextFile(`${home.config}/ca.key`, "garbage");
    await assert.rejects(initAuthority({ home, force: true }), {
      kind: "precondition",
      message: "Cannot read the CA: ca.pem and ca.key must be an ECDSA P-256 pair",
    });
  });
});

Deno.test("issueClient gives each role and alias to a client, in a file of its own", async () => {
  await withHome(async (home) => {
    await initAuthority({ home, address: "0.0.0.0", port: 4000, hosts: ["build.example"] });
    const roles = { admin: "admin", user: "user", viewer: "viewer", reader: "viewer", readonly: "viewer" };
    for (const [given, expected] of Object.entries(roles)) {
      const { files: [path = ""] } = await issueClient({ home, name: `bob-${given}`, role: given, days: 7 });
      assert.equal(path, `${home.config}/rnx-config-bob-${given}.yml`);
      assert.equal(await modeOf(path), "600");
      const node = await readNode(path);
      assert.equal(node.address, "build.example:4000");
      const { name, role, expiresAtMs } = identityOf(node.cert);
      assert.deepEqual([name, role], [`bob-${given}`, expected]);
      assert.ok(expiresAtMs <= Date.now() + 7 * 86_400_000);
      assert.match(new X509Certificate(node.cert).subject, new RegExp(`O=${expected}\\nOU=${expected}\\nCN=bob-`));
    }
    const out = `${home.root}/elsewhere.yml`;
    await Deno.remove(`${home.config}/rnx-config.yml`);
    assert.deepEqual((await issueClient({ home, name: "eve", role: "viewer", out })).files, [out]);
    assert.equal((await readNode(out)).address, "127.0.0.1:4000");
  });
});

Deno.test("issueClient refuses names that need quoting, unknown roles, a missing CA and a missing folder", async () => {
  await withHome(async (home) => {
    const isInvalid = (error: unknown) => error instanceof EngineError && error.kind === "invalid";
    for (const name of ["", "../x", "a b", "bob\nOU=admin", "x".repeat(65)]) {
      await assert.rejects(issueClient({ home, name, role: "user" }), isInvalid, name);
    }
    await assert.rejects(issueClient({ home, name: "bob", role: "root" }), isInvalid);
    await assert.rejects(issueClient({ home, name: "bob", role: "user" }), {
      message: `Cannot find ${home.config}/ca.pem: run 'joblet certs init' to make it`,
    });
    await initAuthority({ home });
    const out = `${home.root}/no/such.yml`;
    await assert.rejects(issueClient({ home, name: "bob", role: "user", out }), {
      message: `Cannot write ${out}: its folder does not exist`,
    });
  });
});

Deno.test("clientAddress and serverNames tell addresses from names", () => {
  assert.equal(clientAddress("0.0.0.0", 1, []), "127.0.0.1:1");
  assert.equal(clientAddress("::", 1, ["fe80::1"]), "[fe80::1]:1");
  assert.equal(clientAddress("10.1.1.1", 1, ["x"]), "10.1.1.1:1");
  for (const ip of ["1.2.3.4", "::", "fe80::1", "::ffff:1.2.3.4"]) assert.ok(isIpAddress(ip), ip);
  for (const text of ["1.2.3", "1.2.3.256", "01.2.3.4", "a::g", "host", ""]) assert.ok(!isIpAddress(text), text);
  assert.deepEqual(serverNames("Box", ["box", "::1"]), {
    dns: ["joblet", "localhost", "box"],
    ip: ["127.0.0.1", "::1"],
  });
});
