/** Makes other people's jobs look as if they did not exist. */
import type { Interceptor } from "@connectrpc/connect";
import { unknownJob } from "../../core/jobs/find_job.ts";
import { requestedObjectKey } from "../auth/context.ts";
import { ForeignJobError } from "../auth/policy.ts";

/** Turns the refusal of a foreign job into the answer to an id that there is not. */
export const hideForeign: Interceptor = (next) => async (request) => {
  const hidden = (error: unknown) =>
    error instanceof ForeignJobError ? unknownJob(request.contextValues.get(requestedObjectKey)) : error;
  try {
    const response = await next(request);
    return response.stream ? { ...response, message: mapped(response.message, hidden) } : response;
  } catch (error) {
    throw hidden(error);
  }
};

async function* mapped<T>(messages: AsyncIterable<T>, map: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw map(error);
  }
}
