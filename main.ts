/** joblet: the server and its command line in one program. This file picks the face and is the only one that exits. */
import type { HostCommands } from "./cli/host.ts";

const QUICK: ReadonlySet<string> = new Set([
  "--help",
  "-h",
  "--version",
  "-v",
  "__complete",
  "completion",
  "server",
  "doctor",
]);

// TLS seeds its random numbers at the first handshake, which takes 30 ms; this does it in another thread meanwhile.
// Nothing depends on the key: a failure would show in the handshake itself.
if (!QUICK.has(Deno.args[0] ?? "--help")) {
  crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]).catch(() => {});
}

/** What the command line needs of the server's side, loaded when it is used. */
const host: HostCommands = {
  server: async (home, { drain }) => await (await import("./api/serve.ts")).serve(home, { drain }),
  doctor: async (home) => await (await import("./api/doctor.ts")).runDoctor(home),
  certsInit: async (options) => {
    const { initAuthority } = await import("./api/certs/authority.ts");
    const { serverConfigPath, clientConfigPath } = await initAuthority(options);
    return [serverConfigPath, clientConfigPath];
  },
  certsClient: async (options) => {
    const { issueClient } = await import("./api/certs/authority.ts");
    return (await issueClient(options)).path;
  },
};

const { runCli } = await import("./cli/mod.ts");
Deno.exit(await runCli(Deno.args, host));
