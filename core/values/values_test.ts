import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBytes, parseBytes } from "./bytes.ts";
import { formatCoreList, parseCoreList } from "./core_list.ts";
import { cpuSharesToWeight } from "./cpu_weight.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { homeAt } from "./home.ts";
import { isJobId, isJobIdPrefix, newJobId } from "./job_id.ts";
import { parseSignal, signalName, signalNumber } from "./signal.ts";

Deno.test("parseBytes reads units as binary and bare numbers as told", () => {
  assert.equal(parseBytes("1"), 1n);
  assert.equal(parseBytes("1", { bareUnit: "M" }), 1048576n);
  assert.equal(parseBytes("512M"), 512n << 20n);
  assert.equal(parseBytes("1.5 GiB"), 1610612736n);
  assert.equal(parseBytes("2kb"), 2048n);
  for (const bad of ["", "-1", "1X", "1.2.3", "M", "1e3", "99999999T"]) {
    assert.throws(() => parseBytes(bad), RangeError);
  }
});

Deno.test("formatBytes keeps one decimal", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(1536n), "1.5 KiB");
  assert.equal(formatBytes(2 ** 40), "1 TiB");
});

Deno.test("parseDuration reads combined units and bare seconds", () => {
  assert.equal(parseDuration("2h30m"), 9_000_000);
  assert.equal(parseDuration("1.5"), 1500);
  assert.equal(parseDuration("250ms"), 250);
  for (const bad of ["", "5x", "-1s", "1h 2m", "m"]) assert.throws(() => parseDuration(bad), RangeError);
});

Deno.test("formatDuration shows two units", () => {
  assert.equal(formatDuration(40.4), "40ms");
  assert.equal(formatDuration(2500), "2.5s");
  assert.equal(formatDuration(9_000_000), "2h30m");
  assert.equal(formatDuration(90_061_000), "1d1h");
});

Deno.test("parseCoreList of formatCoreList is the identity", () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(300), { minLength: 1 }), (numbers) => {
    const cores = numbers.sort((a, b) => a - b);
    assert.deepEqual(parseCoreList(formatCoreList(cores)), cores);
  }));
  assert.equal(formatCoreList([0, 1, 3, 4, 5]), "0-1,3-5");
  for (const bad of ["", "a", "1-", "2-1", "9000"]) assert.throws(() => parseCoreList(bad), RangeError);
});

Deno.test("parseSignal takes names with and without SIG and numbers", () => {
  for (const text of ["TERM", "sigterm", "15"]) assert.equal(parseSignal(text), "SIGTERM");
  assert.equal(signalNumber("SIGUSR1"), 10);
  assert.equal(signalName(11), "SIGSEGV");
  assert.equal(signalName(40), "SIG40");
  assert.throws(() => parseSignal("STOP"), /SIGHUP, SIGINT/);
});

Deno.test("newJobId is a whole job id, and its prefixes are prefixes", () => {
  const id = newJobId();
  assert(isJobId(id) && isJobIdPrefix(id) && isJobIdPrefix(id.slice(0, 1)));
  for (const bad of ["", "../x", "G", "-a", id + "0"]) assert(!isJobIdPrefix(bad), bad);
});

Deno.test("homeAt refuses a relative path", () => {
  assert.throws(() => homeAt("x"), /absolute/);
  assert.equal(homeAt("/srv/joblet/").logs, "/srv/joblet/logs");
});

Deno.test("cpuSharesToWeight keeps the default and the proportions, within the bounds of cgroup v2", () => {
  const table: readonly [number, number][] = [[2, 1], [512, 50], [1024, 100], [2048, 200], [102_400, 10_000]];
  for (const [shares, weight] of table) assert.equal(cpuSharesToWeight(shares), weight);
  assert.equal(cpuSharesToWeight(262_144), 10_000);
  for (const bad of [0, 1, 262_145, 1.5, NaN]) assert.throws(() => cpuSharesToWeight(bad), RangeError);
});
