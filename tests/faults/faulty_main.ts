/**
 * joblet's server with a fault at one write point, from the environment: JOBLET_FAULT=POINT:NUMBER:MODE.
 *
 *   POINT    a method of the stores: insert, replace, write, delete, setNote, noteLogBytes; create, seal, removeRun, remove
 *   NUMBER   which call of it, from 1
 *   MODE     kill-before, kill-during (begun, not durable), kill-after: the process ends by SIGKILL there
 *            full: this call and the five after it fail as on a full disk
 */
import { serve } from "../../api/server/serve.ts";
import { openEngine } from "../../core/engine.ts";
import { EngineError } from "../../core/errors.ts";
import type { LogStore } from "../../core/logs/log_store.ts";
import { openSqliteStore } from "../../core/state/sqlite_store.ts";
import type { JobStore } from "../../core/state/store.ts";
import { currentHome } from "../../core/values/home.ts";

const FAILURES = 6;
const [point = "", number = "1", mode = ""] = (Deno.env.get("JOBLET_FAULT") ?? "").split(":");
let calls = 0;

function dieHere(): never {
  Deno.kill(Deno.pid, "SIGKILL");
  // The signal comes at the latest when the kernel is left next.
  for (;;);
}

/** What happens at this call; the call itself is made by `go`. */
function withFault<T>(go: () => T): T {
  const turn = ++calls - Number(number);
  if (mode === "full" && turn >= 0 && turn < FAILURES) throw new EngineError("exhausted", "Cannot store: disk full");
  if (turn !== 0) return go();
  if (mode === "kill-before") dieHere();
  const result = go();
  if (mode === "kill-during" || !(result instanceof Promise)) dieHere();
  if (mode === "kill-after") result.then(dieHere, dieHere);
  return result;
}

/** The object with the fault in one of its methods. */
function faulty<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name) {
      const value = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      if (name !== point) return value.bind(object);
      return (...args: unknown[]) => {
        try {
          return withFault(() => value.apply(object, args));
        } catch (error) {
          // Methods that answer later also fail later.
          if (name === "create" || !(error instanceof EngineError)) throw error;
          return Promise.reject(error);
        }
      };
    },
  });
}

Deno.exit(
  await serve(currentHome(), {
    logFormat: "json",
    openEngine: (config, onError) =>
      openEngine(config, onError, {
        openJobs: (): JobStore => faulty(openSqliteStore(`${config.home.state}/joblet.db`)),
        wrapLogs: (logs): LogStore => faulty(logs),
      }),
  }),
);
