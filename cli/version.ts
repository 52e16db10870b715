/** Version of joblet: semantic versioning. */
export const VERSION = "0.1.0";

/** How this program was put together; the entry modules of packaging/ say so before anything else is loaded. */
export type BuildKind = "source" | "compiled" | "self-extracting";

declare global {
  var JOBLET_BUILD: BuildKind | undefined;
}

/** "0.1.0 (source, Deno 2.9.3)" */
export function versionLine(): string {
  return `${VERSION} (${globalThis.JOBLET_BUILD ?? "source"}, Deno ${Deno.version.deno})`;
}
