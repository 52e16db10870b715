/** What a call is about, read off its messages by the names of their fields, for all packages alike. */

/** Fields of requests that name what is there already. Nothing else of a request is ever looked at. */
const NAMES_IN_REQUESTS = ["id", "uuid", "jobUuid", "name", "runtime"] as const;
const NAMES_IN_ANSWERS = ["jobUuid", "uuid", "id"] as const;
const COUNTS_IN_ANSWERS = ["deleted", "deletedCount"] as const;

type Fields = Readonly<Record<string, unknown>>;

/** The id or name in a request; undefined if it has none. */
export function namedIn(request: object): string | undefined {
  return firstText(request as Fields, NAMES_IN_REQUESTS);
}

/** The id in an answer, or how many jobs it was about; undefined if it tells neither. */
export function answeredIn(answer: object): string | undefined {
  const fields = answer as Fields;
  const { job } = fields;
  const id = typeof job === "object" && job !== null ? firstText(job as Fields, ["id", "uuid"]) : undefined;
  return id ?? firstText(fields, NAMES_IN_ANSWERS) ?? countOf(fields);
}

function firstText(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

function countOf(fields: Fields): string | undefined {
  for (const name of COUNTS_IN_ANSWERS) {
    const value = fields[name];
    if (typeof value === "bigint" || typeof value === "number") return `${value} jobs`;
  }
  return undefined;
}
