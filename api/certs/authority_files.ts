/**
 * The CAs of a home folder. Which of these files are there says how far an exchange of the CA has come, so an interrupted
 * one goes on where it stopped:
 *
 *   ca        signs; while there is no other, nothing is going on
 *   ca-next   is going to sign: trusted, and signs nothing yet
 *   ca-old    has signed: still trusted
 *   both      the exchange itself was interrupted
 */
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { readPrivateFile, writePrivateFile } from "../config/private_file.ts";
import { type Authority, loadAuthority } from "./x509.ts";

export type Phase = "single" | "begun" | "switching" | "switched";

/** "ca", "ca-next" and "ca-old" are pairs of files, NAME.pem and NAME.key. */
export type AuthorityName = "ca" | "ca-next" | "ca-old";

export interface Authorities {
  readonly phase: Phase;
  /** Signs what is issued now. */
  readonly current: Authority;
  /** The other one that is trusted while the CA is being exchanged. */
  readonly other?: Authority;
}

export async function phaseOf(home: Home): Promise<Phase> {
  const [next, old] = await Promise.all(["ca-next", "ca-old"].map((name) => exists(`${home.config}/${name}.pem`)));
  if (next) return old ? "switching" : "begun";
  return old ? "switched" : "single";
}

/** @throws {EngineError} if there is none, one can't be used, or an exchange was interrupted */
export async function loadAuthorities(home: Home): Promise<Authorities> {
  const phase = await phaseOf(home);
  if (phase === "switching") {
    throw new EngineError(
      "precondition",
      "Cannot issue certificates: the exchange of the CA was interrupted; run 'joblet certs rotate-ca switch' again",
    );
  }
  const current = await loadPair(home, "ca");
  if (phase === "single") return { phase, current };
  return { phase, current, other: await loadPair(home, phase === "begun" ? "ca-next" : "ca-old") };
}

/** The certificates of all that are trusted, the one that signs first. */
export function bundleOf({ current, other }: Omit<Authorities, "phase">): string {
  return current.cert + (other?.cert ?? "");
}

export async function loadPair(home: Home, name: AuthorityName): Promise<Authority> {
  const [cert, key] = [".pem", ".key"].map((end) => readPrivateFile(`${home.config}/${name}${end}`));
  return await loadAuthority(cert!, key!, name);
}

/** The key first: a certificate says that its pair is whole. */
export async function writePair(home: Home, name: AuthorityName, { cert, key }: Authority): Promise<void> {
  await writePrivateFile(`${home.config}/${name}.key`, key);
  await writePrivateFile(`${home.config}/${name}.pem`, cert);
}

export async function removePair(home: Home, name: AuthorityName): Promise<void> {
  for (const end of [".pem", ".key"]) {
    try {
      await Deno.remove(`${home.config}/${name}${end}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** One maker at a time: two would mix their certificates. @throws {EngineError} if there is no config folder */
export async function lockFolder(home: Home): Promise<Disposable> {
  const file = await openLock(`${home.config}/.certs.lock`);
  try {
    await file.lock(true);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, mode: 0o600 });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    const folder = path.slice(0, path.lastIndexOf("/"));
    throw new EngineError("not_found", `Cannot find ${folder}/ca.pem: run 'joblet certs init' to make it`, { cause });
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
