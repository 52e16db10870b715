/** What a command line is made of: a tree of commands, and how words are made ready for its parser. */
import {
  AliasNotFoundError,
  type Application,
  buildApplication,
  FlagNotFoundError,
  type RouteMap,
  text_en,
} from "@stricli/core";
import type { RunContext } from "../command.ts";
import { versionLine } from "../version.ts";
import type { FaceName } from "./choose.ts";

export interface Face {
  readonly app: Application<RunContext>;
  /** Makes the words ready for the parser. */
  prepare(words: readonly string[]): string[];
}

/** The application of a tree of commands, with the same manners for all faces. */
export function buildFace(name: FaceName, root: RouteMap<RunContext>): Application<RunContext> {
  return buildApplication<RunContext>(root, {
    name,
    versionInfo: { currentVersion: `${name} ${versionLine()}` },
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    documentation: { caseStyle: "convert-camel-to-kebab", onlyRequiredInUsageLine: true },
    localization: {
      text: {
        ...text_en,
        // The parser's own exceptions carry our message; its frame around them says nothing more.
        exceptionWhileParsingArguments: (error) => firstLine(error),
      },
    },
  });
}

function firstLine(error: unknown): string {
  const text = textOf(error);
  const own = /Cannot .*/.exec(text);
  return (own?.[0] ?? text).split("\n")[0]!;
}

/** By class, not by the parser's own lookup by the names of classes: in a bundle they have others. */
function textOf(error: unknown): string {
  if (error instanceof FlagNotFoundError) return unknownFlag(error);
  if (error instanceof AliasNotFoundError) return unknownAlias(error);
  return error instanceof Error ? error.message : String(error);
}

function unknownFlag({ input, corrections }: FlagNotFoundError): string {
  // The parser proposes names as the code spells them.
  const typed = corrections.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  return `Cannot use --${input}: there is no such flag${
    typed.length > 0 ? `; did you mean ${typed.join(" or ")}?` : ""
  }`;
}

function unknownAlias({ input }: AliasNotFoundError): string {
  return `Cannot use -${input}: there is no such flag`;
}
