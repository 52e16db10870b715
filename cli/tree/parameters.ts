/** What several commands have in common: positional words, numbers, help with examples. */
import type { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import type { RunContext } from "../command.ts";

export const COMMAND_WORDS = {
  kind: "array",
  parameter: { parse: String, brief: "Program and its arguments, passed on as they are", placeholder: "CMD" },
  minimum: 1,
} as const;

/** One job, in one of these states, of any if there are none. */
export function jobId(states: readonly JobState[]) {
  const brief = "Job id, or the start of one";
  const parameter = { parse: String, brief, placeholder: "ID", proposeCompletions: proposeJobIds(states) };
  return { kind: "tuple", parameters: [parameter] } as const;
}

/** One job. */
export const JOB_ID = jobId([]);

/** Jobs in these states, of any if there are none. @param minimum 0 where labels may stand in for ids */
export function jobIds<Minimum extends number>(states: readonly JobState[], minimum: Minimum) {
  const brief = "Job ids, or starts of them";
  const parameter = { parse: String, brief, placeholder: "ID", proposeCompletions: proposeJobIds(states) };
  return { kind: "array", parameter, minimum } as const;
}

/** For the shell's completion: the newest jobs. Whatever fails, nothing is proposed and nothing is said. */
function proposeJobIds(states: readonly JobState[]) {
  return async function (this: RunContext, partial: string): Promise<string[]> {
    if (partial.startsWith("-")) return [];
    try {
      using connection = await this.cli.connect({});
      const { jobs } = await connection.jobs.listJobs({ pageSize: 50, states: [...states] }, { timeoutMs: 2000 });
      return jobs.map(({ id }) => id);
    } catch (error) {
      if (error instanceof Error) return [];
      throw error;
    }
  };
}

/** Whole positive numbers. @throws {RangeError} */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`Cannot use '${text}': it must be a whole number, at least 1`);
  return Number(text);
}

export const TAIL_FLAG = {
  kind: "parsed",
  parse: parseCount,
  brief: "Start with the last so many lines",
  placeholder: "N",
  optional: true,
} as const;

export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new RangeError(`Cannot use port '${text}': it must be 0 to 65535`);
  }
  return Number(text);
}

export function example(text: string, ...lines: string[]): string {
  return `${text}\n\nEXAMPLES\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
