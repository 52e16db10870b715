/** Output for APIs that know bytes only: both streams together, from the first byte on. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Engine } from "../../core/jobs/engine.ts";
import type { LogBatch } from "../../core/logs/log.ts";

/**
 * The output of all attempts, in the order in which it was written, until the job has ended.
 * @throws {ConnectError} DATA_LOSS at the end if bytes are missing, as these APIs have no other way to say so
 */
export async function* rawOutput(engine: Engine, id: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let missing = 0;
  for await (const batch of engine.logs(id, { follow: true }, signal)) {
    for (const { missingBytes } of batch.pieces) missing += missingBytes;
    const data = joined(batch);
    if (data.length > 0) yield data;
  }
  // The engine ends quietly on an abort; a deadline or a shutdown must not look like the job's end.
  signal.throwIfAborted();
  if (missing > 0) {
    const reason = `${missing} bytes of it are gone, as the server keeps so much of a job's output and no more`;
    throw new ConnectError(`Cannot tell all output of job ${id}: ${reason}`, Code.DataLoss);
  }
}

function joined({ pieces }: LogBatch): Uint8Array {
  const [first] = pieces;
  if (first && pieces.length === 1) return first.data;
  const bytes = new Uint8Array(pieces.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of pieces) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}
