/** Everything that is served. */
import type { ConnectRouter } from "@connectrpc/connect";
import type { Engine } from "../../core/jobs/engine.ts";
import { Health } from "../../proto/gen/grpc/health/v1/health_pb.ts";
import {
  JobService as JobletJobService,
  MonitoringService,
  NetworkService,
  RuntimeService,
  VolumeService,
} from "../../proto/gen/joblet/joblet_pb.ts";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { JobWorker } from "../../proto/gen/jobworker/jobworker_pb.ts";
import { createHealthService } from "../services/health_service.ts";
import { createJobletJobService } from "../services/joblet/job_service.ts";
import { laterMonitoring, laterNetworks, laterRuntimes, laterVolumes } from "../services/joblet/later_services.ts";
import { createJobService } from "../services/joblet_v1/job_service.ts";
import { createJobWorker } from "../services/jobworker/service.ts";

/** Descriptors of the services; the policy must have a row for each of their methods. */
export const SERVICES = [
  JobService,
  JobWorker,
  JobletJobService,
  NetworkService,
  VolumeService,
  MonitoringService,
  RuntimeService,
  Health,
] as const;

export interface RouteOptions {
  /** Rights of callers with the role user, see rights.ts. @default none */
  readonly usersMay?: readonly string[];
  /** Tells servers apart for people. @default empty */
  readonly nodeId?: string;
}

/** Registers all services over an engine. */
export function createRoutes(engine: Engine, options: RouteOptions = {}): (router: ConnectRouter) => void {
  const { usersMay = [], nodeId = "" } = options;
  return (router) => {
    router.service(JobService, createJobService(engine, usersMay));
    router.service(JobWorker, createJobWorker(engine));
    router.service(JobletJobService, createJobletJobService(engine, { usersMay, nodeId }));
    router.service(NetworkService, laterNetworks);
    router.service(VolumeService, laterVolumes);
    router.service(MonitoringService, laterMonitoring);
    router.service(RuntimeService, laterRuntimes);
    router.service(Health, createHealthService(SERVICES.map((service) => service.typeName)));
  };
}
