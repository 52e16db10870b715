/** The server's configuration file, joblet-config.yml: read, checked, turned into what the parts need. */
import * as v from "valibot";
import { parse } from "@std/yaml";
import { PROFILE_NAME } from "../../core/jobs/spec.ts";
import { defaultEngineConfig, type EngineConfig, MIN_LOG_BYTES } from "../../core/config.ts";
import { EngineError } from "../../core/errors.ts";
import type { Home } from "../../core/values/home.ts";
import { type AuthConfig, authConfigOf, AuthSection } from "./config_auth.ts";
import { limitPoliciesOf, LimitsSection, quotasOf, sharedLimitsOf } from "./config_limits.ts";
import { byteSize, durationMs, safeInteger } from "./config_values.ts";
import { readPrivateFile } from "./private_file.ts";
import { readTlsSettings, SecuritySection, type TlsSettings } from "./tls_config.ts";

export interface ServerConfig extends AuthConfig, TlsSettings {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Tells servers apart for people. */
  readonly nodeId: string;
  /** Of TLS 1.3; connections that settle on another are ended. */
  readonly cipherSuites: readonly string[];
  /** Most bytes of the audit log. */
  readonly auditMaxBytes: number;
  readonly engine: EngineConfig;
}

const MIB = 1024 * 1024;
const DEFAULT_AUDIT_BYTES = 1024 * MIB;

const text = v.string("must be a text");

const positiveBytes = v.pipe(byteSize, v.minValue(MIB, "must be at least 1M"));
const logCap = v.pipe(
  byteSize,
  v.check((bytes) => bytes === 0 || bytes >= MIN_LOG_BYTES, "must be 0 (no bound) or at least 1M"),
);

const Schema = v.strictObject({
  version: v.literal("3.0", 'must be "3.0"'),
  server: v.optional(
    v.strictObject({
      address: v.optional(v.pipe(text, v.nonEmpty("must not be empty")), "127.0.0.1"),
      port: v.optional(v.pipe(safeInteger, v.maxValue(65535, "must be 0 to 65535")), 50051),
      nodeId: v.optional(text, ""),
    }),
    {},
  ),
  security: SecuritySection,
  joblet: v.optional(
    v.strictObject({
      defaultCpuLimit: v.optional(safeInteger, 0),
      defaultMemoryLimit: v.optional(safeInteger, 0),
      defaultIoLimit: v.optional(safeInteger, 0),
      cleanupTimeout: v.optional(durationMs),
      maxConcurrentJobs: v.optional(v.pipe(safeInteger, v.minValue(1, "must be at least 1"))),
      maxQueuedJobs: v.optional(safeInteger),
      maxQueuedJobsPerUser: v.optional(safeInteger),
      totalCpuLimit: v.optional(safeInteger, 0),
      totalMemoryLimit: v.optional(safeInteger, 0),
    }),
    {},
  ),
  limits: LimitsSection,
  cgroup: v.optional(
    v.strictObject({ baseDir: v.optional(v.pipe(text, v.startsWith("/", "must be an absolute path"))) }),
    {},
  ),
  filesystem: v.optional(
    v.strictObject({
      diskBytes: v.optional(positiveBytes),
      diskInodes: v.optional(v.pipe(safeInteger, v.minValue(16, "must be at least 16"))),
    }),
    {},
  ),
  state: v.optional(
    v.strictObject({
      backend: v.optional(v.picklist(["sqlite", "memory"], "must be sqlite or memory")),
      reservedBytes: v.optional(byteSize),
    }),
    {},
  ),
  retention: v.optional(
    v.strictObject({
      maxJobs: v.optional(safeInteger),
      maxAge: v.optional(durationMs),
      maxLogBytes: v.optional(byteSize),
      maxLogAge: v.optional(durationMs),
    }),
    {},
  ),
  logs: v.optional(
    v.strictObject({
      maxBytesPerRun: v.optional(logCap),
      compressMinBytes: v.optional(byteSize),
    }),
    {},
  ),
  profiles: v.optional(
    v.record(
      v.pipe(text, v.regex(PROFILE_NAME, "must be a name such as build-tools")),
      v.strictObject({ allow: v.optional(v.array(text)), strict: v.optional(v.boolean("must be true or false")) }),
      "must be a mapping",
    ),
    {},
  ),
  auth: AuthSection,
  audit: v.optional(v.strictObject({ maxBytes: v.optional(positiveBytes, DEFAULT_AUDIT_BYTES) }), {}),
});

/** Path of the server's configuration file. */
export function serverConfigPath(home: Home): string {
  return `${home.config}/joblet-config.yml`;
}

