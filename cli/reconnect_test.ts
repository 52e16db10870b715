import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { UnreachableError } from "./errors.ts";
import { callThrough, Reconnector, RETRY_DELAYS_MS } from "./reconnect.ts";

const pause = () => Promise.resolve();
const broken = () => new ConnectError("gone", Code.Unavailable);
const unreachable = () =>
  new ConnectError("refused", Code.Unavailable, undefined, undefined, new UnreachableError("refused"));
const hungUp = () => new ConnectError("peer closed connection without sending TLS close_notify", Code.Unavailable);

Deno.test("callThrough makes a call again after a broken connection, also while nobody listens meanwhile", async () => {
  const failures = [broken(), unreachable(), unreachable()];
  const answer = await callThrough({ pause }, () => {
    const failure = failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve("yes");
  });
  assert.equal(answer, "yes");
});

Deno.test("callThrough does not wait for a server that was never there", async () => {
  let calls = 0;
  await assert.rejects(callThrough({ pause }, () => (calls++, Promise.reject(unreachable()))), /refused/);
  assert.equal(calls, 1);
});

Deno.test("callThrough gives up after ten seconds of pauses with the last failure", async () => {
  const pauses: number[] = [];
  const options = { pause: (ms: number) => Promise.resolve(void pauses.push(ms)) };
  await assert.rejects(callThrough(options, () => Promise.reject(broken())), /gone/);
  assert.deepEqual(pauses, RETRY_DELAYS_MS);
  assert.equal(pauses.reduce((sum, ms) => sum + ms, 0), 10_000);
});

for (
  const error of [
    new ConnectError("internal error", Code.Internal),
    new ConnectError("full", Code.ResourceExhausted),
    new ConnectError("late", Code.DeadlineExceeded),
    new ConnectError("invalid peer certificate: UnknownIssuer", Code.Unavailable),
    new ConnectError("received fatal alert: CertificateRequired", Code.Unknown),
    new Deno.errors.BrokenPipe("Broken pipe"),
  ]
) {
  Deno.test(`callThrough does not try again after '${error.message}'`, async () => {
    let calls = 0;
    await assert.rejects(callThrough({ pause }, () => (calls++, Promise.reject(error))), error);
    assert.equal(calls, 1);
  });
}

for (
  const error of [
    new ConnectError("error reading a body from connection", Code.Internal),
    new ConnectError("missing EndStreamResponse", Code.Unknown),
    new ConnectError("lost a race", Code.Aborted),
    new TypeError("error reading a body from connection"),
  ]
) {
  Deno.test(`callThrough tries again after ${error.name} '${error.message}'`, async () => {
    let calls = 0;
    await callThrough({ pause }, () => calls++ === 0 ? Promise.reject(error) : Promise.resolve());
    assert.equal(calls, 2);
  });
}

Deno.test("two hang-ups in a row are a refusal, unless the server has answered before", async () => {
  const stranger = new Reconnector({ pause });
  await stranger.failed(hungUp());
  await assert.rejects(stranger.failed(hungUp()), /peer closed/);
  const known = new Reconnector({ pause, reached: true });
  await known.failed(hungUp());
  await known.failed(hungUp());
});

Deno.test("a call that held long is counted as answered, so that a quiet job outlives many restarts", async () => {
  let clock = 0;
  const reconnector = new Reconnector({ pause, now: () => clock });
  for (let restart = 0; restart < 20; restart++) {
    clock += 60_000;
    await reconnector.failed(broken());
  }
  for (const _ of RETRY_DELAYS_MS.slice(1)) await reconnector.failed(broken());
  await assert.rejects(reconnector.failed(broken()), /gone/);
});
