import assert from "node:assert/strict";
import { HealthCheckResponse_ServingStatus as Serving } from "../../proto/gen/grpc/health/v1/health_pb.ts";
import { codeOf, setUp } from "../testing/in_memory.ts";

Deno.test("health says SERVING for the server and each service, NOT_FOUND for others, and watches until the caller leaves", async () => {
  const health = setUp().health();
  for (const service of ["", "joblet.v1.JobService", "grpc.health.v1.Health"]) {
    assert.equal((await health.check({ service })).status, Serving.SERVING);
  }
  assert.equal(await codeOf(health.check({ service: "nope" })), "NotFound");
  for (const [service, expected] of [["", Serving.SERVING], ["nope", Serving.SERVICE_UNKNOWN]] as const) {
    const abort = new AbortController();
    const seen: Serving[] = [];
    const watch = async () => {
      for await (const { status } of health.watch({ service }, { signal: abort.signal })) {
        seen.push(status);
        abort.abort();
      }
    };
    assert.equal(await codeOf(watch()), "Canceled");
    assert.deepEqual(seen, [expected]);
  }
});