/** Reads the configuration of a home folder. @throws {EngineError} of one line that names the file and the key */
export function loadServerConfig(home: Home): ServerConfig {
  const path = serverConfigPath(home);
  return parseServerConfig(readPrivateFile(path), path, home);
}

/** The configuration that this text says. @param path for messages @throws {EngineError} kind "invalid" */
export function parseServerConfig(text: string, path: string, home: Home): ServerConfig {
  const result = v.safeParse(Schema, parseYaml(text, path), { abortEarly: true });
  if (!result.success) throw new EngineError("invalid", `Cannot use ${path}: ${describeIssue(result.issues[0])}`);
  const { server, security, auth, audit } = result.output;
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : home.config;
  return {
    address: server.address,
    port: server.port,
    nodeId: server.nodeId || Deno.hostname(),
    ...readTlsSettings(security, folder),
    cipherSuites: security.cipherSuites,
    auditMaxBytes: audit.maxBytes,
    ...checked(path, () => authConfigOf(auth)),
    engine: checked(path, () => engineConfigOf(result.output, home)),
  };
}

/** Names the file in the message of what is wrong in it. */
function checked<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError("invalid", `Cannot use ${path}: ${error.message}`);
    throw error;
  }
}

type ConfigFile = v.InferOutput<typeof Schema>;

function engineConfigOf(file: ConfigFile, home: Home): EngineConfig {
  const { joblet, cgroup, filesystem, state, logs, limits } = file;
  const defaults = defaultEngineConfig(home);
  return {
    ...defaults,
    diskBytes: filesystem.diskBytes ?? defaults.diskBytes,
    diskInodes: filesystem.diskInodes ?? defaults.diskInodes,
    profiles: file.profiles,
    stopGraceMs: joblet.cleanupTimeout ?? defaults.stopGraceMs,
    queue: queueOf(file, defaults),
    retention: retentionOf(file, defaults),
    stateBackend: state.backend ?? defaults.stateBackend,
    reservedBytes: state.reservedBytes ?? defaults.reservedBytes,
    logBytesPerRun: logs.maxBytesPerRun ?? defaults.logBytesPerRun,
    compressMinBytes: logs.compressMinBytes ?? defaults.compressMinBytes,
    ...(cgroup.baseDir !== undefined && { cgroupBase: cgroup.baseDir }),
    // 0 is Joblet's word for unlimited.
    limits: limitPoliciesOf(limits, {
      ...(joblet.defaultCpuLimit > 0 && { cpuPercent: joblet.defaultCpuLimit }),
      ...(joblet.defaultMemoryLimit > 0 && { memoryBytes: joblet.defaultMemoryLimit * MIB }),
      ...(joblet.defaultIoLimit > 0 && { ioBytesPerSecond: joblet.defaultIoLimit }),
    }, defaults.limits.builtIn),
    sharedLimits: sharedLimitsOf(limits),
    memoryMaxPercent: limits.memoryMaxPercent ?? defaults.memoryMaxPercent,
  };
}

function queueOf({ joblet, limits, filesystem }: ConfigFile, defaults: EngineConfig): EngineConfig["queue"] {
  const { queue, diskBytes } = defaults;
  return {
    maxRunning: joblet.maxConcurrentJobs ?? queue.maxRunning,
    maxWaiting: joblet.maxQueuedJobs ?? queue.maxWaiting,
    maxWaitingPerOwner: joblet.maxQueuedJobsPerUser ?? queue.maxWaitingPerOwner,
    ...quotasOf(limits, filesystem.diskBytes ?? diskBytes),
    ...(joblet.totalCpuLimit > 0 && { cpuPercent: joblet.totalCpuLimit }),
    ...(joblet.totalMemoryLimit > 0 && { memoryBytes: joblet.totalMemoryLimit * MIB }),
  };
}

function retentionOf({ retention: file }: ConfigFile, { retention }: EngineConfig): EngineConfig["retention"] {
  return {
    ...retention,
    ...(file.maxJobs !== undefined && { maxJobs: file.maxJobs }),
    ...(file.maxAge !== undefined && { maxAgeMs: file.maxAge }),
    ...(file.maxLogBytes !== undefined && { maxLogBytes: file.maxLogBytes }),
    ...(file.maxLogAge !== undefined && { maxLogAgeMs: file.maxLogAge }),
  };
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    throw new EngineError("invalid", `Cannot use ${path}: it is no YAML: ${reason}`, { cause });
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  if (path === null) return "it must be a mapping";
  if (issue.type !== "strict_object") return `key '${path}' ${issue.message}`;
  if (issue.expected === "never") return `unknown key '${path}'`;
  return issue.expected === "Object" ? `key '${path}' must be a mapping` : `key '${path}' is missing`;
}
