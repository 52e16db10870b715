/** The sample sessions of the command lines that people know, with their limits: a server and a client over TLS. */
import assert from "node:assert/strict";
import { ROLE_SOURCES } from "../../../api/auth/role.ts";
import { startServer } from "../../../api/server/tls_server.ts";
import { createClientCertificate, createTestAuthority } from "../../../api/testing/certificates.ts";
import { connectTo } from "../../../cli/client.ts";
import type { CliContext } from "../../../cli/context.ts";
import { chooseFace, type FaceName } from "../../../cli/faces/choose.ts";
import { runWith } from "../../../cli/mod.ts";
import { NO_HOST } from "../../../cli/testing/fake_cli.ts";
import { cgroupRoot, type Lab } from "../../probes/lab.ts";
import type { LimitCheck } from "./check.ts";

/** Types a command line that must succeed and say nothing on stderr. @returns what it printed */
type Say = (...line: string[]) => Promise<string>;

/** Serves the lab's engine while the session lasts. */
async function session(lab: Lab, hold: (say: Say) => Promise<string>): Promise<string> {
  const authority = await createTestAuthority();
  const { cert, key } = await createClientCertificate(authority.ca, "admin", "admin", 1);
  const config = { address: "127.0.0.1", port: 0, tls: authority.tls, roleSources: ROLE_SOURCES };
  const server = await startServer({ engine: lab.engine, config });
  const node = {
    name: "default",
    nodeId: "",
    address: `127.0.0.1:${server.port}`,
    cert,
    key,
    ca: authority.tls.ca,
    certFile: "",
  };
  try {
    return await hold(async (program, ...words) => {
      const chosen = chooseFace(program!, words);
      const { cli, out, err } = context(chosen.name, () => connectTo(node));
      const code = await runWith(chosen, cli);
      assert.deepEqual([code, err()], [0, ""], [program, ...words].join(" "));
      return out();
    });
  } finally {
    await server.close(0);
  }
}

function context(program: FaceName, connect: () => ReturnType<typeof connectTo>) {
  let [out, err] = ["", ""];
  const decoder = new TextDecoder();
  const text = (data: string | Uint8Array) => typeof data === "string" ? data : decoder.decode(data);
  const absent = () => Promise.reject(new Error("There is no host command in this session"));
  const cli: CliContext = {
    terminal: {
      program,
      isTerminal: false,
      colors: false,
      columns: Infinity,
      out: (data) => Promise.resolve(void (out += text(data))),
      err: (data) => Promise.resolve(void (err += text(data))),
    },
    host: NO_HOST,
    connect: () => Promise.resolve(connect()),
    connectOrStart: () => Promise.resolve(connect()),
    nodes: absent,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onInterrupt: () => ({ [Symbol.dispose]() {} }),
  };
  return { cli, out: () => out, err: () => err };
}

/** Has the kernel look at weights for the disk of the lab's home while something runs. */
async function withDiskWeights<T>(lab: Lab, run: () => Promise<T>): Promise<T> {
  const { dev } = await Deno.stat(lab.home);
  const disk = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const file = `${cgroupRoot()}/io.cost.qos`;
  await Deno.writeTextFile(file, `${disk} enable=1`, { create: false });
  try {
    return await run();
  } finally {
    await Deno.writeTextFile(file, `${disk} enable=0`, { create: false });
  }
}

const SIZE = "\\d+(\\.\\d)?[KMG]?B";
const LIMITS = ["--cpu-weight", "1024", "--memory-limit", "100M", "--io-weight", "100"];

async function jobworker(lab: Lab, say: Say): Promise<string> {
  const started = await say("jobworker", "start", "echo 'Life is Great'", ...LIMITS);
  const id = /^Job started\. ID: ([0-9a-f-]{36})\n$/.exec(started)?.[1];
  assert(id, started);
  assert.equal(await say("jobworker", "stream", id), "Life is Great\n");
  const figures = `CPU Usage: \\d+ uS\\nMemory Usage: ${SIZE}\\nI/O Read: ${SIZE}\\nI/O Write: ${SIZE}\\n`;
  const ended = await say("jobworker", "status", id);
  assert.match(ended, new RegExp(`^Status: COMPLETED\\n${figures}Exit Code: 0\\nReason: EXITED\\n$`));

  const endless = (await say("jobworker", "start", "sh -c 'echo up; sleep 1000'", ...LIMITS)).trim().split(" ").at(-1)!;
  const live = lab.live(endless);
  await live.mustSay("up\n");
  const files = ["cpu.weight", "memory.max", "io.weight"].map((file) => live.cgroup(file));
  assert.deepEqual(files, ["1024", String(100 << 20), "default 100"]);
  const running = await say("jobworker", "status", endless);
  assert.match(running, new RegExp(`^Status: RUNNING\\n${figures}$`));
  assert.equal(await say("jobworker", "stop", endless), `Status: STOPPED\nJob ID: ${endless}\n`);
  return running.trim().replaceAll("\n", ", ");
}

async function rnx(lab: Lab, say: Say): Promise<string> {
  const command = ["sh", "-c", "echo up; sleep 1000"];
  const started = await say("rnx", "job", "run", "--max-cpu=50", "--max-memory=512", "--max-iobps=1048576", ...command);
  const id = /^Job started:\nID: ([0-9a-f-]{36})\nCommand: sh -c 'echo up; sleep 1000'\nStatus: RUNNING\n/.exec(started)
    ?.[1];
  assert(id, started);
  const live = lab.live(id);
  await live.mustSay("up\n");
  assert.deepEqual(["cpu.max", "memory.max"].map((file) => live.cgroup(file)), ["50000 100000", String(512 << 20)]);
  assert.match(live.cgroup("io.max"), /rbps=1048576 wbps=1048576/);
  const [row] = JSON.parse(await say("rnx", "job", "list", "--json")) as Record<string, unknown>[];
  assert.deepEqual([row?.["id"], row?.["max_cpu"], row?.["max_memory"], row?.["max_iobps"]], [id, 50, 512, 1048576]);
  const status = await say("rnx", "job", "status", id);
  assert.match(status, /\nResource Limits:\n {2}CPU limit: 50 % of a core\n {2}Memory limit: 512 MiB\n/);
  assert.match(await say("rnx", "job", "stop", id), /\nStatus: STOPPED\n/);
  assert.equal(await say("rnx", "job", "log", id), "up\n");
  return "50 % of a core, 512 MiB, 1 MiB/s";
}

async function jobc(lab: Lab, say: Say): Promise<string> {
  const id = (await say("jobc", "start", "--max-memory", "64M", "--max-cpu", "100", "tail", "/dev/zero")).trim();
  assert.equal(await say("jobc", "logs", id), "");
  assert.equal(await say("jobc", "status", id), "stopped (signal: 9)\n");
  const { status } = lab.engine.get(id);
  assert.equal("reason" in status && status.reason, "out_of_memory");
  return "a memory bomb of 64 MiB is stopped (signal: 9)";
}

export const FACE_CHECKS: readonly LimitCheck[] = [
  {
    name: "jobworker",
    title: "jobworker's sample session, limits and all",
    run: (lab) => withDiskWeights(lab, () => session(lab, (say) => jobworker(lab, say))),
  },
  { name: "rnx", title: "rnx's limits", run: (lab) => session(lab, (say) => rnx(lab, say)) },
  { name: "jobc", title: "jobc's limits", run: (lab) => session(lab, (say) => jobc(lab, say)) },
];
