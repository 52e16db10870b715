import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";
import type { ServerOptions } from "../host.ts";

/** `joblet server`: in the foreground until SIGTERM or Ctrl-C. */
export const server = command<ServerOptions, []>((cli, { drain }) => cli.host.server(currentHome(), { drain }));
