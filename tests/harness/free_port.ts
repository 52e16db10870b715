import assert from "node:assert/strict";

const LEAST_PORT = 10_240;

/** A port that was free a moment ago, and that no connection takes by chance while its server is down. */
export function freePort(): number {
  const [given] = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").split(/\s+/).map(Number);
  assert(given !== undefined && given > LEAST_PORT, "some ports are given to no connection");
  for (;;) {
    const port = LEAST_PORT + Math.floor(Math.random() * (given - LEAST_PORT));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
