import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { parse, stringify } from "@std/yaml";
import { type Home, homeAt } from "../../core/values/home.ts";
import { requires } from "../../tests/harness/requires.ts";
import { readTrust } from "../auth/trust.ts";
import { loadServerConfig } from "../config/config.ts";
import { assertUsableTls } from "../server/tls_material.ts";
import { initAuthority } from "./authority.ts";
import { issueClient, renewClient, renewServer } from "./clients.ts";
import { listCertificates } from "./list.ts";
import { serialOf } from "./registry.ts";
import { revokeCertificates } from "./revoke.ts";
import { rotateAuthority } from "./rotate.ts";

async function withHome(body: (home: Home) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "joblet-certs-" });
  try {
    await initAuthority({ home: homeAt(root), port: 0 });
    await body(homeAt(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function clientNode(path: string) {
  const file = parse(await Deno.readTextFile(path)) as { nodes: { default: { cert: string; ca: string } } };
  return file.nodes.default;
}

const table = (home: Home) => listCertificates(home, Date.now()).map(({ kind, name, status }) => [kind, name, status]);

Deno.test("listCertificates shows what was issued, and what has ended, ends soon or is revoked", async () => {
  await withHome(async (home) => {
    await issueClient({ home, name: "alice", role: "user" });
    await issueClient({ home, name: "bob", role: "reader" });
    await revokeCertificates({ home, name: "bob" });
    const [ca, ...rest] = table(home);
    assert.match(ca![1]!, /^joblet CA [0-9a-f]{8}$/);
    assert.deepEqual(rest, [
      ["server", "joblet", "valid"],
      ["client", "admin", "valid"],
      ["client", "alice", "valid"],
      ["client", "bob", "revoked"],
    ]);
    const at = (days: number) =>
      listCertificates(home, Date.now() + days * 86_400_000).find(({ name }) => name === "alice")!;
    assert.deepEqual([at(70).status, at(80).status, at(80).days, at(91).status], ["valid", "ends soon", 9, "expired"]);
  });
});

Deno.test("a home from before there were records lists what lies in its config folder", async () => {
  await withHome(async (home) => {
    await issueClient({ home, name: "alice", role: "user" });
    const before = table(home);
    await Deno.remove(`${home.config}/certificates.json`);
    assert.deepEqual(table(home).sort(), before.sort());
  });
});

Deno.test("renewClient keeps name, role and file and changes key, serial and dates; a name without record is an error", async () => {
  await withHome(async (home) => {
    const { files: [file = ""] } = await issueClient({ home, name: "alice", role: "viewer", days: 5 });
    const before = new X509Certificate((await clientNode(file)).cert);
    assert.deepEqual((await renewClient({ home, name: "alice" })).files, [file]);
    const after = new X509Certificate((await clientNode(file)).cert);
    assert.equal(after.subject, before.subject);
    assert.notEqual(after.serialNumber, before.serialNumber);
    assert.ok(!after.publicKey.equals(before.publicKey));
    assert.ok(after.validToDate > before.validToDate);
    await assert.rejects(renewClient({ home, name: "bob" }), {
      message: "Cannot renew 'bob': no certificate of this name was issued here; " +
        "make one with 'joblet certs client bob --role ROLE'",
    });
    await revokeCertificates({ home, name: "alice" });
    await assert.rejects(renewClient({ home, name: "alice" }), /its certificates are revoked/);
  });
});

Deno.test("issueClient writes PEM files that only the key's owner may read whole, and renewClient writes them again", async () => {
  await withHome(async (home) => {
    const pemFolder = home.root;
    const paths = ["ci.pem", "ci.key", "ca.pem"].map((name) => `${pemFolder}/${name}`);
    assert.deepEqual((await issueClient({ home, name: "ci", role: "user", pemFolder })).files, paths);
    const modes = await Promise.all(paths.map(async (path) => (await Deno.stat(path)).mode! & 0o777));
    assert.deepEqual(modes, [0o644, 0o600, 0o644]);
    const before = await Deno.readTextFile(paths[0]!);
    assert.deepEqual((await renewClient({ home, name: "ci" })).files, paths);
    assert.notEqual(await Deno.readTextFile(paths[0]!), before);
  });
});

Deno.test("renewServer keeps host names and all else in the configuration, comments too", async () => {
  await withHome(async (home) => {
    const path = `${home.config}/joblet-config.yml`;
    await Deno.writeTextFile(path, "# mine\nlogs:\n  maxBytesPerRun: 5M # enough\n", { append: true });
    const [before, text] = [loadServerConfig(home), await Deno.readTextFile(path)];
    await renewServer({ home, days: 7 });
    const after = loadServerConfig(home);
    const names = (pem: string) => new X509Certificate(pem).subjectAltName;
    assert.equal(names(after.tls.cert), names(before.tls.cert));
    assert.notEqual(serialOf(after.tls.cert), serialOf(before.tls.cert));
    assertUsableTls(after.tls, Date.now());
    const rest = (yaml: string) => yaml.replaceAll(/-----BEGIN[^#]*?-----END [A-Z ]+-----/g, "PEM");
    assert.equal(rest(await Deno.readTextFile(path)), rest(text));
  });
});

Deno.test("renewServer writes the files that the configuration names", async () => {
  await withHome(async (home) => {
    const { tls } = loadServerConfig(home);
    await Deno.writeTextFile(`${home.config}/server.pem`, tls.cert);
    await Deno.writeTextFile(`${home.config}/server.key`, tls.key, { mode: 0o600 });
    const security = { serverCert: "server.pem", serverKey: `${home.config}/server.key`, caCert: "ca.pem" };
    const text = stringify({ version: "3.0", security });
    await Deno.writeTextFile(`${home.config}/joblet-config.yml`, text);
    await renewServer({ home });
    assert.equal(await Deno.readTextFile(`${home.config}/joblet-config.yml`), text);
    const after = loadServerConfig(home).tls;
    assert.notEqual(after.cert, tls.cert);
    assertUsableTls(after, Date.now());
    await Deno.chmod(`${home.config}/server.key`, 0o644);
    assert.throws(() => loadServerConfig(home), /server\.key: its mode 644 lets others at its private key/);
  });
});

Deno.test({
  ...requires("openssl"),
  name: "revokeCertificates writes a list that openssl takes, with all certificates of a name, or with one",
  fn: async () => {
    await withHome(async (home) => {
      const { files: [file = ""] } = await issueClient({ home, name: "eve", role: "user" });
      await renewClient({ home, name: "eve" });
      const { certificates } = await revokeCertificates({ home, name: "eve" });
      assert.equal(certificates.length, 2);
      await revokeCertificates({ home, serial: "00ab12" });
      const [ca, crl] = [`${home.config}/ca.pem`, `${home.config}/crl.pem`];
      const openssl = async (...args: string[]) => {
        const { stdout, stderr } = await new Deno.Command("openssl", { args }).output();
        return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      };
      assert.match(await openssl("crl", "-in", crl, "-CAfile", ca, "-noout"), /verify OK/);
      const text = await openssl("crl", "-in", crl, "-noout", "-text");
      for (const serial of [...certificates.map((certificate) => certificate.serial), "AB12"]) {
        assert.match(text, new RegExp(`Serial Number: ${serial}`));
      }
      const cert = `${home.root}/eve.pem`;
      await Deno.writeTextFile(cert, (await clientNode(file)).cert);
      assert.match(await openssl("verify", "-crl_check", "-CAfile", ca, "-CRLfile", crl, cert), /certificate revoked/);
      assert.equal(
        readTrust(await Deno.readTextFile(ca), await Deno.readTextFile(crl)).authorities[0]!.revoked.size,
        3,
      );
    });
  },
});

Deno.test("revokeCertificates refuses names without valid certificate, serials that are none, and the CA", async () => {
  await withHome(async (home) => {
    const ca = listCertificates(home, Date.now())[0]!;
    await assert.rejects(revokeCertificates({ home, name: "eve" }), /Cannot revoke 'eve': it has no valid certificate/);
    await assert.rejects(revokeCertificates({ home, serial: "xyz" }), /hexadecimal digits/);
    await assert.rejects(revokeCertificates({ home, serial: ca.serial }), /rotate-ca/);
  });
});

Deno.test("rotateAuthority takes its steps in order, says who must renew, and keeps what is revoked", async () => {
  await withHome(async (home) => {
    const { files: [file = ""] } = await issueClient({ home, name: "alice", role: "user" });
    await issueClient({ home, name: "eve", role: "user" });
    await revokeCertificates({ home, name: "eve" });
    const rotate = (step?: "begin" | "switch" | "finish" | "cancel") =>
      rotateAuthority({ home, ...(step && { step }) });
    const trusted = () => assertUsableTls(loadServerConfig(home).tls, Date.now()).authorities;
    for (const step of ["switch", "finish", "cancel"] as const) await assert.rejects(rotate(step), /nothing has begun/);

    const old = serialOf(loadServerConfig(home).tls.ca);
    assert.equal((await rotate("begin")).phase, "begun");
    assert.deepEqual(trusted().map(({ revoked }) => revoked.size), [1, 0]);
    assert.equal((await clientNode(file)).ca, loadServerConfig(home).tls.ca);
    await assert.rejects(rotate("finish"), /it has begun/);
    assert.equal((await rotate("cancel")).phase, "single");
    assert.equal(serialOf(loadServerConfig(home).tls.ca), old);
    assert.equal(trusted().length, 1);

    await rotate("begin");
    assert.equal((await rotate("begin")).phase, "begun", "a step can be repeated");
    const switched = await rotate("switch");
    assert.deepEqual([switched.phase, switched.waitingFor], ["switched", ["alice"]]);
    assert.notEqual(serialOf(loadServerConfig(home).tls.ca), old);
    await assert.rejects(rotate("cancel"), /the new CA signs already/);
    await assert.rejects(rotate("finish"), /valid certificates of alice; renew them/);
    await renewClient({ home, name: "alice" });
    assert.deepEqual((await rotate()).waitingFor, []);
    assert.equal((await rotate("finish")).phase, "single");
    assert.equal(trusted().length, 1);
    assert.equal((await clientNode(file)).ca, loadServerConfig(home).tls.ca);
  });
});

Deno.test("an interrupted switch goes on with the same step, and nothing is issued before", async () => {
  await withHome(async (home) => {
    await rotateAuthority({ home, step: "begin" });
    const next = serialOf(await Deno.readTextFile(`${home.config}/ca-next.pem`));
    // As if it had ended after its first files.
    for (const end of ["key", "pem"]) await Deno.copyFile(`${home.config}/ca.${end}`, `${home.config}/ca-old.${end}`);
    await Deno.copyFile(`${home.config}/ca-next.key`, `${home.config}/ca.key`);
    assert.equal((await rotateAuthority({ home })).phase, "switching");
    await assert.rejects(issueClient({ home, name: "bob", role: "user" }), /rotate-ca switch' again/);
    await assert.rejects(rotateAuthority({ home, step: "finish" }), /a switch was interrupted/);
    assert.equal((await rotateAuthority({ home, step: "switch" })).phase, "switched");
    assert.equal(serialOf(loadServerConfig(home).tls.ca), next);
    assertUsableTls(loadServerConfig(home).tls, Date.now());
  });
});
