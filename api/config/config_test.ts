import assert from "node:assert/strict";
import { stringify } from "@std/yaml";
import { homeAt } from "../../core/values/home.ts";
import { loadServerConfig, parseServerConfig } from "./config.ts";

const home = homeAt("/opt/joblet");
const CERT = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
const minimal = { version: "3.0", security: { serverCert: CERT, serverKey: KEY, caCert: CERT } };

function load(value: unknown) {
  return parseServerConfig(typeof value === "string" ? value : stringify(value), "joblet-config.yml", home);
}

Deno.test("parseServerConfig fills in defaults", () => {
  const { engine, nodeId, ...rest } = load(minimal);
  assert.deepEqual(rest, {
    address: "127.0.0.1",
    port: 50051,
    tls: { cert: CERT, key: KEY, ca: CERT },
    auditMaxBytes: 1024 ** 3,
    cipherSuites: ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"],
    tlsFiles: ["/opt/joblet/config/crl.pem"],
    roleSources: ["extension", "OU", "O"],
    roleMap: { byName: new Map() },
    usersMay: [],
    hideForeignJobs: false,
  });
  assert.equal(nodeId, Deno.hostname());
  assert.equal(engine.stopGraceMs, 10_000);
  assert.equal(engine.home, home);
  assert.ok(!("cgroupBase" in engine));
  assert.deepEqual(engine.limits, { default: {}, ceiling: {}, builtIn: { pids: 4096 }, users: new Map() });
});

Deno.test("parseServerConfig turns Joblet's units into the engine's", () => {
  const { engine, ...rest } = load({
    ...minimal,
    server: { address: "0.0.0.0", port: 0, nodeId: "n1" },
    joblet: { defaultCpuLimit: 150, defaultMemoryLimit: 512, defaultIoLimit: 1000, cleanupTimeout: "1m30s" },
    cgroup: { baseDir: "/sys/fs/cgroup/joblet" },
    filesystem: { diskBytes: "2G", diskInodes: 5000 },
    profiles: { tracing: { allow: ["ptrace"] }, tight: { strict: true } },
    auth: { roleSources: ["OU"], usersMay: ["host-network"] },
  });
  assert.equal(rest.port, 0);
  assert.equal(rest.nodeId, "n1");
  assert.deepEqual(rest.roleSources, ["OU"]);
  assert.deepEqual(rest.usersMay, ["host-network"]);
  assert.deepEqual(engine.limits.default, {
    cpuPercent: 150,
    memoryBytes: 512 * 1024 * 1024,
    ioBytesPerSecond: 1000,
  });
  assert.equal(engine.stopGraceMs, 90_000);
  assert.equal(engine.cgroupBase, "/sys/fs/cgroup/joblet");
  assert.equal(engine.diskBytes, 2 ** 31);
  assert.equal(engine.diskInodes, 5000);
  assert.deepEqual(engine.profiles, { tracing: { allow: ["ptrace"] }, tight: { strict: true } });
  assert.equal(load({ ...minimal, joblet: { cleanupTimeout: 5 } }).engine.stopGraceMs, 5000);
  assert.deepEqual(load({ ...minimal, joblet: { defaultCpuLimit: 0 } }).engine.limits.default, {});
});

Deno.test("parseServerConfig reads what bounds the queue, the output and what is kept", () => {
  const { engine } = load({
    ...minimal,
    joblet: {
      maxConcurrentJobs: 7,
      maxQueuedJobs: 8,
      maxQueuedJobsPerUser: 5,
      totalCpuLimit: 300,
      totalMemoryLimit: 1024,
    },
    state: { backend: "memory", reservedBytes: "1M" },
    retention: { maxJobs: 10, maxAge: "2d", maxLogBytes: "1G", maxLogAge: "12h" },
    logs: { maxBytesPerRun: 0, compressMinBytes: "1M" },
  });
  assert.deepEqual(engine.queue, {
    maxRunning: 7,
    maxWaiting: 8,
    maxWaitingPerOwner: 5,
    cpuPercent: 300,
    memoryBytes: 1024 ** 3,
  });
  const hour = 3_600_000;
  assert.deepEqual(engine.retention, {
    maxJobs: 10,
    maxAgeMs: 48 * hour,
    maxLogBytes: 1024 ** 3,
    maxLogAgeMs: 12 * hour,
  });
  const { stateBackend, reservedBytes, logBytesPerRun, compressMinBytes } = engine;
  assert.deepEqual([stateBackend, reservedBytes, logBytesPerRun, compressMinBytes], ["memory", 1 << 20, 0, 1 << 20]);
  const defaults = load(minimal).engine;
  assert.deepEqual(Object.keys(defaults.queue).sort(), ["maxRunning", "maxWaiting", "maxWaitingPerOwner"]);
  for (
    const [section, message] of [
      [{ logs: { maxBytesPerRun: 1000 } }, /'logs.maxBytesPerRun' must be 0 \(no bound\) or at least 1M/],
      [{ joblet: { maxConcurrentJobs: 0 } }, /'joblet.maxConcurrentJobs' must be at least 1/],
      [{ state: { backend: "redis" } }, /'state.backend' must be sqlite or memory/],
      [{ retention: { maxAge: "soon" } }, /'retention.maxAge'/],
    ] as const
  ) assert.throws(() => load({ ...minimal, ...section }), message);
});

