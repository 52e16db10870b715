import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";
import { CliError } from "../errors.ts";
import type { ListedCertificate, Rotation } from "../host.ts";
import { formatTable } from "../output/table.ts";

/** `joblet certs list`. */
export const certsList = command<{ readonly json: boolean }, []>(async ({ host, terminal }, { json }) => {
  const certificates = await host.certsList(currentHome());
  if (json) {
    await terminal.out(`${JSON.stringify(certificates, null, 2)}\n`);
    return 0;
  }
  const headings = ["NAME", "ROLE", "SERIAL", "EXPIRES", "STATUS"];
  const rows = certificates.map((certificate) => [
    certificate.name || "-",
    certificate.role ?? certificate.kind,
    certificate.serial,
    certificate.notAfter.slice(0, 10),
    statusOf(certificate),
  ]);
  await terminal.out(formatTable([headings, ...rows], terminal.columns));
  for (const certificate of lastOfEach(certificates)) {
    if (certificate.status !== "ends soon" && certificate.status !== "expired") continue;
    const { name, kind } = certificate;
    const cure = kind === "ca" ? "rotate-ca" : kind === "server" ? "renew --server" : `renew ${name}`;
    const what = `the certificate of ${name} (${certificate.role ?? kind}) ${statusOf(certificate)}`;
    await terminal.err(`joblet: warning: ${what}: run 'joblet certs ${cure}'\n`);
  }
  return 0;
});

function statusOf({ status, days }: ListedCertificate): string {
  return status === "ends soon" ? `expires in ${days} ${days === 1 ? "day" : "days"}` : status;
}

/** Only the newest of a name matters: what was renewed may end. */
function lastOfEach(certificates: readonly ListedCertificate[]): readonly ListedCertificate[] {
  const inUse = certificates.filter(({ status }) => status !== "revoked" && status !== "retired");
  return [...new Map(inUse.map((certificate) => [`${certificate.kind} ${certificate.name}`, certificate])).values()];
}

/** `joblet certs revoke NAME|--serial S`. */
export const certsRevoke = command<{ readonly serial?: string }, [string?]>(
  async ({ host, terminal }, { serial }, name) => {
    if ((name === undefined) === (serial === undefined)) {
      throw new CliError("Cannot revoke: name a client, or give --serial", 2);
    }
    const which = { ...(name !== undefined && { name }), ...(serial !== undefined && { serial }) };
    const { files, certificates } = await host.certsRevoke({ home: currentHome(), ...which });
    const lines = certificates.map((certificate) => `revoked ${certificate.serial} of ${certificate.name || "-"}\n`);
    await terminal.out([...lines, ...files.map((file) => `wrote ${file}\n`)].join(""));
    return 0;
  },
);

const STEPS = ["begin", "switch", "finish", "cancel"] as const;

/** `joblet certs rotate-ca [STEP]`. */
export const certsRotate = command<{ readonly force: boolean }, [string?]>(
  async ({ host, terminal }, { force }, word) => {
    const step = STEPS.find((name) => name === word);
    if (word !== undefined && step === undefined) {
      throw new CliError(`Cannot take the step '${word}': it must be one of ${STEPS.join(", ")}`, 2);
    }
    if (force && step !== "finish") throw new CliError("Cannot use --force here: it is for 'finish' only", 2);
    const rotation = await host.certsRotate({ home: currentHome(), force, ...(step && { step }) });
    await terminal.out(rotation.files.map((file) => `wrote ${file}\n`).join("") + adviceOf(rotation));
    return 0;
  },
);

function adviceOf({ phase, waitingFor }: Rotation): string {
  switch (phase) {
    case "single":
      return "one CA is trusted, and it signs\nnext: 'joblet certs rotate-ca begin' makes another one\n";
    case "begun":
      return "two CAs are trusted, and the old one signs\n" +
        "next: give the clients their files again, as these trust both CAs now: 'joblet certs renew NAME' writes one\n" +
        "then: 'joblet certs rotate-ca switch' (or 'cancel')\n";
    case "switching":
      return "the switch was interrupted\nnext: run 'joblet certs rotate-ca switch' again\n";
    case "switched":
      return "two CAs are trusted, and the new one signs\n" +
        (waitingFor.length > 0 ? `next: 'joblet certs renew NAME' for ${waitingFor.join(", ")}\nthen: ` : "next: ") +
        "'joblet certs rotate-ca finish' drops the old CA\n";
  }
}
