import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";

/** `joblet server`: in the foreground until SIGTERM or Ctrl-C; jobs run on then. */
export const server = command<Record<never, never>, []>((cli) => cli.host.server(currentHome()));
