import { currentHome } from "../../core/values/home.ts";
import { command } from "../command.ts";
import { checkOwnCertificate } from "../own_check.ts";
import { formatTable } from "../output/table.ts";

/** `joblet doctor`: what this host has of what joblet needs. */
export const doctor = command<{ readonly json: boolean }, []>(async ({ host, terminal }, { json }) => {
  const checks = [...await host.doctor(currentHome()), ...await checkOwnCertificate(Date.now())];
  if (json) {
    await terminal.out(`${JSON.stringify(checks, null, 2)}\n`);
  } else {
    const mark = (ok: boolean) => terminal.colors ? (ok ? "\x1b[32mok\x1b[0m" : "\x1b[31mNO\x1b[0m") : ok ? "ok" : "NO";
    const rows = checks.map(({ name, ok, detail, cure }) => [mark(ok), name, cure ? `${detail}: ${cure}` : detail]);
    await terminal.out(formatTable(rows, Infinity));
  }
  return checks.every(({ ok }) => ok) ? 0 : 1;
});
