/** Everything that is served. */
import type { ConnectRouter } from "@connectrpc/connect";
import type { Engine } from "../core/jobs/engine.ts";
import { Health } from "../proto/gen/grpc/health/v1/health_pb.ts";
import { JobService } from "../proto/gen/joblet/v1/job_pb.ts";
import { createHealthService } from "./health_service.ts";
import { createJobService } from "./job_service.ts";

/** Descriptors of the services; the policy must have a row for each of their methods. */
export const SERVICES = [JobService, Health] as const;

/** Registers all services over an engine. @param usersMay rights of callers with the role user, see rights.ts */
export function createRoutes(engine: Engine, usersMay: readonly string[] = []): (router: ConnectRouter) => void {
  return (router) => {
    router.service(JobService, createJobService(engine, usersMay));
    router.service(Health, createHealthService(SERVICES.map((service) => service.typeName)));
  };
}
