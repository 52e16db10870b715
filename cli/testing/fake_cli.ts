/** A command line without a process, a server or a socket, for tests. */
import { createClient, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { CliContext, Connection, JobClient, KnownNode } from "../context.ts";
import type { FaceName } from "../faces/choose.ts";
import type { HostCommands } from "../host.ts";
import { runWith } from "../mod.ts";

export interface FakeCli {
  run(...words: string[]): Promise<number>;
  out(): string;
  err(): string;
  /** Everything that went to stdout, byte for byte. */
  outBytes(): Uint8Array;
  /** The pauses that were made, in milliseconds; none of them took any time. */
  readonly pauses: readonly number[];
  /** As if the user pressed Ctrl-C. */
  interrupt(signal?: "SIGINT" | "SIGTERM"): void;
}

export interface FakeOptions {
  /** Whose words they are. @default {"joblet"} */
  readonly face?: FaceName;
  /** The servers of the configuration file. */
  readonly nodes?: readonly KnownNode[];
  readonly host?: Partial<HostCommands>;
  /** Stands in for the whole call: the fake transport loses the cause of an error. */
  readonly runJob?: JobClient["runJob"];
  /** Stands in for stdout. */
  readonly onOut?: (data: string | Uint8Array) => void;
}

const missing = () => Promise.reject(new Error("Cannot do this in a test: no such host command was given"));

/** A host on which nothing can be done. */
export const NO_HOST: HostCommands = {
  server: missing,
  doctor: missing,
  auditLines: missing,
  auditCheck: missing,
  auditHead: missing,
  certsInit: missing,
  certsClient: missing,
  certsRenew: missing,
  certsList: missing,
  certsRevoke: missing,
  certsRotate: missing,
};

/** @param service what the server does; other methods answer UNIMPLEMENTED */
export function fakeCli(service: Partial<ServiceImpl<typeof JobService>>, options: FakeOptions = {}): FakeCli {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const pauses: number[] = [];
  const listeners = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  const bytes = (data: string | Uint8Array) => typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
  const text = (chunks: readonly Uint8Array[]) => chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  const client = createClient(JobService, createRouterTransport((router) => router.service(JobService, service)));
  const jobs = options.runJob ? { ...client, runJob: options.runJob } : client;
  const connect = (): Promise<Connection> =>
    Promise.resolve({ jobs, address: "fake:1", nodeId: "", [Symbol.dispose]() {} });
  const name = options.face ?? "joblet";
  const cli: CliContext = {
    terminal: {
      program: name,
      isTerminal: false,
      colors: false,
      columns: Infinity,
      out: (data) => {
        options.onOut?.(data);
        out.push(bytes(data));
        return Promise.resolve();
      },
      err: (data) => Promise.resolve(void err.push(bytes(data))),
    },
    host: {
      ...NO_HOST,
      ...options.host,
    },
    connect,
    connectOrStart: connect,
    nodes: () => Promise.resolve(options.nodes ?? []),
    pause: (ms) => Promise.resolve(void pauses.push(ms)),
    onInterrupt: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  return {
    run: (...words) => runWith({ name, words }, cli),
    out: () => text(out),
    err: () => text(err),
    outBytes: () => Uint8Array.from(out.flatMap((chunk) => [...chunk])),
    pauses,
    interrupt: (signal = "SIGINT") => listeners.forEach((listener) => listener(signal)),
  };
}
