import { buildCommand } from "@stricli/core";
import type { FaceName } from "../faces/choose.ts";
import { example } from "./parameters.ts";

/** `completion SHELL`, for the command line of this name. */
export function completionCommand(face: FaceName) {
  return buildCommand({
    loader: async () => (await import("../commands/completion.ts")).completion,
    parameters: {
      flags: {},
      positional: { kind: "tuple", parameters: [{ parse: String, brief: "bash, zsh or fish", placeholder: "SHELL" }] },
    },
    docs: {
      brief: "Print a shell's completion script",
      fullDescription: example("", `source <(${face} completion bash)`, `${face} completion fish | source`),
    },
  });
}
