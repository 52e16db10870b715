import { type Complaint, lineAt, type SourceFile } from "./files.ts";
import { mask } from "./mask.ts";

interface Ban {
  readonly pattern: RegExp;
  /** Where to look: the whole text, or TypeScript without comments and strings. */
  readonly where: "text" | "code";
  readonly message: string;
  /** Path prefixes that may. */
  readonly except: readonly string[];
}

const SCRIPTS = ["packaging/", "tests/", "proto/generate.ts", "ffi/native/build.ts"];

const BANS: readonly Ban[] = [
  {
    pattern: /\b(TODO|FIXME|XXX)\b|not implemented/g,
    where: "text",
    message: "is unfinished: finish it, or write it down as an issue",
    except: ["tests/gate/words"],
  },
  {
    pattern: /\bDeno\.exit\b(?!Code)/g,
    where: "code",
    message: "ends the process from the depths: return or throw, main.ts exits",
    except: ["main.ts", ...SCRIPTS],
  },
  { pattern: /\bconsole\./g, where: "code", message: "writes past cli/ and the log", except: SCRIPTS },
  { pattern: /(:\s*|\bas\s+|<)any\b/g, where: "code", message: "turns the type checker off", except: [] },
  {
    pattern: /\bregistry\.[a-z]+\.(org|com|io)\b/g,
    where: "text",
    message: "names a registry's host: mirrors are set up outside the repository",
    except: [],
  },
];

/** Complains of words that must not be left in the repository. */
export function checkWords(files: readonly SourceFile[]): Complaint[] {
  const complaints: Complaint[] = [];
  for (const { path, text } of files.filter(({ path }) => !path.startsWith("proto/gen/"))) {
    const code = path.endsWith(".ts") ? mask(text).code : "";
    for (const { pattern, where, message, except } of BANS) {
      if (except.some((prefix) => path.startsWith(prefix))) continue;
      for (const match of (where === "code" ? code : text).matchAll(pattern)) {
        complaints.push({ path, line: lineAt(text, match.index), message: `'${match[0].trim()}' ${message}` });
      }
    }
  }
  return complaints;
}
