/**
 * `joblet certs rotate-ca`: another CA, in steps that no client notices. Each can be repeated, and one that was
 * interrupted goes on where it stopped: see authority_files.ts.
 */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { newAuthority } from "./authority.ts";
import {
  type Authorities,
  bundleOf,
  exists,
  loadAuthorities,
  loadPair,
  lockFolder,
  type Phase,
  phaseOf,
  removePair,
  writePair,
} from "./authority_files.ts";
import { clientConfigPath, rewriteClientCa } from "./client_files.ts";
import { CLIENT_DAYS, issue, issueServer, SERVER_DAYS } from "./clients.ts";
import { isValid, readRegistry, recordOf, serialOf, writeRegistry } from "./registry.ts";
import { writeRevocations } from "./revoke.ts";
import { writeServerMaterial } from "./server_files.ts";
import type { Authority } from "./x509.ts";

export type RotateStep = "begin" | "switch" | "finish" | "cancel";

export interface RotateOptions {
  readonly home: Home;
  /** Absent: only tells how far it is. */
  readonly step?: RotateStep;
  /** Finishes although clients would be shut out. @default {false} */
  readonly force?: boolean;
}

export interface Rotation {
  /** How far it is now. */
  readonly phase: Phase;
  readonly files: readonly string[];
  /** Clients whose only valid certificates are of the CA that signs no more, or will not. */
  readonly waitingFor: readonly string[];
}

/** Takes one step. @throws {EngineError} kind "precondition" if it is not the next one */
export async function rotateAuthority({ home, step, force = false }: RotateOptions): Promise<Rotation> {
  using _lock = await lockFolder(home);
  const phase = await phaseOf(home);
  const files = step === undefined ? [] : await STEPS[step](home, phase, force);
  const now = await phaseOf(home);
  return { phase: now, files: [...new Set(files)], waitingFor: await clientsToRenew(home, now) };
}

const STEPS: Readonly<Record<RotateStep, (home: Home, phase: Phase, force: boolean) => Promise<string[]>>> = {
  begin: async (home, phase) => {
    if (phase === "switching" || phase === "switched") refuse("begin", phase);
    if (phase === "single") {
      await loadPair(home, "ca");
      await writePair(home, "ca-next", await newAuthority());
    }
    const authorities = await loadAuthorities(home);
    if (authorities.other) await recordAuthority(home, authorities.other);
    return await spread(home, authorities);
  },

  switch: async (home, phase) => {
    if (phase === "single" || phase === "switched") refuse("switch", phase);
    const next = await loadPair(home, "ca-next");
    if (phase === "begun") await writePair(home, "ca-old", await loadPair(home, "ca"));
    await writePair(home, "ca", next);
    const authorities: Authorities = { phase: "switched", current: next, other: await loadPair(home, "ca-old") };
    const files = (await issueServer(home, authorities, SERVER_DAYS)).files;
    const admin = await renewAdmin(home, authorities);
    const spreadTo = await spread(home, authorities);
    await removePair(home, "ca-next");
    return [...files, ...admin, ...spreadTo];
  },

  finish: async (home, phase, force) => {
    if (phase !== "switched") refuse("finish", phase);
    const waiting = await clientsToRenew(home, phase);
    if (waiting.length > 0 && !force) {
      throw new EngineError(
        "precondition",
        `Cannot drop the old CA: it has issued the only valid certificates of ${waiting.join(", ")}; ` +
          "renew them with 'joblet certs renew NAME', or give --force to shut them out",
      );
    }
    const { current, other } = await loadAuthorities(home);
    const files = await spread(home, { current });
    if (other) await retire(home, serialOf(other.cert));
    await removePair(home, "ca-old");
    return files;
  },

  cancel: async (home, phase) => {
    if (phase !== "begun") refuse("cancel", phase);
    const { current, other } = await loadAuthorities(home);
    const files = await spread(home, { current });
    if (other) await retire(home, serialOf(other.cert));
    await removePair(home, "ca-next");
    return files;
  },
};

const NEXT: Readonly<Record<Phase, string>> = {
  single: "nothing has begun; start with 'joblet certs rotate-ca begin'",
  begun: "it has begun; go on with 'joblet certs rotate-ca switch', or 'cancel'",
  switching: "a switch was interrupted; run 'joblet certs rotate-ca switch' again",
  switched: "the new CA signs already; go on with 'joblet certs rotate-ca finish'",
};

function refuse(step: RotateStep, phase: Phase): never {
  throw new EngineError("precondition", `Cannot ${step} the exchange of the CA: ${NEXT[phase]}`);
}

/** Tells server and clients whom to trust: the server first, as a client must not be ahead of it. */
async function spread(home: Home, authorities: Omit<Authorities, "phase">): Promise<string[]> {
  const records = readRegistry(home);
  const ca = bundleOf(authorities);
  const files = await writeServerMaterial(home, { caCert: ca });
  files.push(...await writeRevocations(home, authorities, records));
  for (const client of records.filter((record) => record.kind === "client" && isValid(record))) {
    files.push(...await rewriteClientCa(client, ca));
  }
  return files;
}

/** The administrator on this host must not be the one who is forgotten. */
async function renewAdmin(home: Home, authorities: Authorities): Promise<readonly string[]> {
  const file = clientConfigPath(home);
  const admin = readRegistry(home).findLast((record) => record.file === file && isValid(record));
  if (admin?.role === undefined || !await exists(file)) return [];
  const wanted = { name: admin.name, role: admin.role, days: CLIENT_DAYS, places: { file } };
  return (await issue(home, authorities, wanted)).files;
}

/** Clients that have nothing of the CA that stays. */
async function clientsToRenew(home: Home, phase: Phase): Promise<string[]> {
  if (phase !== "switched") return [];
  const issuer = serialOf((await loadAuthorities(home)).current.cert);
  const valid = readRegistry(home).filter((record) => record.kind === "client" && isValid(record));
  const renewed = new Set(valid.filter((record) => record.issuer === issuer).map(({ name }) => name));
  return [...new Set(valid.map(({ name }) => name))].filter((name) => !renewed.has(name));
}

async function recordAuthority(home: Home, { cert }: Authority): Promise<void> {
  const records = readRegistry(home);
  const issuer = serialOf(cert);
  if (records.some(({ serial }) => serial === issuer)) return;
  await writeRegistry(home, [...records, recordOf(cert, { kind: "ca", issuer })]);
}

/** What a CA that is gone has issued is good for nothing any more. */
async function retire(home: Home, issuer: string): Promise<void> {
  const retiredAt = new Date().toISOString();
  const records = readRegistry(home);
  await writeRegistry(home, records.map((entry) => entry.issuer === issuer ? { ...entry, retiredAt } : entry));
}
