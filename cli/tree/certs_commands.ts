/** `joblet certs`: certificates of the server, its clients and their CA. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { GLOBAL_FLAGS } from "../command.ts";
import { example, parseCount, parsePort } from "./parameters.ts";

const days = (brief: string) =>
  ({ kind: "parsed", parse: parseCount, brief, placeholder: "N", optional: true }) as const;

const OUT = { kind: "parsed", parse: String, placeholder: "FILE", optional: true } as const;

const NAME = { parse: String, brief: "The client's name: owner of its jobs", placeholder: "NAME" } as const;

const init = buildCommand({
  loader: async () => (await import("../commands/certs_issue.ts")).certsInit,
  parameters: {
    flags: {
      address: {
        kind: "parsed",
        parse: String,
        brief: "Address to listen on",
        placeholder: "IP",
        default: "127.0.0.1",
      },
      port: { kind: "parsed", parse: parsePort, brief: "Port to listen on", placeholder: "PORT", default: "50051" },
      host: {
        kind: "parsed",
        parse: String,
        brief: "Further host name or address of the server, repeatable",
        placeholder: "NAME",
        optional: true,
        variadic: true,
      },
      days: days("Validity of both in days (default: 365 for the server, 90 for the admin)"),
      force: {
        kind: "boolean",
        brief: "Make them anew; the CA and other clients stay valid",
        default: false,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: "Make a CA, server and admin certificates",
    fullDescription: example(
      "Writes joblet-config.yml and rnx-config.yml, with the certificates in them, to the config folder of JOBLET_HOME.",
      "joblet certs init",
      "joblet certs init --address 0.0.0.0 --host jobs.example.org",
    ),
  },
});

const client = buildCommand({
  loader: async () => (await import("../commands/certs_issue.ts")).certsClient,
  parameters: {
    flags: {
      role: {
        kind: "parsed",
        parse: String,
        brief: "admin: everything, user: own jobs, viewer: read only",
        placeholder: "ROLE",
        default: "user",
      },
      days: days("Validity in days (default: 90)"),
      out: { ...OUT, brief: "rnx-config.yml to write (default: in the config folder)" },
      pem: {
        kind: "parsed",
        parse: String,
        brief: "Folder to write NAME.pem, NAME.key and ca.pem to, instead of the rnx-config.yml or besides --out",
        placeholder: "DIR",
        optional: true,
      },
    },
    positional: { kind: "tuple", parameters: [NAME] },
  },
  docs: {
    brief: "Make a client's certificate",
    fullDescription: example(
      "Writes an rnx-config.yml for that client, or PEM files.",
      "joblet certs client alice --role user --days 30",
      "joblet certs client ci --role viewer --pem /etc/ci",
    ),
  },
});

const renew = buildCommand({
  loader: async () => (await import("../commands/certs_issue.ts")).certsRenew,
  parameters: {
    flags: {
      server: { kind: "boolean", brief: "Renew the server's certificate", default: false, withNegated: false },
      days: days("Validity in days (default: 90, for the server 365)"),
      out: { ...OUT, brief: "rnx-config.yml to write (default: what was written before)" },
    },
    positional: { kind: "tuple", parameters: [{ ...NAME, optional: true }] },
  },
  docs: {
    brief: "Make a certificate anew: same name and role, new key and dates",
    fullDescription: example(
      "The old certificate stays valid until it ends or is revoked. A running server takes its new one over at once.",
      "joblet certs renew alice",
      "joblet certs renew --server",
    ),
  },
});

const list = buildCommand({
  loader: async () => (await import("../commands/certs_manage.ts")).certsList,
  parameters: { flags: { json: GLOBAL_FLAGS.json } },
  docs: {
    brief: "List what was issued, and when it ends",
    fullDescription: example("Warns of what ends soon.", "joblet certs list", "joblet certs list --json"),
  },
});

const revoke = buildCommand({
  loader: async () => (await import("../commands/certs_manage.ts")).certsRevoke,
  parameters: {
    flags: {
      serial: {
        kind: "parsed",
        parse: String,
        brief: "Revoke this one certificate, as 'certs list' or the server's log shows it",
        placeholder: "S",
        optional: true,
      },
    },
    positional: { kind: "tuple", parameters: [{ ...NAME, optional: true }] },
  },
  docs: {
    brief: "Shut out a client: all of its certificates, or one",
    fullDescription: example(
      "Writes crl.pem, a standard revocation list. A running server takes it over at once and cuts open connections.",
      "joblet certs revoke alice",
      "joblet certs revoke --serial 4F3A90C2",
    ),
  },
});

const rotate = buildCommand({
  loader: async () => (await import("../commands/certs_manage.ts")).certsRotate,
  parameters: {
    flags: {
      force: {
        kind: "boolean",
        brief: "Finish although it shuts clients out",
        default: false,
        withNegated: false,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: String,
        brief: "begin, switch, finish or cancel; without, says how far it is",
        placeholder: "STEP",
        optional: true,
      }],
    },
  },
  docs: {
    brief: "Exchange the CA step by step, while clients go on",
    fullDescription: example(
      "begin: a new CA is made; server and client files trust both. Hand the client files out again.\n" +
        "switch: the new CA signs, the server's certificate first; those of the old one are still accepted.\n" +
        "  Renew the clients, and hand their files out.\n" +
        "finish: the old CA is dropped, and what it issued is refused.\n" +
        "cancel: drops the new CA again, before the switch.",
      "joblet certs rotate-ca",
      "joblet certs rotate-ca begin",
    ),
  },
});

/** The whole group. */
export const certs = buildRouteMap({
  routes: { init, client, renew, list, revoke, rotateCa: rotate },
  docs: { brief: "Make, list, renew and revoke certificates" },
});
