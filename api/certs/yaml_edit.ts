/** Exchanges single texts in a YAML file and leaves the rest, comments too, as it is. */
import { EVENT_ID, getScalarValue, parseEvents } from "js-yaml";
import { EngineError } from "../../core/errors.ts";

type Event = ReturnType<typeof parseEvents>[number];
type ScalarEvent = Extract<Event, { readonly type: typeof EVENT_ID.SCALAR }>;

/** Of js-yaml's events: how a scalar is written. */
const STYLE = { singleQuoted: 2, doubleQuoted: 3, literal: 4, folded: 5 } as const;

/**
 * The text with other values at these paths, keys joined by ".".
 * @throws {EngineError} if there is no text at a path, or it is written in a way that can't be exchanged
 */
export function editYaml(source: string, changes: Readonly<Record<string, string>>): string {
  const scalars = scalarsOf(source);
  const edits = Object.entries(changes).map(([path, value]) => {
    const scalar = scalars.get(path);
    if (scalar === undefined) throw new EngineError("precondition", `Cannot change '${path}': it is not there`);
    return editOf(scalar, value, path);
  });
  let text = source;
  // From the end, so that the offsets before stay true.
  for (const { start, end, replacement } of edits.sort((a, b) => b.start - a.start)) {
    text = text.slice(0, start) + replacement + text.slice(end);
  }
  const now = scalarsOf(text);
  for (const [path, value] of Object.entries(changes)) {
    const scalar = now.get(path);
    if (scalar === undefined || getScalarValue(text, scalar).trimEnd() !== value.trimEnd()) {
      throw new EngineError("precondition", `Cannot change '${path}': write it as a block with '|' and try again`);
    }
  }
  return text;
}

function editOf({ style, indent, valueStart, valueEnd }: ScalarEvent, value: string, path: string) {
  switch (style) {
    case STYLE.literal: {
      const padding = " ".repeat(indent);
      const lines = value.trimEnd().split("\n").map((line) => `${padding}${line}\n`).join("");
      return { start: valueStart, end: valueEnd, replacement: lines };
    }
    case STYLE.folded:
      throw new EngineError("precondition", `Cannot change '${path}': write it as a block with '|' and try again`);
    case STYLE.singleQuoted:
    case STYLE.doubleQuoted:
      return { start: valueStart - 1, end: valueEnd + 1, replacement: JSON.stringify(value) };
    default:
      return { start: valueStart, end: valueEnd, replacement: JSON.stringify(value) };
  }
}

/** Where each text of the document stands. */
function scalarsOf(source: string): ReadonlyMap<string, ScalarEvent> {
  const events = parseEvents(source, {});
  const found = new Map<string, ScalarEvent>();
  let next = 0;
  const isEnd = () => next >= events.length || events[next]!.type === EVENT_ID.POP;
  const walk = (path: string): void => {
    const event = events[next++]!;
    if (event.type === EVENT_ID.SCALAR) found.set(path, event);
    if (event.type === EVENT_ID.SEQUENCE) {
      for (let index = 0; !isEnd(); index++) walk(join(path, String(index)));
      next++;
    }
    if (event.type === EVENT_ID.MAPPING) {
      while (!isEnd()) {
        const key = events[next]!;
        if (key.type !== EVENT_ID.SCALAR) {
          throw new EngineError("precondition", "Cannot change this YAML file: it has keys that are no texts");
        }
        next++;
        walk(join(path, getScalarValue(source, key)));
      }
      next++;
    }
  };
  next = 1;
  walk("");
  return found;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
