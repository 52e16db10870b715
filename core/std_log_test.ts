import assert from "node:assert/strict";
import { getLogger, type LogSettings, setUpLogging } from "./std_log.ts";

function capture(settings: LogSettings, body: () => void): string {
  let text = "";
  setUpLogging({ ...settings, write: (line) => text += new TextDecoder().decode(line) });
  try {
    body();
  } finally {
    setUpLogging({ write: () => {} });
  }
  return text;
}

Deno.test("setUpLogging writes one JSON object a line, or one line of pairs, and nobody forges a line", () => {
  const say = () => getLogger("api").info("Request", { name: 'bob\n{"level":"FATAL"}', code: 3, size: 5n });
  const json = capture({ format: "json" }, say);
  assert.equal(json.split("\n").length, 2);
  const { level, message, logger, properties } = JSON.parse(json);
  assert.deepEqual([level, message, logger], ["INFO", "Request", "joblet.api"]);
  assert.deepEqual(properties, { name: 'bob\n{"level":"FATAL"}', code: 3, size: "5" });

  const text = capture({ format: "text" }, say);
  assert.equal(text.split("\n").length, 2);
  assert.match(text, /level=info logger=joblet\.api msg=Request name="bob\\n/);
});

Deno.test("setUpLogging leaves out what is below its level", () => {
  const say = () => {
    getLogger().debug("small");
    getLogger().error("big");
  };
  assert.equal(capture({ format: "text" }, say).split("\n").length, 2);
  assert.equal(capture({ format: "text", level: "debug" }, say).split("\n").length, 3);
});
