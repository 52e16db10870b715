/** Clients that must not get in, each with what they meet: for all tests that need wrong certificates. */
import type { ConnectionOptions } from "node:tls";
import { createAuthority, createRevocationList } from "../certs/x509.ts";
import { serialOf } from "../certs/registry.ts";
import {
  CLIENT_AUTH,
  createClientCertificate,
  createCustomCertificate,
  type CustomOptions,
  roleExtension,
  SERVER_AUTH,
  type TestAuthority,
} from "./certificates.ts";
import type { ClientPair } from "./server.ts";

const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
const HOUR_MS = 3_600_000;

/** The runtime closes the connection without telling why; what was on its way may be cut off. */
const HUNG_UP = /^(closed|ECONNRESET)$/;

export interface Refusal {
  readonly what: string;
  readonly client: Partial<ClientPair>;
  /** How the client connects, if not in the usual way. */
  readonly options?: ConnectionOptions;
  /** TLS ends it with this, as `exchange` tells it; the server's identity step sees nothing of it. */
  readonly handshake?: RegExp;
  /** The identity step answers each call with this code. */
  readonly code?: "Unauthenticated" | "PermissionDenied";
}

export interface Refusals {
  /** For the server: it must have the revocation list. */
  readonly authority: TestAuthority;
  readonly table: readonly Refusal[];
}

/** All of them, made for one CA. */
export async function createRefusals(authority: TestAuthority): Promise<Refusals> {
  const { ca, tls } = authority;
  const revoked = await createClientCertificate(ca, "eve", "admin", 1);
  const crl = await createRevocationList(ca, [{ serial: serialOf(revoked.cert), date: new Date() }]);
  const table = [
    ...await refusedByTls(authority),
    { what: "a revoked certificate", client: revoked, code: "Unauthenticated" as const },
    {
      what: "the certificate of the CA itself",
      client: { cert: ca.cert, key: ca.key },
      code: "Unauthenticated" as const,
    },
    ...await refusedByIdentity(authority),
  ];
  return { authority: { ca, tls: { ...tls, crl } }, table };
}

async function refusedByTls({ ca, tls }: TestAuthority): Promise<Refusal[]> {
  const foreign = await createAuthority("test CA", 1);
  const alice = await createClientCertificate(ca, "alice", "user", 1);
  const custom = (options: CustomOptions) => createCustomCertificate(ca, options);
  const past = { notBefore: new Date(Date.now() - 2 * HOUR_MS), notAfter: new Date(Date.now() - HOUR_MS) };
  const future = { notBefore: new Date(Date.now() + HOUR_MS), notAfter: new Date(Date.now() + 2 * HOUR_MS) };
  const usages = [CLIENT_AUTH];
  return [
    { what: "no certificate", client: {}, handshake: /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/ },
    { what: "an expired certificate", client: await custom({ usages, ...past }), handshake: HUNG_UP },
    { what: "a certificate that is not valid yet", client: await custom({ usages, ...future }), handshake: HUNG_UP },
    {
      what: "a certificate of a foreign CA of the same name",
      client: await createClientCertificate(foreign, "alice", "admin", 1),
      handshake: HUNG_UP,
    },
    { what: "the certificate of a foreign CA", client: { cert: foreign.cert, key: foreign.key }, handshake: HUNG_UP },
    { what: "a certificate for servers only", client: await custom({ usages: [SERVER_AUTH] }), handshake: HUNG_UP },
    {
      what: "a certificate for code signing only",
      client: await custom({ usages: [CODE_SIGNING] }),
      handshake: HUNG_UP,
    },
    { what: "the server's own certificate", client: { cert: tls.cert, key: tls.key }, handshake: HUNG_UP },
    { what: "a certificate that may sign others", client: await custom({ usages, isCa: true }), handshake: HUNG_UP },
    {
      what: "TLS 1.2",
      client: alice,
      options: { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" },
      handshake: /^ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION$/,
    },
  ];
}

async function refusedByIdentity({ ca }: TestAuthority): Promise<Refusal[]> {
  const named = (...names: string[]) => [{ OU: ["admin"] }, ...names.map((name) => ({ CN: [name] }))];
  const unauthenticated: Record<string, CustomOptions> = {
    "no extended key usage": {},
    "no common name": { usages: [CLIENT_AUTH], subject: named() },
    "an empty common name": { usages: [CLIENT_AUTH], subject: named("") },
    "two common names": { usages: [CLIENT_AUTH], subject: named("bob", "root") },
    "a line break in the name": { usages: [CLIENT_AUTH], subject: named("bob\nOU=admin") },
    "a path as name": { usages: [CLIENT_AUTH], subject: named("../../x") },
  };
  const denied: Record<string, CustomOptions> = {
    "no role": { usages: [CLIENT_AUTH], subject: [{ O: ["ACME"] }, { CN: ["bob"] }] },
    "two roles that disagree": {
      usages: [CLIENT_AUTH],
      subject: [{ OU: ["admin"] }, { O: ["user"] }, { CN: ["bob"] }],
    },
    "a role extension that disagrees": {
      usages: [CLIENT_AUTH],
      subject: named("bob"),
      extensions: [roleExtension("user")],
    },
  };
  const rows = (cases: Record<string, CustomOptions>, code: Refusal["code"] & string) =>
    Object.entries(cases).map(async ([what, options]) => ({
      what,
      client: await createCustomCertificate(ca, options),
      code,
    }));
  return await Promise.all([...rows(unauthenticated, "Unauthenticated"), ...rows(denied, "PermissionDenied")]);
}
