/** Where output goes. Writes are whole: they return when all bytes are out. */
export interface Terminal {
  /** What the user knows this program as; stands before its messages. */
  readonly program: string;
  readonly isTerminal: boolean;
  readonly colors: boolean;
  /** Columns; Infinity where output is no terminal. */
  readonly columns: number;
  /** @throws {Deno.errors.BrokenPipe} if the reader has gone */
  out(data: string | Uint8Array): Promise<void>;
  err(data: string | Uint8Array): Promise<void>;
}

const encoder = new TextEncoder();

interface Writer {
  write(bytes: Uint8Array): Promise<number>;
}

async function writeAll(writer: Writer, data: string | Uint8Array): Promise<void> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  for (let at = 0; at < bytes.length;) at += await writer.write(bytes.subarray(at));
}

/** The process's own stdout and stderr. */
export function processTerminal(program: string): Terminal {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    program,
    isTerminal,
    colors: isTerminal && !Deno.noColor,
    columns: isTerminal ? Deno.consoleSize().columns : Infinity,
    out: (data) => writeAll(Deno.stdout, data),
    err: (data) => writeAll(Deno.stderr, data),
  };
}
