/** `deno task probes [NAME...]`: limits and probes in a guest, see guest_main.ts. */
import { runInGuest, writerOf } from "../guest/vm.ts";

const PROGRAM = new URL("./guest_main.ts", import.meta.url).pathname;
const SECONDS = 12 * 60;

// What the guest runs is fetched and translated here, where that is quick and there is a network.
const cached = new Deno.Command(Deno.execPath(), { args: ["cache", "--quiet", "--no-check", PROGRAM] });
if (!(await cached.spawn().status).success) throw new Error(`Cannot cache ${PROGRAM}`);

let last = "";
const write = writerOf(Deno.stdout);

const code = await runInGuest({
  command: [
    Deno.execPath(),
    ...["run", "-A", "--quiet", "--no-check", "--cached-only"],
    PROGRAM,
    ...Deno.args,
  ],
  seconds: SECONDS,
  stdout: async (chunk) => {
    last = (last + new TextDecoder().decode(chunk)).slice(-200);
    await write(chunk);
  },
  stderr: writerOf(Deno.stderr),
});
// A guest that died has not counted.
if (!/^\d+ passed, \d+ failed\n$/m.test(last)) await write(new TextEncoder().encode("0 passed, 1 failed\n"));
Deno.exitCode = code;
