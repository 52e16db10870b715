import { LogStream } from "../../proto/gen/joblet/v1/job_pb.ts";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { clientCommand } from "../command.ts";
import type { CliContext, Connection, GlobalFlags } from "../context.ts";
import { copyLogs, type CopyOptions } from "../stream_logs.ts";

export interface LogFlags extends GlobalFlags {
  readonly follow: boolean;
  readonly stream?: LogStream;
}

/** `joblet logs`, and `joblet job log`, which follows unless told not to. */
export const logs = clientCommand<LogFlags, [string]>(async (cli, connection, flags, id) => {
  const streams = flags.stream === undefined ? [] : [flags.stream];
  const options = { follow: flags.follow, streams };
  if (flags.json) await showJson(cli, connection, id, options);
  else await copyLogs(connection, id, cli.terminal, options);
  return 0;
});

/** A JSON object for each piece; bytes that are no UTF-8 are kept in base64 beside the text. */
async function showJson(cli: CliContext, connection: Connection, id: string, options: CopyOptions): Promise<void> {
  const strict = new TextDecoder("utf-8", { fatal: true });
  const loose = new TextDecoder();
  const request = { id, follow: options.follow, streams: [...options.streams ?? []] };
  for await (const { frames } of connection.jobs.streamLogs(request)) {
    for (const { stream, time, data, offset, missingBytes } of frames) {
      let text: { log: string; base64?: string };
      try {
        text = { log: strict.decode(data) };
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        text = { log: loose.decode(data), base64: (data as Uint8Array<ArrayBuffer>).toBase64() };
      }
      const line = {
        time: time ? timestampDate(time).toISOString() : null,
        stream: LogStream[stream].toLowerCase(),
        ...text,
        ...(missingBytes > 0n ? { missing_bytes: Number(missingBytes) } : {}),
        offset: Number(offset),
      };
      await cli.terminal.out(`${JSON.stringify(line)}\n`);
    }
  }
}
