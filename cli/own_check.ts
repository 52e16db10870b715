/** `joblet doctor`: how long the certificate that commands here log in with is good. */
import { dateOf, daysUntil, endsSoon } from "../core/values/validity.ts";
import { chooseNode } from "./client_config.ts";
import { find } from "./connect.ts";
import { CliError } from "./errors.ts";
import type { DoctorCheck } from "./host.ts";
import { readOwnCertificate } from "./own_certificate.ts";

const NAME = "client";

/** None where there is no rnx-config.yml. */
export async function checkOwnCertificate(nowMs: number): Promise<DoctorCheck[]> {
  try {
    const found = await find({});
    if (found === undefined) return [];
    const node = chooseNode(found);
    const own = readOwnCertificate(node);
    if (own === undefined) {
      const cure = "get a new file: joblet certs client NAME";
      return [{ name: NAME, ok: false, detail: `${node.certFile} holds no certificate`, cure }];
    }
    const { commonName, notBefore, notAfter } = own;
    const days = daysUntil(notAfter.getTime(), nowMs);
    const detail = days < 0
      ? `certificate of '${commonName}' in ${node.certFile} expired on ${dateOf(notAfter)}`
      : `certificate of '${commonName}' valid until ${dateOf(notAfter)} (${days} days)`;
    const ok = !endsSoon(notBefore.getTime(), notAfter.getTime(), nowMs);
    return [{ name: NAME, ok, detail, ...(!ok && { cure: `renew it: joblet certs renew ${commonName}` }) }];
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [{ name: NAME, ok: false, detail: error.message, cure: "get a new file: joblet certs client NAME" }];
  }
}
