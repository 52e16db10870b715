/** What a job reaches over sockets. */
import assert from "node:assert/strict";
import { shown } from "./expect.ts";
import type { Lab } from "./lab.ts";
import { type Probe, type ProbeJob, python } from "./probe.ts";

/** Prints what came of a connection to each address; a text starts with @ for an abstract name. */
function connects(...addresses: (string | readonly [string, number])[]) {
  return python(`
import errno, socket
for a in ${JSON.stringify(addresses)}:
    s = socket.socket(socket.AF_UNIX if isinstance(a, str) else socket.AF_INET)
    s.settimeout(2)
    try:
        s.connect("\\0" + a[1:] if isinstance(a, str) else tuple(a))
        print("OK")
    except OSError as e:
        print(errno.errorcode.get(e.errno, "ETIMEDOUT"))
`);
}

/** A listener on the host's abstract name @joblet-probe, as long as it is not disposed. */
async function abstractListener(): Promise<AsyncDisposable> {
  const code =
    'import socket,sys; s=socket.socket(1,1); s.bind("\\0joblet-probe"); s.listen(); print("up",flush=True); sys.stdin.read()';
  const child = new Deno.Command("/usr/bin/python3", { args: ["-c", code], stdin: "piped", stdout: "piped" }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return {
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

async function abstractProbe(lab: Lab, network: "none" | "host"): Promise<void> {
  await using _listener = await abstractListener();
  const result = await lab.run({ command: connects("@joblet-probe"), network });
  assert.match(result.out, /^(ECONNREFUSED|EPERM)\n$/, shown(result));
}

const METADATA = "169.254.169.254";

/** Answers at an address of the host, and at the one where clouds keep their credentials. */
async function hostServices(): Promise<
  AsyncDisposable & { readonly addresses: readonly (readonly [string, number])[] }
> {
  const ip = async (verb: string) => {
    const { success } = await new Deno.Command("/run/guest/busybox", {
      args: ["ip", "addr", verb, `${METADATA}/32`, "dev", "lo"],
    }).output();
    if (!success) throw new Error(`cannot ${verb} ${METADATA}`);
  };
  await ip("add");
  const servers = [METADATA, "127.0.0.1"].map((hostname) =>
    Deno.listen({ hostname, port: hostname === METADATA ? 80 : 0 })
  );
  return {
    addresses: servers.map(({ addr }) => [addr.hostname, addr.port] as const),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.close();
      await ip("del");
    },
  };
}

const LISTENER = python(
  'import socket; s=socket.create_server(("", 7777)); print("up", flush=True); s.accept(); s.accept()',
);

async function neighbours(lab: Lab, network: ProbeJob["network"]): Promise<void> {
  const { id } = await lab.start({ command: LISTENER, network: network! });
  try {
    await lab.live(id).mustSay("up\n");
    const result = await lab.run({ command: connects(["127.0.0.1", 7777], ["0.0.0.0", 7777]), network: network! });
    assert.match(result.out, /^((ECONNREFUSED|ENETUNREACH|EHOSTUNREACH)\n){2}$/, shown(result));
  } finally {
    await lab.engine.stop(id, { signal: "SIGKILL" });
  }
}

export const NETWORK: readonly Probe[] = [
  {
    number: 27,
    title: "abstract sockets of the host",
    safeOnHost: true,
    script: (lab, off) => abstractProbe(lab, off ? "host" : "none"),
    twin: { off: "network namespace" },
  },
  {
    number: 27,
    part: "host network",
    title: "abstract sockets of the host, from a job in its network",
    // Linux 6.12.
    landlockAbi: 6,
    safeOnHost: true,
    script: (lab) => abstractProbe(lab, "host"),
    twin: { none: "runs on the host, where no twin does" },
  },
  {
    number: 28,
    title: "the cloud's metadata address and the host's loopback",
    script: async (lab, off) => {
      await using services = await hostServices();
      const result = await lab.run({ command: connects(...services.addresses), network: off ? "host" : "none" });
      assert.match(result.out, /^((ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\n){2}$/, shown(result));
    },
    twin: { off: "network namespace" },
  },
  {
    number: 29,
    title: "another job's address",
    safeOnHost: true,
    script: (lab, off) => neighbours(lab, off ? "host" : "none"),
    twin: { off: "network namespace" },
  },
];
