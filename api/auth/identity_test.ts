import assert from "node:assert/strict";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { createAuthority } from "../certs/x509.ts";
import { assertStillValid, AuthError, identify, isSafeName, type PeerCertificate } from "./identity.ts";
import { ROLE_EXTENSION_OID, ROLE_SOURCES, type RoleMap, type RoleSource } from "./role.ts";
import { CLIENT_AUTH, createCustomCertificate, type CustomOptions, SERVER_AUTH } from "../testing/certificates.ts";

const ca = await createAuthority("test CA", 1);

function roleExtension(text: string): x509.Extension {
  const bytes = new TextEncoder().encode(text);
  return new x509.Extension(ROLE_EXTENSION_OID, false, new Uint8Array([0x0c, bytes.length, ...bytes]));
}

/** A certificate as the TLS stack tells of it: subject parsed, the rest as DER. */
async function peer(subject: PeerCertificate["subject"], options: CustomOptions = {}): Promise<PeerCertificate> {
  const { cert } = await createCustomCertificate(ca, { usages: [CLIENT_AUTH], ...options });
  const raw = new Uint8Array(x509.PemConverter.decodeFirst(cert));
  return { subject, raw, serialNumber: "4a01", valid_to: "Nov 26 04:26:23 2100 GMT" };
}

function outcome(
  certificate: PeerCertificate,
  sources: readonly RoleSource[] = ROLE_SOURCES,
  roles?: RoleMap,
): string {
  try {
    const { name, role } = identify(certificate, sources, roles);
    return `${name} ${role}`;
  } catch (error) {
    assert.ok(error instanceof AuthError, String(error));
    return error.kind;
  }
}

Deno.test("identify takes the role from OU and O, ignores what is no role, adds up within one, denies what disagrees", async () => {
  const table: [PeerCertificate["subject"], string][] = [
    [{ CN: "bob", OU: "admin" }, "bob admin"],
    [{ CN: "bob", O: "user" }, "bob user"],
    [{ CN: "bob", OU: "viewer", O: "viewer" }, "bob viewer"],
    [{ CN: "bob", OU: "reader", O: "readonly" }, "bob viewer"],
    [{ CN: "bob", O: "ACME", OU: "user" }, "bob user"],
    [{ CN: "bob", O: ["ACME", "viewer", "user"] }, "bob user"],
    [{ CN: "bob", OU: ["user", "admin"] }, "bob admin"],
    [{ CN: "bob", OU: "admin", O: "user" }, "denied"],
    [{ CN: "bob", OU: ["admin", "user"], O: "user" }, "denied"],
    [{ CN: "bob" }, "denied"],
    [{ CN: "bob", O: "ACME", OU: "root" }, "denied"],
    [{ CN: "bob", OU: "Admin" }, "denied"],
    [{ CN: "bob", OU: "__proto__" }, "denied"],
    [{ CN: "bob", OU: "admin\n" }, "denied"],
    [{ OU: "admin" }, "unauthenticated"],
    [{ CN: "", OU: "admin" }, "unauthenticated"],
    [{ CN: ["bob", "root"], OU: "admin" }, "unauthenticated"],
    [{ CN: [], OU: "admin" }, "unauthenticated"],
    [{ CN: "bob\nOU=admin" }, "unauthenticated"],
    [{ CN: "bob\nOU=admin", OU: "user" }, "unauthenticated"],
    [{ CN: "../../x", OU: "user" }, "unauthenticated"],
    [{ CN: "bob\0", OU: "user" }, "unauthenticated"],
    [{ CN: "b".repeat(65), OU: "user" }, "unauthenticated"],
    [{ CN: "bob@build-1.example", OU: "user" }, "bob@build-1.example user"],
  ];
  for (const [subject, expected] of table) {
    assert.equal(outcome(await peer(subject)), expected, JSON.stringify(subject));
  }
});

Deno.test("identify reads the role extension, which must agree with the other places", async () => {
  const extensions = [roleExtension("user")];
  assert.equal(outcome(await peer({ CN: "bob" }, { extensions })), "bob user");
  assert.equal(outcome(await peer({ CN: "bob", OU: "user", O: "user" }, { extensions })), "bob user");
  assert.equal(outcome(await peer({ CN: "bob", OU: "admin" }, { extensions })), "denied");
  assert.equal(outcome(await peer({ CN: "bob" }, { extensions: [roleExtension("ACME")] })), "denied");
  const notUtf8 = [new x509.Extension(ROLE_EXTENSION_OID, false, new Uint8Array([0x0c, 2, 0xff, 0xff]))];
  assert.equal(outcome(await peer({ CN: "bob", OU: "admin" }, { extensions: notUtf8 })), "denied");
  const notAString = [new x509.Extension(ROLE_EXTENSION_OID, false, new TextEncoder().encode("admin"))];
  assert.equal(outcome(await peer({ CN: "bob", OU: "admin" }, { extensions: notAString })), "denied");
});

