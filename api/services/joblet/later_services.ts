/** Joblet's services whose features are not there yet: who may call them is told so. */
import type { ServiceImpl } from "@connectrpc/connect";
import {
  MonitoringService,
  NetworkService,
  RuntimeService,
  VolumeService,
} from "../../../proto/gen/joblet/joblet_pb.ts";
import { notThere } from "./convert.ts";

function refuse(what: string, feature: string) {
  return () => {
    throw notThere(what, feature);
  };
}

export const laterNetworks: ServiceImpl<typeof NetworkService> = {
  createNetwork: refuse("create a network", "networks"),
  listNetworks: refuse("list networks", "networks"),
  removeNetwork: refuse("remove a network", "networks"),
};

export const laterVolumes: ServiceImpl<typeof VolumeService> = {
  createVolume: refuse("create a volume", "volumes"),
  listVolumes: refuse("list volumes", "volumes"),
  removeVolume: refuse("remove a volume", "volumes"),
};

export const laterMonitoring: ServiceImpl<typeof MonitoringService> = {
  getSystemStatus: refuse("tell the host's status", "monitoring"),
  streamSystemMetrics: refuse("stream the host's metrics", "monitoring"),
};

export const laterRuntimes: ServiceImpl<typeof RuntimeService> = {
  listRuntimes: refuse("list runtimes", "runtimes"),
  getRuntimeInfo: refuse("tell of a runtime", "runtimes"),
  testRuntime: refuse("test a runtime", "runtimes"),
  removeRuntime: refuse("remove a runtime", "runtimes"),
  buildRuntime: refuse("build a runtime", "runtimes"),
  validateRuntimeYAML: refuse("check a runtime", "runtimes"),
};
