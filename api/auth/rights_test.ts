import assert from "node:assert/strict";
import type { JobSpecInput } from "../../core/jobs/spec.ts";
import type { Identity } from "./identity.ts";
import { neededRights, permitted, RIGHT } from "./rights.ts";

const identity = (role: "admin" | "user" | "viewer") => ({ name: "ann", role, serial: "1" }) as unknown as Identity;

const CASES: readonly (readonly [JobSpecInput, string[]])[] = [
  [{ command: "true" }, []],
  [{ profile: "" }, []],
  [{ profile: "default", network: "none" }, []],
  [{ profile: "strict" }, []],
  [{ network: "host" }, ["host-network"]],
  [{ work: "kept" }, ["kept-work"]],
  [{ profile: "debug" }, ["profile:debug"]],
  [{ profile: "wide", network: "host", work: "kept" }, ["host-network", "kept-work", "profile:wide"]],
];

Deno.test("neededRights names all that weakens a sandbox, and nothing else", () => {
  for (const [input, rights] of CASES) assert.deepEqual(neededRights(input), rights);
});

Deno.test("permitted lets an admin have every job, and a user what the configuration names", () => {
  for (const [input, rights] of CASES) {
    assert.equal(permitted(identity("admin"), input, []), input);
    assert.equal(permitted(identity("user"), input, rights), input);
    for (const right of rights) {
      const others = rights.filter((other) => other !== right);
      assert.throws(() => permitted(identity("user"), input, others), { name: "EngineError", kind: "forbidden" });
    }
  }
});

Deno.test("permitted says which flag it is about and what an administrator can do", () => {
  const message = (input: JobSpecInput) => {
    try {
      return permitted(identity("user"), input, []);
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  };
  assert.match(
    String(message({ network: "host" })),
    /--network host: only an admin may, .* auth\.usersMay .*'host-network'/,
  );
  assert.match(String(message({ profile: "debug" })), /--profile debug: .*'profile:debug'/);
});

Deno.test("a configuration can name each right and nothing else", () => {
  for (const right of ["host-network", "kept-work", "profile:debug"]) assert.match(right, RIGHT);
  for (const right of ["", "root", "profile:", "profile:X", "xhost-network"]) assert.doesNotMatch(right, RIGHT);
});
