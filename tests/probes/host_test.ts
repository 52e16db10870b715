/** Probes that can't hurt a host, run on it without limits and without twins; `deno task probes` runs all, in a guest. */
import "../harness/ffi.ts";
import { landlockAbi } from "../../ffi/mod.ts";
import { requires } from "../harness/requires.ts";
import { nameOf, PROBES } from "./all.ts";
import { Lab } from "./lab.ts";
import { runProbe } from "./run_probe.ts";
import { HostWatch } from "./watch.ts";

Deno.test({
  ...requires("root", "cgroup2", "python3"),
  name: "probes that are safe on a host",
  async fn(t) {
    const home = await Deno.makeTempDir({ prefix: "joblet-probes-" });
    try {
      await using lab = await Lab.open({ home, limits: false });
      await lab.run({ command: ["true"] });
      const watch = await HostWatch.start(lab, { trueMs: 2000, alone: false });
      for (const probe of PROBES.filter(({ safeOnHost }) => safeOnHost)) {
        await t.step({
          name: `${nameOf(probe)}: ${probe.title}`,
          ignore: (probe.landlockAbi ?? 0) > landlockAbi(),
          async fn() {
            const { verdict } = await runProbe(probe, lab, watch, false);
            if (verdict !== undefined) throw new Error(verdict);
          },
        });
      }
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  },
});
