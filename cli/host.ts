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
  /** rnx-config.yml to write. @default {"<config>/rnx-config-<name>.yml"}, or none if there is a pemFolder */
  readonly out?: string;
  /** Folder for NAME.pem, NAME.key and ca.pem. */
  readonly pemFolder?: string;
}

export interface CertsRenewOptions {
  readonly home: Home;
  /** A client; absent for the server. */
  readonly name?: string;
  readonly days?: number;
  readonly out?: string;
}

/** What was made. */
export interface IssuedFiles {
  readonly files: readonly string[];
  readonly notAfter: Date;
}

/** One certificate that was issued. */
export interface ListedCertificate {
  readonly kind: "ca" | "server" | "client";
  /** "" if only the serial number is known. */
  readonly name: string;
  readonly role?: string | undefined;
  readonly serial: string;
  /** ISO 8601. */
  readonly notAfter: string;
  readonly status: "valid" | "ends soon" | "expired" | "revoked" | "retired";
  /** Whole days until it ends, negative afterwards. */
  readonly days: number;
}

/** How far the exchange of the CA is. */
export interface Rotation {
  readonly phase: "single" | "begun" | "switching" | "switched";
  readonly files: readonly string[];
  /** Clients that have no valid certificate of the new CA. */
  readonly waitingFor: readonly string[];
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

/** What is absent does not restrict. */
export interface AuditQuery {
  /** From this time on, and before that one. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Of this caller, or of one whose certificate claims the name. */
  readonly name?: string;
  /** "joblet.v1.JobService/RunJob", or its last part, "RunJob". */
  readonly method?: string;
  readonly denied?: boolean;
  /** The start of what was called for. */
  readonly object?: string;
  /** Only the last so many that fit. */
  readonly tail?: number;
}

/** A call, or with `event` what the log tells of itself. */
export interface AuditRecord {
  readonly seq: number;
  readonly time: string;
  readonly name?: string;
  readonly role?: string;
  readonly claimed_name?: string;
  readonly method?: string;
  readonly object?: string;
  readonly decision?: string;
  readonly code?: string;
  readonly peer?: string;
  readonly event?: string;
  readonly bytes?: number;
  readonly missing?: number;
  readonly through?: number;
}

export interface AuditLine {
  /** As it stands in the file. */
  readonly text: string;
  /** Absent for a line that is no record. */
  readonly record?: AuditRecord;
}

/** A place in the chain of records. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** What a proof of the audit log has found. */
export interface AuditCheck {
  /** Records whose chain holds, from `first` (0: none) to the head. */
  readonly records: number;
  readonly first: number;
  readonly head: AuditHead;
  /** Unfinished lines that a record tells of, and calls without a record, as the log itself tells. */
  readonly torn: number;
  readonly missing: number;
  /** Of a line at the very end that is being written, or whose writer was killed. */
  readonly unfinishedBytes: number;
  /** The first place that is not as it was written; line 0: none of its lines. */
  readonly broken?: { readonly file: string; readonly line: number; readonly reason: string };
}

/** Expected failures of these are errors named EngineError, with a message for people. */
export interface HostCommands {
  /** Serves until a signal ends it. @returns exit code */
  server(home: Home, options: ServerOptions): Promise<number>;
  doctor(home: Home): Promise<readonly DoctorCheck[]>;
  /** The records that fit, the oldest first, and, unless a number of them is asked for, lines that are none. */
  auditLines(home: Home, query: AuditQuery): Promise<AsyncIterable<AuditLine>>;
  /** @param expected a head that was kept elsewhere */
  auditCheck(home: Home, expected?: AuditHead): Promise<AuditCheck>;
  auditHead(home: Home): Promise<AuditHead>;
  certsInit(options: CertsInitOptions): Promise<IssuedFiles>;
  certsClient(options: CertsClientOptions): Promise<IssuedFiles>;
  certsRenew(options: CertsRenewOptions): Promise<IssuedFiles>;
  certsList(home: Home): Promise<readonly ListedCertificate[]>;
  certsRevoke(options: { readonly home: Home; readonly name?: string; readonly serial?: string }): Promise<
    { readonly files: readonly string[]; readonly certificates: readonly { name: string; serial: string }[] }
  >;
  certsRotate(
    options: {
      readonly home: Home;
      readonly step?: "begin" | "switch" | "finish" | "cancel";
      readonly force: boolean;
    },
  ): Promise<Rotation>;
}
