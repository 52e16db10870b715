/** The services over a fake engine, called in memory: all that the API does but TLS. */
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { Health } from "../../proto/gen/grpc/health/v1/health_pb.ts";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { peerKey } from "../auth/context.ts";
import type { Identity } from "../auth/identity.ts";
import { createInterceptors, type InterceptorOptions } from "../server/interceptors.ts";
import type { Role } from "../auth/role.ts";
import { createRoutes } from "../server/routes.ts";
import { FakeEngine } from "./fake_engine.ts";

export interface Setup {
  readonly engine: FakeEngine;
  /** A client for the service as this caller. */
  as(name: string, role: Role): Client<typeof JobService>;
  health(): Client<typeof Health>;
  /** For calls of any service as this caller. */
  transport(name: string, role: Role): Transport;
}

export function setUp(options: InterceptorOptions = {}): Setup {
  const engine = new FakeEngine();
  const transport = (identity?: Identity) => {
    // Stands for the server, which puts the connection's peer there.
    const connect: Interceptor = (next) => (request) => {
      if (identity) request.contextValues.set(peerKey, () => identity);
      return next(request);
    };
    return createRouterTransport(createRoutes(engine), {
      router: { interceptors: [connect, ...createInterceptors(undefined, options)] },
    });
  };
  return {
    engine,
    as: (name, role) => createClient(JobService, transport({ name, role, serial: "01", expiresAtMs: Infinity })),
    transport: (name, role) => transport({ name, role, serial: "01", expiresAtMs: Infinity }),
    health: () => createClient(Health, transport({ name: "bob", role: "viewer", serial: "02", expiresAtMs: Infinity })),
  };
}

/** Name of the code that a call ends with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(() => "OK", (error) => Code[ConnectError.from(error).code] ?? "?");
}

/** All messages of a stream. */
export async function drain<T>(messages: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(messages);
}
