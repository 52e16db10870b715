import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { assertRefusesStrangers } from "./stranger_check.ts";
import { createTestAuthority } from "../testing/certificates.ts";

const { tls } = await createTestAuthority();

async function knockAt(requestCert: boolean): Promise<void> {
  const server = createSecureServer(
    { ...tls, requestCert, rejectUnauthorized: requestCert, allowHTTP1: true, minVersion: "TLSv1.3" },
    (_request, response) => void response.end("welcome"),
  );
  server.on("tlsClientError", () => {}).on("clientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await assertRefusesStrangers("127.0.0.1", (server.address() as AddressInfo).port, tls.ca);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("assertRefusesStrangers passes a server that asks for certificates", async () => {
  await knockAt(true);
});

Deno.test("assertRefusesStrangers fails on a server that lets everybody in", async () => {
  await assert.rejects(knockAt(false), {
    name: "EngineError",
    message:
      "Cannot serve: a client without certificate was not refused as it must be (it was answered); run the pinned Deno version",
  });
});

Deno.test("assertRefusesStrangers fails on a refusal for another reason, such as a closed port", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(assertRefusesStrangers("127.0.0.1", port, tls.ca), /ECONNREFUSED/);
});
