/** `joblet certs list`: what was issued and how long it is good. */
import type { Home } from "../../core/values/home.ts";
import { daysUntil, endsSoon } from "../../core/values/validity.ts";
import { type CertificateRecord, readRegistry } from "./registry.ts";

/** One certificate, for people and programs. */
export interface ListedCertificate extends CertificateRecord {
  readonly status: "valid" | "ends soon" | "expired" | "revoked" | "retired";
  /** Whole days until it ends, negative afterwards. */
  readonly days: number;
}

/** All certificates that are known, oldest first. @throws {EngineError} */
export function listCertificates(home: Home, nowMs: number): ListedCertificate[] {
  return readRegistry(home).map((record) => ({
    ...record,
    status: statusOf(record, nowMs),
    days: daysUntil(Date.parse(record.notAfter), nowMs),
  }));
}

function statusOf(record: CertificateRecord, nowMs: number): ListedCertificate["status"] {
  const [begin, end] = [Date.parse(record.notBefore), Date.parse(record.notAfter)];
  if (record.revokedAt !== undefined) return "revoked";
  if (end <= nowMs) return "expired";
  if (record.retiredAt !== undefined) return "retired";
  return endsSoon(begin, end, nowMs) ? "ends soon" : "valid";
}