Deno.test("parseServerConfig reads roles by name, which make roles in certificates needless", () => {
  const names = load({ ...minimal, auth: { roleSources: [], roles: { ann: "admin", bob: "readonly" } } });
  assert.deepEqual(names.roleSources, []);
  assert.deepEqual(names.roleMap, { byName: new Map([["ann", "admin"], ["bob", "viewer"]]) });
  const open = load({ ...minimal, auth: { roleSources: [], defaultRole: "user", hideForeignJobs: true } });
  assert.deepEqual(open.roleMap, { byName: new Map(), standard: "user" });
  assert.equal(open.hideForeignJobs, true);
  assert.equal(load({ ...minimal, audit: { maxBytes: "8M" } }).auditMaxBytes, 8 * 1024 * 1024);
});

Deno.test("parseServerConfig names the wrong key in one line", () => {
  const security = minimal.security;
  const table: [unknown, string][] = [
    [{ ...minimal, version: "2.0" }, `key 'version' must be "3.0"`],
    [{ security }, "key 'version' is missing"],
    [{ version: "3.0" }, "key 'security' is missing"],
    [{ ...minimal, security: { serverCert: CERT, serverKey: KEY } }, "key 'security.caCert' is missing"],
    [
      { ...minimal, security: { ...security, serverKey: CERT } },
      "key 'security.serverKey' must be the PEM text of a private key, or the path of a file with one",
    ],
    [{ ...minimal, security: { ...security, caCert: 5 } }, "key 'security.caCert' must be a text"],
    [{ ...minimal, security: { ...security, serverPass: "x" } }, "unknown key 'security.serverPass'"],
    [
      { ...minimal, security: { ...security, cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] } },
      "key 'security.cipherSuites' must name TLS_AES_256_GCM_SHA384, which joblet's own client uses",
    ],
    [{ ...minimal, grpc: {} }, "unknown key 'grpc'"],
    [{ ...minimal, server: 5 }, "key 'server' must be a mapping"],
    [{ ...minimal, server: { port: "x" } }, "key 'server.port' must be a number"],
    [{ ...minimal, server: { port: 65536 } }, "key 'server.port' must be 0 to 65535"],
    [{ ...minimal, server: { port: 1.5 } }, "key 'server.port' must be a whole number"],
    [{ ...minimal, server: { address: "" } }, "key 'server.address' must not be empty"],
    [{ ...minimal, joblet: { defaultCpuLimit: -1 } }, "key 'joblet.defaultCpuLimit' must not be negative"],
    [
      { ...minimal, joblet: { cleanupTimeout: "soon" } },
      "key 'joblet.cleanupTimeout' must be a duration such as 10s",
    ],
    [{ ...minimal, joblet: { cleanupTimeout: [] } }, "key 'joblet.cleanupTimeout' must be a duration such as 10s"],
    [{ ...minimal, filesystem: { diskBytes: "much" } }, "key 'filesystem.diskBytes' must be a size such as 512M"],
    [{ ...minimal, cgroup: { baseDir: "joblet" } }, "key 'cgroup.baseDir' must be an absolute path"],
    [{ ...minimal, filesystem: { diskBytes: 5 } }, "key 'filesystem.diskBytes' must be at least 1M"],
    [{ ...minimal, auth: { roleSources: ["CN"] } }, "key 'auth.roleSources.0' must be extension, OU or O"],
    [
      { ...minimal, auth: { usersMay: ["all"] } },
      "key 'auth.usersMay.0' must be host-network, kept-work or profile:NAME",
    ],
    [
      { ...minimal, auth: { roleSources: [] } },
      "key 'auth.roleSources' must name a source where neither 'auth.roles' nor 'auth.defaultRole' gives a role",
    ],
    [
      { ...minimal, auth: { roles: { ann: "root" } } },
      "key 'auth.roles.ann' must be admin, user, viewer, reader or readonly",
    ],
    [
      { ...minimal, auth: { roles: { "a/b": "user" } } },
      "key 'auth.roles.a/b' must be a name as in a certificate: at most 64 letters, digits and . _ @ + -",
    ],
    [{ ...minimal, auth: { roles: ["ann"] } }, "key 'auth.roles.0' must be admin, user, viewer, reader or readonly"],
    [{ ...minimal, auth: { defaultRole: "admin" } }, "key 'auth.defaultRole' must be user, viewer, reader or readonly"],
    [{ ...minimal, auth: { hideForeignJobs: "yes" } }, "key 'auth.hideForeignJobs' must be true or false"],
    [{ ...minimal, audit: { maxBytes: 5 } }, "key 'audit.maxBytes' must be at least 1M"],
    ["", "it is no YAML: expected a document, but the input is empty"],
    ["text", "it must be a mapping"],
    ["- 1", "key 'version' is missing"],
  ];
  for (const [value, expected] of table) {
    assert.throws(() => load(value), { name: "EngineError", message: `Cannot use joblet-config.yml: ${expected}` });
  }
  assert.throws(() => load("a: [1"), /^EngineError: Cannot use joblet-config\.yml: it is no YAML: [^\n]+$/);
});

Deno.test("loadServerConfig reads a private file, refuses one that is open to others, and names one that is missing", async () => {
  const root = await Deno.makeTempDir({ prefix: "joblet-config-" });
  try {
    const temporary = homeAt(root);
    const path = `${temporary.config}/joblet-config.yml`;
    assert.throws(() => loadServerConfig(temporary), {
      message: `Cannot find ${path}: run 'joblet certs init' to make it`,
    });
    await Deno.mkdir(temporary.config);
    await Deno.writeTextFile(path, stringify(minimal), { mode: 0o600 });
    assert.equal(loadServerConfig(temporary).port, 50051);
    for (const mode of [0o644, 0o640, 0o602]) {
      await Deno.chmod(path, mode);
      assert.throws(() => loadServerConfig(temporary), {
        kind: "precondition",
        message: `Cannot use ${path}: its mode ${
          mode.toString(8)
        } lets others at its private key; run 'chmod 600 ${path}'`,
      });
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
