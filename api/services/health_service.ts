/** grpc.health.v1.Health, as the gRPC health checking protocol describes it. */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthCheckResponseSchema,
} from "../../proto/gen/grpc/health/v1/health_pb.ts";

/** Whoever gets an answer from this process is served: there is no state in which it answers otherwise. */
export function createHealthService(services: readonly string[]): ServiceImpl<typeof Health> {
  const isServed = (name: string) => name === "" || services.includes(name);
  const answer = (status: ServingStatus) => create(HealthCheckResponseSchema, { status });
  return {
    check(request) {
      if (isServed(request.service)) return answer(ServingStatus.SERVING);
      throw new ConnectError(`Cannot check service '${request.service}': it is not served here`, Code.NotFound);
    },

    async *watch(request, context) {
      yield answer(isServed(request.service) ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN);
      await aborted(context.signal);
      context.signal.throwIfAborted();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
