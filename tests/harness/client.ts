import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { JobService } from "../../proto/gen/joblet/v1/job_pb.ts";
import { parse } from "../../core/values/std_yaml.ts";

/** A gRPC client of a test server, with the admin certificate that the server's home holds. */
export interface TestClient extends AsyncDisposable {
  readonly jobs: Client<typeof JobService>;
}

interface ClientConfig {
  readonly nodes: Readonly<Record<string, { readonly cert: string; readonly key: string; readonly ca: string }>>;
}

export async function connect(server: { readonly home: string; readonly port: number }): Promise<TestClient> {
  const config = parse(await Deno.readTextFile(`${server.home}/config/rnx-config.yml`)) as ClientConfig;
  const { cert, key, ca } = config.nodes["default"]!;
  const baseUrl = `https://localhost:${server.port}`;
  const sessionManager = new Http2SessionManager(baseUrl, {}, { cert, key, ca });
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  return {
    jobs: createClient(JobService, transport),
    [Symbol.asyncDispose]: () => {
      sessionManager.abort();
      return Promise.resolve();
    },
  };
}

/** Waits for a job's first output. */
export async function untilOutput(client: TestClient, id: string): Promise<void> {
  // Leaving the loop early does not end the call, which would go on with a timer of its own.
  const abort = new AbortController();
  try {
    for await (const { frames } of client.jobs.streamLogs({ id, follow: true }, { signal: abort.signal })) {
      if (frames.length > 0) return;
    }
  } finally {
    abort.abort();
  }
}
