import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { fetchOnce, isListening, reach, splitAddress } from "./client.ts";
import { describeError, isUnreachable } from "./errors.ts";

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test("a call to a port where nobody listens names the address, the refusal and the cure", async () => {
  const address = `127.0.0.1:${freePort()}`;
  const error = await reach(address, {}, (options) => fetch(`http://${address}/`, options))
    .then(() => undefined, (error: unknown) => error);
  assert.equal(isUnreachable(error), true);
  const start = `Cannot reach the server at ${address}: connection refused; 'joblet server'`;
  assert.equal(describeError(error, address).message.slice(0, start.length), start);
});

Deno.test("reach gives up a host that neither answers nor listens, long before the runtime would", async () => {
  const address = `127.0.0.1:${freePort()}`;
  const silence = ({ signal }: RequestInit) =>
    new Promise<Response>((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
  await assert.rejects(
    reach(address, {}, silence, () => Promise.resolve("silent")),
    (error) => isUnreachable(error) && /timed out/.test(`${error}`),
  );
});

Deno.test("reach leaves a call alone that a server which has closed its port is still at", async () => {
  const answer = Promise.withResolvers<Response>();
  const ask = () => {
    answer.resolve(new Response("late"));
    return Promise.resolve("refused" as const);
  };
  assert.equal(await (await reach("127.0.0.1:1", {}, () => answer.promise, ask)).text(), "late");
});

Deno.test("a request that was sent before the server went down is sent once and is no unreachable server", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${listener.addr.port}`;
  const served = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(1000));
    listener.close();
  })();
  const init = { method: "POST", body: new Uint8Array(8) };
  const error = await reach(address, init, (options) => fetchOnce(`http://${address}/`, options))
    .then(() => undefined, (error: unknown) => error);
  await served;
  assert(error instanceof ConnectError);
  assert.deepEqual([error.code, isUnreachable(error)], [Code.Unavailable, false]);
});

Deno.test("reach leaves a caller's own abort as it is", async () => {
  const reason = new Error("enough");
  await assert.rejects(
    reach("127.0.0.1:1", { signal: AbortSignal.abort(reason) }, ({ signal }) => Promise.reject(signal!.reason)),
    reason,
  );
});

Deno.test("isListening tells a port in use from a free one", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.equal(await isListening(`127.0.0.1:${listener.addr.port}`), true);
  assert.equal(await isListening(`127.0.0.1:${freePort()}`), false);
});

Deno.test("splitAddress reads names, IPv4 and bracketed IPv6, and refuses the rest", () => {
  assert.deepEqual(splitAddress("h:1"), { hostname: "h", port: 1 });
  assert.deepEqual(splitAddress("[::1]:50051"), { hostname: "::1", port: 50051 });
  for (const text of ["h", "::1:5", "h:", ":5", "h:123456"]) {
    assert.throws(() => splitAddress(text), { name: "CliError" });
  }
});
