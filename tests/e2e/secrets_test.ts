/** Secrets through the command line: the program has them, and nothing else ever does. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect, untilOutput } from "../harness/client.ts";
import { Needles } from "../harness/find_secret.ts";
import { requires } from "../harness/requires.ts";
import { type CommandResult, jobletCommand, TestServer } from "../harness/server.ts";

const root = requires("root", "cgroup2");
const encoder = new TextEncoder();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Prints hashes of the three secrets, then does what it is told. The values are words of no command. */
const PROBE =
  `printf %s "$MY_VALUE" | sha256sum; printf %s "$API_TOKEN" | sha256sum; cat /run/secrets/blob | sha256sum; `;

/** A server and three values: one for a variable, one for a variable with a name that looks secret, one for a file. */
class Lab implements AsyncDisposable {
  readonly needles: Needles;
  /** What a program prints that has all three. */
  readonly hashes: string;
  /** Everything that commands have printed. */
  printed = "";
  readonly flags: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  private constructor(
    readonly server: TestServer,
    readonly folder: string,
    values: readonly [string, string, Uint8Array],
  ) {
    const [variable, token, file] = values;
    const bytes = [encoder.encode(variable), encoder.encode(token), file];
    this.needles = new Needles(...bytes);
    this.hashes = bytes.map((value) => `${sha256(value)}  -\n`).join("");
    this.flags = ["--secret-env", "MY_VALUE", "--env", `API_TOKEN=${token}`, "--secret-file", `blob=${folder}/blob`];
    this.#env = { MY_VALUE: variable };
  }

  static async open(config = ""): Promise<Lab> {
    const values = [randomBytes(30).toBase64(), randomBytes(30).toHex(), randomBytes(30)] as const;
    const folder = await Deno.makeTempDir({ prefix: "joblet-secret-" });
    await Deno.writeFile(`${folder}/blob`, values[2]);
    return new Lab(await TestServer.start({ config }), folder, values);
  }

