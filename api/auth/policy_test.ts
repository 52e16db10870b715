import assert from "node:assert/strict";
import type { Job } from "../../core/jobs/job.ts";
import type { Identity } from "./identity.ts";
import { changeable, mayCall, POLICY, readable, visibleOwner } from "./policy.ts";
import type { Role } from "./role.ts";
import { SERVICES } from "../server/routes.ts";
import { FakeEngine } from "../testing/fake_engine.ts";

const ROLES: readonly Role[] = ["admin", "user", "viewer"];

Deno.test("POLICY has a row for each method of each service that is served, and no other", () => {
  const served = SERVICES.flatMap((service) => service.methods.map((method) => `${service.typeName}/${method.name}`));
  assert.deepEqual([...POLICY.keys()].sort(), served.sort());
});

Deno.test("mayCall denies a method without a row to everybody", () => {
  for (const role of ROLES) {
    for (const method of ["joblet.v1.JobService/Format", "", "constructor", "joblet.v1.JobService/runJob"]) {
      assert.equal(mayCall(role, method), false);
    }
  }
});

Deno.test("readable and changeable let a user at its own jobs, a viewer read all, an admin do all", () => {
  const job: Job = new FakeEngine().add("alice", { state: "pending" });
  const as = (name: string, role: Role): Identity => ({ name, role, serial: "01", expiresAtMs: Infinity });
  const table: [Identity, boolean, boolean][] = [
    [as("alice", "user"), true, true],
    [as("bob", "user"), false, false],
    [as("bob", "viewer"), true, false],
    [as("alice", "viewer"), true, false],
    [as("bob", "admin"), true, true],
  ];
  for (const [identity, mayRead, mayChange] of table) {
    const check = (allowed: boolean, use: () => Job) => {
      if (allowed) assert.equal(use(), job);
      else assert.throws(use, { name: "EngineError", kind: "forbidden" });
    };
    check(mayRead, () => readable(identity, job));
    check(mayChange, () => changeable(identity, job));
  }
});

Deno.test("visibleOwner confines a user, and nobody else, to its own jobs", () => {
  assert.equal(visibleOwner({ name: "bob", role: "user", serial: "01", expiresAtMs: 0 }), "bob");
  assert.equal(visibleOwner({ name: "bob", role: "viewer", serial: "01", expiresAtMs: 0 }), undefined);
  assert.equal(visibleOwner({ name: "bob", role: "admin", serial: "01", expiresAtMs: 0 }), undefined);
});
