/** What the command line needs of the server's side; main.ts wires it, as cli/ imports neither api/ nor core/. */
import type { Home } from "../core/values/home.ts";

export interface CertsInitOptions {
  readonly home: Home;
  readonly address: string;
  readonly port: number;
  /** More host names and addresses for the server's certificate. */
  readonly hosts: readonly string[];
  /** Validity; absent for the default. */
  readonly days?: number;
  /** Replace what is there. */
  readonly force: boolean;
}

export interface CertsClientOptions {
  readonly home: Home;
  readonly name: string;
  readonly role: string;
  readonly days?: number;
  /** File to write. @default {"<config>/rnx-config-<name>.yml"} */
  readonly out?: string;
}

export interface ServerOptions {
  /** On the first signal, take no new jobs and end when all running ones have; a second signal ends at once. */
  readonly drain: boolean;
}

export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly cure?: string;
}

/** Expected failures of these are errors named EngineError, with a message for people. */
export interface HostCommands {
  /** Serves until a signal ends it. @returns exit code */
  server(home: Home, options: ServerOptions): Promise<number>;
  doctor(home: Home): Promise<readonly DoctorCheck[]>;
  /** @returns the files that were written */
  certsInit(options: CertsInitOptions): Promise<readonly string[]>;
  /** @returns the file that was written */
  certsClient(options: CertsClientOptions): Promise<string>;
}