Deno.test("identify trusts the configured sources only", async () => {
  const certificate = await peer({ CN: "bob", OU: "admin", O: "viewer" }, { extensions: [roleExtension("user")] });
  assert.equal(outcome(certificate, ["extension"]), "bob user");
  assert.equal(outcome(certificate, ["OU"]), "bob admin");
  assert.equal(outcome(certificate, ["O"]), "bob viewer");
  assert.equal(outcome(certificate, ["extension", "OU"]), "denied");
});

Deno.test("identify takes the server's word for a name before the certificate's, and its default for one without", async () => {
  const byName = new Map([["ann", "admin"], ["bob", "viewer"]] as const);
  const roles: RoleMap = { byName, standard: "user" };
  const table: [PeerCertificate["subject"], readonly RoleSource[], RoleMap, string][] = [
    [{ CN: "bob", OU: "admin" }, ROLE_SOURCES, roles, "bob viewer"],
    [{ CN: "ann", OU: "viewer" }, ROLE_SOURCES, roles, "ann admin"],
    [{ CN: "ann" }, [], { byName }, "ann admin"],
    [{ CN: "ann", OU: "admin", O: "user" }, ROLE_SOURCES, roles, "ann admin"],
    [{ CN: "eve" }, ROLE_SOURCES, roles, "eve user"],
    [{ CN: "eve", OU: "viewer" }, ROLE_SOURCES, roles, "eve viewer"],
    [{ CN: "eve", OU: "admin" }, [], roles, "eve user"],
    [{ CN: "eve", OU: "admin" }, [], { byName }, "denied"],
    [{ CN: "eve", OU: "admin", O: "user" }, ROLE_SOURCES, roles, "denied"],
    [{ CN: "constructor" }, [], { byName }, "denied"],
  ];
  for (const [subject, sources, map, expected] of table) {
    assert.equal(outcome(await peer(subject), sources, map), expected, JSON.stringify(subject));
  }
  assert.equal(outcome(await peer({ CN: "ann" }, { usages: [SERVER_AUTH] }), [], roles), "unauthenticated");
});

Deno.test("a refused certificate is told with what it claims, if that is a name", async () => {
  const claimed = async (subject: PeerCertificate["subject"]) => {
    const certificate = await peer(subject);
    try {
      return identify(certificate, ROLE_SOURCES);
    } catch (error) {
      return error instanceof AuthError ? error.claimed : error;
    }
  };
  assert.deepEqual(await claimed({ CN: "bob" }), { name: "bob", serial: "4A01" });
  assert.deepEqual(await claimed({ CN: "bob\nroot", OU: "user" }), { serial: "4A01" });
  const late = { name: "bob", role: "user", serial: "4A01", expiresAtMs: 0 } as const;
  assert.throws(() => assertStillValid(late, 1), { claimed: { name: "bob", serial: "4A01" } });
});

Deno.test("identify refuses certificates that are not made for clients", async () => {
  const subject = { CN: "bob", OU: "admin" };
  assert.equal(outcome(await peer(subject, { usages: [] })), "unauthenticated");
  assert.equal(outcome(await peer(subject, { usages: [SERVER_AUTH] })), "unauthenticated");
  assert.equal(outcome(await peer(subject, { usages: [SERVER_AUTH, CLIENT_AUTH] })), "bob admin");
  assert.equal(outcome(await peer(subject, { isCa: true })), "unauthenticated");
});

Deno.test("identify refuses an extension that is given twice, whichever value it has", async () => {
  const extensions = [roleExtension("admin"), roleExtension("user")];
  assert.equal(outcome(await peer({ CN: "bob" }, { extensions })), "unauthenticated");
});

Deno.test("identify never throws anything but AuthError for broken DER", async () => {
  const good = await peer({ CN: "bob", OU: "user" });
  assert.equal(outcome(good), "bob user");
  for (let length = 0; length < good.raw.length; length++) {
    outcome({ ...good, raw: good.raw.subarray(0, length) });
  }
  for (let i = 0; i < 5000; i++) {
    const raw = good.raw.slice();
    const [at, byte] = crypto.getRandomValues(new Uint16Array(2));
    raw[at! % raw.length] = byte! & 0xff;
    outcome({ ...good, raw });
  }
  assert.equal(outcome({ ...good, raw: new Uint8Array() }), "unauthenticated");
});

Deno.test("assertStillValid refuses a certificate that ended while its connection stayed open", async () => {
  const identity = identify(await peer({ CN: "bob", OU: "user" }), ROLE_SOURCES);
  assertStillValid(identity, identity.expiresAtMs);
  assert.throws(() => assertStillValid(identity, identity.expiresAtMs + 1), { name: "AuthError" });
  const unreadable = { ...await peer({ CN: "bob", OU: "user" }), valid_to: "soon" };
  assert.equal(outcome(unreadable), "unauthenticated");
});

Deno.test("isSafeName takes what needs no quoting in file names and logs", () => {
  for (const name of ["a", "Bob", "build-1", "a.b_c+d@e", "x".repeat(64)]) assert.ok(isSafeName(name), name);
  for (const name of ["", ".", "..", "-x", "a/b", "a b", "ä", "a\n", "x".repeat(65)]) {
    assert.ok(!isSafeName(name), name);
  }
});
