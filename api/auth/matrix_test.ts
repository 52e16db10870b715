/** Calls every method of every service as every role, for its own job and for another's, and compares with POLICY. */
import assert from "node:assert/strict";
import {
  create,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type DescService,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Job } from "../../core/jobs/job.ts";
import { SERVICES } from "../server/routes.ts";
import { type Setup, setUp } from "../testing/in_memory.ts";
import { POLICY, type Reach } from "./policy.ts";
import type { Role } from "./role.ts";

const ROLES: readonly Role[] = ["admin", "user", "viewer"];
const CALLER = "alice";
const OTHER = "bob";
const METHODS = SERVICES.flatMap((service: DescService) => [...service.methods]);
/** Methods about all jobs that the caller may touch, rather than about one that it names. */
const LISTS = /\/(ListJobs|DeleteJobs|DeleteAllJobs)$/;

function nameOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

/** A request that names the job in whatever field the method has for it. */
function requestFor(method: DescMethod, job: Job) {
  const values: Record<string, unknown> = {};
  for (const { localName } of method.input.fields) {
    if (["id", "uuid", "jobUuid"].includes(localName)) values[localName] = job.id;
    if (localName === "spec") values[localName] = { command: "true" };
    if (localName === "command") values[localName] = "true";
  }
  return create(method.input, values);
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}

/** How a call ends: of a stream, its first message counts. */
async function outcome(transport: Transport, method: DescMethod, job: Job): Promise<string> {
  const request = requestFor(method, job);
  const abort = new AbortController();
  try {
    if (isUnary(method)) {
      await transport.unary(method, abort.signal, undefined, undefined, request);
      return "OK";
    }
    const streaming = method as DescMethodStreaming;
    const { message } = await transport.stream(streaming, abort.signal, undefined, undefined, once(request));
    for await (const _first of message) break;
    return "OK";
  } catch (error) {
    return Code[ConnectError.from(error).code] ?? "?";
  } finally {
    abort.abort();
  }
}

function addJob({ engine }: Setup, owner: string): Job {
  const at = new Date();
  const exit = { kind: "exited", code: 0 } as const;
  return engine.add(owner, { state: "completed", startedAt: at, endedAt: at, reason: "exited", exit });
}

function isAllowed(reach: Reach, owner: string): boolean {
  return reach === "any" || reach === "yes" || (reach === "own" && owner === CALLER);
}

for (const method of METHODS) {
  const name = nameOf(method);
  Deno.test(`${name} lets at its jobs whom the table says`, async () => {
    const rule = POLICY.get(name);
    assert(rule, `${name} has no row in POLICY`);
    for (const role of ROLES) {
      for (const owner of [CALLER, OTHER]) {
        const setup = setUp();
        const job = addJob(setup, owner);
        const code = await outcome(setup.transport(CALLER, role), method, job);
        const isList = LISTS.test(name);
        const expected = isList ? rule.reach[role] !== "no" : isAllowed(rule.reach[role], owner);
        const what = `${role} ${name} of ${owner}'s job: ${code}`;
        if (!expected) assert.equal(code, "PermissionDenied", what);
        else assert(code !== "PermissionDenied" && code !== "Unauthenticated" && code !== "Internal", what);
        if (isList && expected) assert.equal(ownerAsked(setup), rule.reach[role] === "any" ? undefined : CALLER, what);
        if (!expected) assertUntouched(setup, job, what);
      }
    }
  });
}

/** Whose jobs the engine was asked for by a list. */
function ownerAsked({ engine }: Setup): string | undefined {
  const [query] = [...engine.queries, ...engine.deletions];
  assert(query, "the engine was not asked");
  return query.owner;
}

function assertUntouched({ engine }: Setup, job: Job, what: string): void {
  assert.deepEqual([...engine.jobs.values()], [job], what);
  assert.deepEqual([engine.inputs, engine.stops, engine.queries, engine.deletions, engine.logQueries], [
    [],
    [],
    [],
    [],
    [],
  ], what);
}

Deno.test("a caller without a role may call no method at all", async () => {
  for (const method of METHODS) {
    const setup = setUp();
    const code = await outcome(setup.transport(CALLER, "none" as Role), method, addJob(setup, CALLER));
    assert.equal(code, "PermissionDenied", nameOf(method));
  }
});
