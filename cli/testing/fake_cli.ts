/** A command line without a process, a server or a socket, for tests. */
import { createClient, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { CliContext, Connection } from "../context.ts";
import type { HostCommands } from "../host.ts";
import { runWith } from "../mod.ts";

export interface FakeCli {
  run(...words: string[]): Promise<number>;
  out(): string;
  err(): string;
  /** As if the user pressed Ctrl-C. */
  interrupt(signal?: "SIGINT" | "SIGTERM"): void;
}

export interface FakeOptions {
  readonly host?: Partial<HostCommands>;
  /** Stands in for stdout. */
  readonly onOut?: (data: string | Uint8Array) => void;
}

/** @param service what the server does; other methods answer UNIMPLEMENTED */
export function fakeCli(service: Partial<ServiceImpl<typeof JobService>>, options: FakeOptions = {}): FakeCli {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const listeners = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  const bytes = (data: string | Uint8Array) => typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
  const text = (chunks: readonly Uint8Array[]) => chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");
  const missing = () => Promise.reject(new Error("Cannot do this in a test: no such host command was given"));
  const jobs = createClient(JobService, createRouterTransport((router) => router.service(JobService, service)));
  const connect = (): Promise<Connection> => Promise.resolve({ jobs, address: "fake:1", [Symbol.dispose]() {} });
  const cli: CliContext = {
    terminal: {
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
    host: { server: missing, doctor: missing, certsInit: missing, certsClient: missing, ...options.host },
    connect,
    connectOrStart: connect,
    onInterrupt: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  return {
    run: (...words) => runWith(words, cli),
    out: () => text(out),
    err: () => text(err),
    interrupt: (signal = "SIGINT") => listeners.forEach((listener) => listener(signal)),
  };
}
