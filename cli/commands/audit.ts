import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";
import { CliError } from "../errors.ts";
import type { AuditCheck, AuditHead, AuditQuery, AuditRecord } from "../host.ts";
import { formatTable, printable } from "../output/table.ts";
import { formatHead } from "./audit_values.ts";

export interface AuditFlags {
  readonly since?: Timestamp;
  readonly until?: Timestamp;
  readonly name?: string;
  readonly method?: string;
  readonly object?: string;
  readonly denied: boolean;
  readonly tail?: number;
  readonly head: boolean;
  readonly json: boolean;
}

const HEADINGS = ["SEQ", "TIME", "NAME", "ROLE", "DECISION", "CODE", "PEER", "METHOD", "OBJECT"];
/** Rows that are aligned and written together: a log may have millions. */
const BATCH = 500;

/** `joblet audit`: the records that fit. */
export const audit = command<AuditFlags, []>(async ({ host, terminal }, flags) => {
  const home = currentHome();
  if (flags.head) {
    await terminal.out(`${formatHead(await host.auditHead(home))}\n`);
    return 0;
  }
  let rows = [HEADINGS];
  let odd = 0;
  const flush = async () => {
    await terminal.out(flags.json ? rows.map(([line]) => `${line}\n`).join("") : formatTable(rows, terminal.columns));
    rows = [];
  };
  if (flags.json) rows = [];
  for await (const { text, record } of await host.auditLines(home, queryOf(flags))) {
    if (!record) odd++;
    else if (rows.push(flags.json ? [text] : rowOf(record)) >= BATCH) await flush();
  }
  if (rows.length > 0) await flush();
  if (odd > 0) {
    await terminal.err(`joblet: lines that are no records were left out: ${odd}; see 'joblet audit verify'\n`);
  }
  return 0;
});

function queryOf({ since, until, name, method, object, denied, tail }: AuditFlags): AuditQuery {
  return {
    ...(since && { sinceMs: timestampMs(since) }),
    ...(until && { untilMs: timestampMs(until) }),
    ...(name !== undefined && { name }),
    ...(method !== undefined && { method }),
    ...(object !== undefined && { object }),
    ...(denied && { denied }),
    ...(tail !== undefined && { tail }),
  };
}

function rowOf(record: AuditRecord): string[] {
  const { seq, time, name, role, claimed_name: claimed, decision, code, peer, method, object, event } = record;
  if (event !== undefined) return [String(seq), time, "-", "-", event, "-", "-", "-", eventText(record)];
  const who = name ?? (claimed === undefined ? "-" : `${claimed} (claimed)`);
  const cells = [who, role ?? "-", decision ?? "-", code ?? "-", peer ?? "-", method ?? "-", object ?? "-"];
  return [String(seq), time, ...cells.map(printable)];
}

function eventText({ event, bytes, missing, through }: AuditRecord): string {
  if (event === "gap") return `calls without a record, as nothing could be written: ${missing}`;
  if (event === "torn") return `the line before was cut short at ${bytes} bytes`;
  if (event === "removed") return `records up to ${through} were removed, as the log was full`;
  return "";
}

export interface AuditVerifyFlags {
  readonly expectHead?: AuditHead;
  readonly json: boolean;
}

/** `joblet audit verify`: whether the chain of records holds. */
export const auditVerify = command<AuditVerifyFlags, []>(async ({ host, terminal }, { expectHead, json }) => {
  const check = await host.auditCheck(currentHome(), expectHead);
  if (json) {
    await terminal.out(`${JSON.stringify(check, null, 2)}\n`);
    return check.broken ? 1 : 0;
  }
  if (check.broken) throw new CliError(brokenText(check, check.broken));
  await terminal.out(intactText(check));
  return 0;
});

function brokenText({ records, first, head }: AuditCheck, { file, line, reason }: NonNullable<AuditCheck["broken"]>) {
  const where = [...(file === "" ? [] : [file]), ...(line === 0 ? [] : [`line ${line}`]), reason].join(": ");
  const rest = records === 0 ? "nothing before it is proven" : `records ${first} to ${head.seq} are intact`;
  return `Cannot trust the audit log: ${where}; ${rest}`;
}

function intactText({ records, first, head, torn, missing, unfinishedBytes }: AuditCheck): string {
  if (records === 0 && unfinishedBytes === 0) return "no records\n";
  const lines = [`${records} records, ${first} to ${head.seq}, chain intact, head ${formatHead(head)}`];
  if (first > 1) lines.push(`records before ${first} were removed, as the log was full`);
  if (torn > 0) lines.push(`lines that were cut short by a crash, as the records behind them tell: ${torn}`);
  if (missing > 0) lines.push(`calls without a record, as the log could not be written: ${missing}`);
  if (unfinishedBytes > 0) lines.push(`an unfinished line at the end: ${unfinishedBytes} bytes`);
  return `${lines.join("\n")}\n`;
}
