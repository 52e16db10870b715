import "../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import { EPOLLHUP, EPOLLIN } from "./constants.ts";
import { closeFd, pipe, readFd, writeFd } from "./fd.ts";
import { ModificationWatcher } from "./inotify.ts";
import { Poller } from "./poller.ts";

function rethrow(error: unknown): never {
  throw error;
}

Deno.test("Poller tells when a pipe can be read and when its last writer is gone", async () => {
  await using poller = new Poller(rethrow);
  const { readEnd, writeEnd } = pipe();
  const events: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const buffer = new Uint8Array(8);
  const watch = poller.watch(readEnd, EPOLLIN, (bits) => {
    events.push(bits);
    if (bits & EPOLLIN) assert.equal(readFd(readEnd, buffer), 3);
    if (bits & EPOLLHUP) {
      watch[Symbol.dispose]();
      resolve();
    } else closeFd(writeEnd);
  });
  writeFd(writeEnd, new Uint8Array([1, 2, 3]));
  await promise;
  assert.deepEqual(events, [EPOLLIN, EPOLLHUP]);
  closeFd(readEnd);
});

Deno.test("Poller hands what a listener throws to onError and goes on", async () => {
  const errors: unknown[] = [];
  await using poller = new Poller((error) => errors.push(error));
  const { readEnd, writeEnd } = pipe();
  const second = Promise.withResolvers<void>();
  let calls = 0;
  const watch = poller.watch(readEnd, EPOLLIN, () => {
    calls++;
    if (calls === 1) throw new Error("first");
    watch[Symbol.dispose]();
    second.resolve();
  });
  writeFd(writeEnd, new Uint8Array(1));
  await second.promise;
  assert.deepEqual(errors.map(String), ["Error: first"]);
  closeFd(readEnd);
  closeFd(writeEnd);
});

Deno.test("Poller.watch does not call a listener that was disposed of in the same batch", async () => {
  await using poller = new Poller(rethrow);
  const pipes = [pipe(), pipe()];
  const done = Promise.withResolvers<void>();
  let calls = 0;
  const watches = pipes.map(({ readEnd }) =>
    poller.watch(readEnd, EPOLLIN, () => {
      calls++;
      watches.forEach((watch) => watch[Symbol.dispose]());
      done.resolve();
    })
  );
  for (const { writeEnd } of pipes) writeFd(writeEnd, new Uint8Array(1));
  await done.promise;
  await Promise.resolve();
  assert.equal(calls, 1);
  for (const { readEnd, writeEnd } of pipes) [readEnd, writeEnd].forEach(closeFd);
});

Deno.test("ModificationWatcher calls every listener of a file, and none after it was disposed of", async () => {
  const path = await Deno.makeTempFile();
  await using poller = new Poller(rethrow);
  using watcher = new ModificationWatcher(poller);
  let next = Promise.withResolvers<void>();
  let firstCalls = 0;
  const first = watcher.watch(path, () => firstCalls++);
  using _second = watcher.watch(path, () => next.resolve());
  await Deno.writeTextFile(path, "a", { append: true });
  await next.promise;
  assert.equal(firstCalls, 1);
  first[Symbol.dispose]();
  next = Promise.withResolvers<void>();
  await Deno.writeTextFile(path, "b", { append: true });
  await next.promise;
  assert.equal(firstCalls, 1);
  await Deno.remove(path);
});

Deno.test("ModificationWatcher can watch a path again whose file was deleted and made anew", async () => {
  const path = await Deno.makeTempFile();
  await using poller = new Poller(rethrow);
  using watcher = new ModificationWatcher(poller);
  const old = watcher.watch(path, () => {});
  await Deno.remove(path);
  old[Symbol.dispose]();
  await Deno.writeTextFile(path, "");
  const changed = Promise.withResolvers<void>();
  using _again = watcher.watch(path, () => changed.resolve());
  await Deno.writeTextFile(path, "x", { append: true });
  await changed.promise;
  await Deno.remove(path);
});
