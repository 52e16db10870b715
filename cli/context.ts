import type { Client } from "@connectrpc/connect";
import type { JobService } from "../proto/gen/joblet/v1/job_pb.ts";
import type { HostCommands } from "./host.ts";
import type { Terminal } from "./terminal.ts";

/** Flags that every client command takes. */
export interface GlobalFlags {
  readonly json: boolean;
  readonly node?: string;
  readonly config?: string;
}

export type JobClient = Client<typeof JobService>;

/** A connection to one node. */
export interface Connection extends Disposable {
  readonly jobs: JobClient;
  /** host:port, for messages. */
  readonly address: string;
}

/** Everything a command may touch, so that tests can put something else in its place. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly host: HostCommands;
  /** Connects to the node that the flags name. @throws {CliError} */
  connect(flags: GlobalFlags): Promise<Connection>;
  /** Like `connect`, but may start a server on this host first. */
  connectOrStart(flags: GlobalFlags): Promise<Connection>;
  /** Lets so much time pass before another try. */
  pause(ms: number): Promise<void>;
  /** Calls back on SIGINT and SIGTERM until disposed of. */
  onInterrupt(listener: (signal: "SIGINT" | "SIGTERM") => void): Disposable;
}
