/** The policy for people: writes docs/AUTHORIZATION.md, or with `--check` fails when it differs. */
import { POLICY, type Reach } from "../../api/auth/policy.ts";
import type { Role } from "../../api/auth/role.ts";

const ROLES: readonly Role[] = ["admin", "user", "viewer"];

const WORDS: Readonly<Record<Reach, string>> = { no: "no", own: "own jobs", any: "all jobs", yes: "yes" };

const INTRODUCTION = `# Who may call what

Made of \`POLICY\` in api/auth/policy.ts by \`deno task gen\`; a test calls every method as every role, for own jobs and for
others', and compares. A method that is not here is denied to everybody.

- The caller's name is the common name of its client certificate. A job belongs to the name that started it.
- The role comes from the certificate, or from the server's own map of names (\`auth.roles\`).
- "own jobs": a job of somebody else is denied; lists show the caller's jobs alone.
- "audited": each call leaves a record in the audit log. Of the others those do that were denied.
- Some kinds of jobs need a right besides: see \`auth.usersMay\` in the README.
`;

function policyTable(): string {
  const lines = [INTRODUCTION];
  let service = "";
  for (const [name, { reach, changes }] of POLICY) {
    const [parent = "", method = ""] = name.split("/");
    if (parent !== service) {
      lines.push(`\n## ${parent}\n\n| method | admin | user | viewer | audited |\n|---|---|---|---|---|`);
    }
    service = parent;
    lines.push(`| ${method} | ${ROLES.map((role) => WORDS[reach[role]]).join(" | ")} | ${changes ? "yes" : ""} |`);
  }
  return lines.join("\n").replace("\n\n\n", "\n\n") + "\n";
}

const file = new URL("../../docs/AUTHORIZATION.md", import.meta.url);
if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, policyTable());
else if (await Deno.readTextFile(file) !== policyTable()) {
  throw new Error("docs/AUTHORIZATION.md is stale: run 'deno task gen'");
}