  /** Runs a command line in whose environment the first value is. */
  async cli(...args: string[]): Promise<CommandResult> {
    const [command, ...first] = jobletCommand();
    const env = { ...this.server.env, ...this.#env };
    const run = new Deno.Command(command, { args: [...first, ...args], env, clearEnv: true, stdin: "null" });
    const { code, stdout, stderr } = await run.output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    this.printed += out + err;
    return { code, stdout: out, stderr: err };
  }

  /** Hands over a job with the three values. @returns its id */
  async submit(script: string, ...flags: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli("run", "-d", ...this.flags, ...flags, "sh", "-c", PROBE + script);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  async show(id: string): Promise<Record<string, unknown>> {
    return JSON.parse((await this.cli("status", "--json", id)).stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Everything that a user can print of a job, and starts that are refused. */
async function printAll(lab: Lab, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    for (const args of [["status", id], ["status", "--json", id], ["logs", id], ["logs", "--timestamps", id]]) {
      await lab.cli(...args);
    }
  }
  for (const args of [["ps"], ["ps", "--json"], ["job", "list", "--json"]]) await lab.cli(...args);
  for (const json of [[], ["--json"]]) {
    const plan = await lab.cli("run", "--dry-run", ...json, ...lab.flags, "true");
    assert.match(plan.stdout, /write secret file blob \(30 bytes\)/);
    assert.match(plan.stdout, /API_TOKEN=\*\*\*/);
    const refused: readonly (readonly [RegExp, string[]])[] = [
      [/'API_TOKEN' twice/, ["--secret-env", "API_TOKEN=1"]],
      [/variable 'A-B': its name/, ["--secret-env", "A-B=1"]],
      [/profile 'none'/, ["--profile", "none"]],
    ];
    for (const [message, flags] of refused) {
      const { code, stderr } = await lab.cli("run", ...json, ...lab.flags, ...flags, "true");
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
  }
}

/** All places but the job's own program's. Nothing of the lab's command line runs now. */
async function assertNowhere(lab: Lab): Promise<void> {
  const { server, needles } = lab;
  assert.deepEqual(await needles.filesBelow(server.home), []);
  assert(!needles.isIn(server.log), "the server's log");
  assert(!needles.isIn(lab.printed), "what commands printed");
  assert.deepEqual(await needles.processes("cmdline"), []);
}

Deno.test({
  ...root,
  name: "secrets reach the programs of jobs that start, fail, wait or are tried again, and show up nowhere else",
}, async () => {
  await using lab = await Lab.open("joblet: { maxConcurrentJobs: 1 }");
  const { server, hashes } = lab;
  const now = await lab.cli("run", ...lab.flags, "sh", "-c", PROBE);
  assert.deepEqual([now.code, now.stdout], [0, hashes]);
  const missing = await lab.cli("run", ...lab.flags, "no-such-program");
  assert.deepEqual([missing.code, missing.stderr], [127, 'joblet: exec "no-such-program": ' + notFound()]);
  assert.equal((await lab.cli("run", ...lab.flags, "--workdir", "/nowhere", "true")).code, 125);

  const retried = await lab.submit("exit 3", "--retries", "1", "--retry-delay", "3s");
  // With the only place taken by this one, the others run after the restart.
  const running = await lab.submit("echo up; exec sleep 1000", "--name", "holder");
  const queued = await lab.submit("exit 4");
  const scheduled = await lab.submit("exit 5", "--schedule", "1s");
  await using client = await connect(server);
  await untilOutput(client, running);
  const environ = await lab.needles.processes("environ");
  assert.equal(environ.length, 1, `the program alone has them in its environment: ${environ}`);
  await assertNowhere(lab);

  await server.end("SIGKILL");
  await server.launch();
  await assertNowhere(lab);
  assert.equal((await lab.cli("stop", "--signal", "KILL", running)).code, 0);
  for (const [id, code] of [[queued, 4], [scheduled, 5], [retried, 3]] as const) {
    assert.equal((await lab.cli("wait", id)).code, code);
  }
  assert.equal((await lab.cli("logs", queued)).stdout, hashes);
  assert.equal((await lab.cli("logs", scheduled)).stdout, hashes);
  assert.equal((await lab.cli("logs", retried)).stdout, hashes + hashes, "each attempt has them");
  const { env, secret_env, secret_files } = await lab.show(retried);
  assert.deepEqual([env, secret_env, secret_files], [{}, ["MY_VALUE", "API_TOKEN"], ["blob"]]);
  assert.match(
    (await lab.cli("status", retried)).stdout,
    /Secret: +MY_VALUE\nSecret: +API_TOKEN\nSecret file: +\/run\/secrets\/blob\n/,
  );
  const jobs = JSON.parse((await lab.cli("ps", "--json")).stdout) as { id: string }[];
  await printAll(lab, jobs.map(({ id }) => id));
  await assertNowhere(lab);
  assert.equal(await server.end(), 0);
  await assertNowhere(lab);
});

function notFound(): string {
  return "not found in PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)\n";
}

Deno.test(
  { ...root, name: "the search for secrets finds what is not secret: the same value as a plain variable" },
  async () => {
    await using lab = await Lab.open();
    const { server, needles } = lab;
    // A name that does not look secret, with the value that the first test looks for in vain.
    const [value] = [lab.flags.find((flag) => flag.startsWith("API_TOKEN="))!.slice("API_TOKEN=".length)];
    const run = await server.cli("run", "--env", `MODE=${value}`, "sh", "-c", "echo $MODE; echo $MODE | base64 -w0");
    assert.equal(run.code, 0, run.stderr);
    const found = (await needles.filesBelow(server.home)).map((path) => path.slice(server.home.length + 1));
    assert(found.some((path) => path.startsWith("state/joblet.db")), String(found));
    assert(found.some((path) => path.startsWith("logs/")), String(found));
    const encoded = run.stdout.split("\n")[1]!;
    assert(!encoded.includes(value) && needles.isIn(encoded), "also as base64");
    assert(needles.isIn((await server.cli("ps", "--json")).stdout));
    const id = await server.detach("sh", "-c", "exec sleep 1000", value);
    await using client = await connect(server);
    assert.equal((await client.jobs.getJob({ id })).job?.spec?.args.at(-1), value);
  },
);

Deno.test({ ...root, name: "secret files are the job's user's alone, read-only, and gone with the job" }, async () => {
  await using lab = await Lab.open();
  const look = "stat -c '%a %u %g %F' /run/secrets /run/secrets/*; touch /run/secrets/x; echo x > /run/secrets/blob";
  for (const [user, id] of [["job", 1000], ["root", 0]] as const) {
    const { stdout, stderr } = await lab.cli("run", "--user", user, ...lab.flags, "sh", "-c", look);
    assert.equal(stdout, `500 ${id} ${id} directory\n400 ${id} ${id} regular file\n`);
    assert.match(stderr, /touch: .*Read-only file system\n.*blob: (Read-only file system|Permission denied)/);
  }
  const mount = await lab.cli("run", ...lab.flags, "grep", " /run/secrets ", "/proc/self/mountinfo");
  assert.match(mount.stdout, / ro,nosuid,nodev,noexec,/);
  const none = await lab.cli("run", "sh", "-c", "ls /run/secrets; grep -c /run/secrets /proc/self/mountinfo");
  assert.equal(none.stdout, "0\n", "a job without secrets has no mount for them");
});

Deno.test({
  ...root,
  name: "a job whose key is gone or is another one fails to start, says why, and the server goes on",
}, async () => {
  await using lab = await Lab.open();
  const { server } = lab;
  const path = `${server.home}/config/secrets.key`;
  assert.equal((await lab.cli("run", "true")).code, 0);
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound, "no secret, no key");
  const [lost, other] = [await lab.submit("", "--schedule", "2s"), await lab.submit("", "--schedule", "3s")];
  const key = await Deno.readTextFile(path);
  await Deno.remove(path);
  assert.equal((await lab.cli("wait", lost)).code, 125);
  await Deno.writeTextFile(path, `${randomBytes(32).toBase64()}\n`, { mode: 0o600 });
  assert.equal((await lab.cli("wait", other)).code, 125);
  for (const id of [lost, other]) {
    const { start_failure } = await lab.show(id) as { start_failure: { message: string } };
    assert.match(
      start_failure.message,
      /^open the job's secrets: Cannot open the secret .*the key that sealed it is not in/,
    );
  }
  await Deno.writeTextFile(path, key);
  await Deno.chmod(path, 0o644);
  const refused = await lab.cli("run", ...lab.flags, "true");
  assert.deepEqual([refused.code, refused.stderr.replace(/\/\S*\//g, "")], [
    1,
    "joblet: Cannot use secrets.key: its mode 644 lets others at the keys; run 'chmod 600 secrets.key'\n",
  ]);
  await Deno.chmod(path, 0o600);
  assert.equal((await lab.cli("run", ...lab.flags, "sh", "-c", PROBE)).stdout, lab.hashes);
});
