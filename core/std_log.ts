/** The part of @std/log that is used here: structured log lines on stderr, over logtape. */
import { configureSync, getJsonLinesFormatter, getLogfmtFormatter, getLogger as logger } from "@logtape/logtape";
import type { Logger, LogLevel, LogRecord } from "@logtape/logtape";
import { writeBytes } from "./file_bytes.ts";

export type { Logger, LogLevel };

/** One JSON object a line, or one line of `key=value` pairs. Control characters are escaped in both. */
export type LogFormat = "json" | "text";

export interface LogSettings {
  /** @default {"text"} on a terminal, else "json" */
  readonly format?: LogFormat;
  /** @default {"info"} */
  readonly level?: LogLevel;
  /** Takes each line, newline included. @default writes to stderr */
  readonly write?: (line: Uint8Array) => void;
}

/** A logger below `joblet`. Values from outside belong into the properties, never into the message. */
export function getLogger(...category: readonly string[]): Logger {
  return logger(["joblet", ...category]);
}

/** Says where log lines go, for the whole process. Before the first call nothing is logged. */
export function setUpLogging(settings: LogSettings = {}): void {
  const format = settings.format ?? (Deno.stderr.isTerminal() ? "text" : "json");
  const toLine = format === "json" ? getJsonLinesFormatter() : getLogfmtFormatter();
  const write = settings.write ?? writeToStderr;
  const encoder = new TextEncoder();
  configureSync({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(encoder.encode(toLine(record))) },
    loggers: [
      { category: ["joblet"], sinks: ["lines"], lowestLevel: settings.level ?? "info" },
      { category: ["logtape", "meta"], sinks: ["lines"], lowestLevel: "warning" },
    ],
  });
}

function writeToStderr(line: Uint8Array): void {
  try {
    writeBytes(Deno.stderr, line);
  } catch {
    // Whoever read the log has gone, or its disk is full: there is no other place to tell it, and the server goes on.
  }
}
