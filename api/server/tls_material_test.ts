import assert from "node:assert/strict";
import { requires } from "../../tests/harness/requires.ts";
import { createCustomCertificate, createTestAuthority, SERVER_AUTH } from "../testing/certificates.ts";
import { assertUsableTls } from "./tls_material.ts";

const authority = await createTestAuthority();
const hour = 3_600_000;

Deno.test("assertUsableTls names what is wrong with a server's certificate or a CA, and the cure", async () => {
  const usages = [SERVER_AUTH];
  const custom = async (options: Parameters<typeof createCustomCertificate>[1]) => {
    const { cert, key } = await createCustomCertificate(authority.ca, options);
    return { ...authority.tls, cert, key };
  };
  const times = (from: number, to: number) => ({
    notBefore: new Date(Date.now() + from * hour),
    notAfter: new Date(Date.now() + to * hour),
  });
  const cases: [ReturnType<typeof custom>, RegExp][] = [
    [custom({ usages, ...times(-2, -1) }), /serverCert expired on .*; run 'joblet certs renew --server'/],
    [custom({ usages, ...times(1, 2) }), /serverCert is not valid before .*; check this host's clock/],
    [custom({ usages, isCa: true }), /serverCert is the certificate of a CA, not a server's; run/],
    [custom({}), /serverCert does not name server authentication .*; run/],
    [custom({ usages }), /serverCert has no subject alternative name.*; run/],
  ];
  for (const [tls, expected] of cases) {
    const material = await tls;
    assert.throws(() => assertUsableTls(material, Date.now()), expected);
  }
  const later = Date.now() + 30 * 24 * hour;
  assert.throws(() => assertUsableTls(authority.tls, later), /serverCert expired/);
});

Deno.test({
  ...requires("openssl"),
  name: "assertUsableTls refuses short keys and SHA-1 signatures",
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "joblet-weak-" });
    const names = "subjectAltName=DNS:localhost";
    const make = async (...how: string[]) => {
      const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`];
      const fixed = ["-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=weak"];
      const extensions = ["-addext", names, "-addext", "extendedKeyUsage=serverAuth"];
      const args = ["req", "-x509", ...how, ...fixed, ...extensions];
      const { success, stderr } = await new Deno.Command("openssl", { args }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return { ...authority.tls, cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
    };
    try {
      const short = await make("-newkey", "rsa:1024", "-sha256");
      assert.throws(() => assertUsableTls(short, Date.now()), /too weak: its RSA key has 1024 bits, 2048 are wanted/);
      const sha1 = await make("-newkey", "rsa:2048", "-sha1");
      assert.throws(() => assertUsableTls(sha1, Date.now()), /too weak: it is signed with SHA-1/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
