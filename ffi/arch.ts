/** The processor's architecture under the name that the native blobs use. */
export type Arch = "x86_64" | "aarch64";

export const ARCH: Arch = Deno.build.arch;
