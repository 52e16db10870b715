import type { MessageInitShape } from "@bufbuild/protobuf";
import type { JobSpecSchema } from "../../proto/gen/joblet/v1/job_pb.ts";
import { CALL_OPTIONS } from "../command.ts";
import type { CliContext, Connection } from "../context.ts";
import { formatTable } from "../output/table.ts";

/** `--dry-run`: the steps of a start, without a start. */
export async function showPlan(
  cli: CliContext,
  connection: Connection,
  spec: MessageInitShape<typeof JobSpecSchema>,
  json: boolean,
): Promise<number> {
  const { steps } = await connection.jobs.planJob({ spec }, CALL_OPTIONS);
  if (json) {
    const plain = steps.map(({ actor, name, detail }) => ({ actor, name, detail }));
    await cli.terminal.out(`${JSON.stringify(plain, null, 2)}\n`);
  } else {
    const rows = steps.map(({ actor, name, detail }, index) => [String(index + 1).padStart(3), actor, name, detail]);
    await cli.terminal.out(formatTable([["  #", "ACTOR", "STEP", "CALL"], ...rows], cli.terminal.columns));
  }
  return 0;
}
