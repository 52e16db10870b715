import assert from "node:assert/strict";
import { homeAt } from "../core/values/home.ts";
import { initAuthority } from "./certs/authority.ts";
import { checkTls } from "./doctor.ts";

Deno.test("checkTls tells when server certificate and CA end, and fails in time with the cure", async () => {
  const root = await Deno.makeTempDir({ prefix: "joblet-doctor-" });
  try {
    const home = homeAt(root);
    const [missing] = checkTls(home, Date.now());
    assert.deepEqual([missing!.ok, missing!.cure], [false, "make certificates: joblet certs init"]);
    await initAuthority({ home });
    const at = (days: number) => checkTls(home, Date.now() + days * 86_400_000);
    assert.deepEqual(at(0).map(({ name, ok }) => [name, ok]), [["TLS", true], ["TLS CA", true]]);
    assert.match(at(0)[0]!.detail, /^server certificate valid until \d{4}-\d\d-\d\d \(364 days\)$/);
    const [soon] = at(360);
    assert.deepEqual([soon!.ok, soon!.cure], [false, "renew it: joblet certs renew --server"]);
    assert.match(at(366)[0]!.detail, /serverCert expired on/);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
