/** joblet: the server and its command line in one program. This file picks the face and is the only one that exits. */
import { chooseFace } from "./cli/faces/choose.ts";
import type { HostCommands } from "./cli/host.ts";
import { programName } from "./cli/self.ts";

const QUICK: ReadonlySet<string> = new Set([
  "--help",
  "-h",
  "--version",
  "-v",
  "__complete",
  "completion",
  "server",
  "doctor",
  "audit",
]);

const chosen = chooseFace(await programName(), Deno.args);

// TLS seeds its random numbers at the first handshake, which takes 30 ms; this does it in another thread meanwhile.
// Nothing depends on the key: a failure would show in the handshake itself.
if (!QUICK.has(chosen.words[0] ?? "--help")) {
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]).catch(() => {});
}

/** What the command line needs of the server's side, loaded when it is used. */
const host: HostCommands = {
  server: async (home, { drain }) => await (await import("./api/server/serve.ts")).serve(home, { drain }),
  doctor: async (home) => await (await import("./api/doctor.ts")).runDoctor(home),
  auditLines: async (home, query) => (await import("./api/audit/query.ts")).queryAudit(home.audit, query),
  auditCheck: async (home, expected) => await (await import("./api/audit/verify.ts")).verifyAudit(home.audit, expected),
  auditHead: async (home) => (await import("./api/audit/segments.ts")).readEnd(home.audit).head,
  certsInit: async (options) => {
    const { initAuthority } = await import("./api/certs/authority.ts");
    const { serverConfigPath, clientConfigPath, clientNotAfter } = await initAuthority(options);
    return { files: [serverConfigPath, clientConfigPath], notAfter: clientNotAfter };
  },
  certsClient: async (options) => await (await import("./api/certs/clients.ts")).issueClient(options),
  certsRenew: async ({ name, ...options }) => {
    const { renewClient, renewServer } = await import("./api/certs/clients.ts");
    return name === undefined ? await renewServer(options) : await renewClient({ name, ...options });
  },
  certsList: async (home) => (await import("./api/certs/list.ts")).listCertificates(home, Date.now()),
  certsRevoke: async (options) => await (await import("./api/certs/revoke.ts")).revokeCertificates(options),
  certsRotate: async (options) => await (await import("./api/certs/rotate.ts")).rotateAuthority(options),
};

const { runCli } = await import("./cli/mod.ts");
Deno.exit(await runCli(chosen, host));
