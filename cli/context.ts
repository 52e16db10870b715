import type { Client } from "@connectrpc/connect";
import type { JobService } from "../proto/gen/joblet/v1/job_pb.ts";
import type { HostCommands } from "./host.ts";
import type { Terminal } from "./terminal.ts";

/** Flags that say which server is meant. */
export interface NodeFlags {
  readonly node?: string;
  readonly config?: string;
}

/** Flags that every client command of joblet takes. */
export interface GlobalFlags extends NodeFlags {
  readonly json: boolean;
}

export type JobClient = Client<typeof JobService>;

/** A connection to one node. */
export interface Connection extends Disposable {
  readonly jobs: JobClient;
  /** host:port, for messages. */
  readonly address: string;
  /** What the configuration calls the server's host; empty if it does not. */
  readonly nodeId: string;
}

/** A server of the configuration file. */
export interface KnownNode {
  readonly name: string;
  /** host:port; empty if the file has none. */
  readonly address: string;
  readonly nodeId: string;
  /** Whether it is used where no node is named. */
  readonly isDefault: boolean;
  /** @throws {CliError} its entry is not usable */
  connect(): Connection;
}

/** Everything a command may touch, so that tests can put something else in its place. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly host: HostCommands;
  /** Connects to the node that the flags name. @throws {CliError} */
  connect(flags: NodeFlags): Promise<Connection>;
  /** Like `connect`, but may start a server on this host first. */
  connectOrStart(flags: NodeFlags): Promise<Connection>;
  /** All servers of the configuration file, in its order. @throws {CliError} there is none, or it can't be read */
  nodes(flags: NodeFlags): Promise<readonly KnownNode[]>;
  /** Lets so much time pass before another try. */
  pause(ms: number): Promise<void>;
  /** Calls back on SIGINT and SIGTERM until disposed of. */
  onInterrupt(listener: (signal: "SIGINT" | "SIGTERM") => void): Disposable;
}
