import { mapValues, type PlainSecrets, type SealedSecrets, type SecretBox } from "../secrets.ts";

/** Seals without a cipher: like the real one, it gives another text each time and opens for the owner alone. */
export class SimSecrets implements SecretBox {
  seal({ env, files }: PlainSecrets, owner: string): SealedSecrets {
    const seal = (value: unknown) => JSON.stringify([crypto.randomUUID(), owner, value]);
    return {
      ...(Object.keys(env).length > 0 && { secretEnv: mapValues(env, seal) }),
      ...(Object.keys(files).length > 0 && { secretFiles: mapValues(files, (bytes) => seal(bytes.toBase64())) }),
    };
  }

  open({ secretEnv = {}, secretFiles = {} }: SealedSecrets, owner: string): PlainSecrets {
    const open = (sealed: string): string => {
      const [, sealedFor, value] = JSON.parse(sealed) as [string, string, string];
      if (sealedFor !== owner) throw new Error(`Cannot open what was sealed for ${sealedFor}`);
      return value;
    };
    return {
      env: mapValues(secretEnv, open),
      files: mapValues(secretFiles, (sealed) => Uint8Array.fromBase64(open(sealed))),
    };
  }
}
