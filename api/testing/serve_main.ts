/** A server over a fake engine as a process of its own: `serve_main.ts HOME [stray]`. */
import { homeAt } from "../../core/values/home.ts";
import { serve } from "../server/serve.ts";
import { FakeEngine } from "./fake_engine.ts";

const [root, mode] = Deno.args;
Deno.exitCode = await serve(homeAt(root!), {
  logFormat: "json",
  openEngine: () => {
    if (mode === "stray") {
      Promise.reject(new Error("stray rejection"));
      setTimeout(() => {
        throw new Error("stray error");
      });
    }
    return Promise.resolve(new FakeEngine());
  },
});
