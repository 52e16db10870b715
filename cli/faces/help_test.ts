import assert from "node:assert/strict";
import type { Command, RouteMap } from "@stricli/core";
import type { RunContext } from "../command.ts";
import type { KnownNode } from "../context.ts";
import type { HostCommands } from "../host.ts";
import { fakeCli } from "../testing/fake_cli.ts";
import { chooseFace, type FaceName, FACES } from "./choose.ts";
import { splitCommandLine } from "./jobworker/command_line.ts";
import { loadFace } from "./load.ts";
import { isMissing } from "./rnx/missing_commands.ts";

type Target = Command<RunContext> | RouteMap<RunContext>;

/** Every command of a tree, by the words that name it. */
function* commandsOf(target: Target, path: readonly string[] = []): Generator<readonly string[]> {
  if (!("getAllEntries" in target)) return yield path;
  for (const { name, target: below } of target.getAllEntries()) {
    yield* commandsOf(below, [...path, name["convert-camel-to-kebab"]]);
  }
}

const JOB = { id: "0fb570a0-6753-4486-b3e5-9e84cd0a03ca", spec: { command: "true" }, exitCode: 0 };

/** A server where all succeeds. */
function fakeFace(face: FaceName) {
  const answer = () => ({ job: JOB });
  const nodes: readonly KnownNode[] = [{
    name: "default",
    address: "",
    nodeId: "",
    isDefault: true,
    connect: () => {
      throw new RangeError("Cannot connect: this is a test");
    },
  }];
  return fakeCli({
    runJob: answer,
    planJob: () => ({}),
    getJob: answer,
    stopJob: answer,
    cancelJob: answer,
    listJobs: () => ({ jobs: [JOB] }),
    deleteJob: () => ({}),
    deleteJobs: () => ({}),
    async *streamLogs() {
      yield { frames: [], nextOffset: 1n, endedJob: { ...JOB, state: 6 } };
    },
    async *watchJob() {
      yield { job: { ...JOB, state: 6 } };
    },
  }, {
    face,
    nodes,
    host: {
      server: () => Promise.resolve(0),
      doctor: () => Promise.resolve([]),
      ...AUDIT_COMMANDS,
      certsInit: issued,
      certsClient: issued,
      certsRenew: issued,
      certsList: () => Promise.resolve([]),
      certsRevoke: () => Promise.resolve({ files: ["file"], certificates: [{ name: "alice", serial: "4F" }] }),
      certsRotate: () => Promise.resolve({ phase: "begun", files: ["file"], waitingFor: ["alice"] }),
    },
  });
}

const HEAD = { seq: 7, hash: "0".repeat(64) };
const issued = () => Promise.resolve({ files: ["file"], notAfter: new Date(Date.UTC(2030, 1, 1)) });
const AUDIT_COMMANDS: Partial<HostCommands> = {
  auditLines: () => Promise.resolve(ReadableStream.from([])),
  auditCheck: () => Promise.resolve({ records: 7, first: 1, head: HEAD, torn: 0, missing: 0, unfinishedBytes: 0 }),
  auditHead: () => Promise.resolve(HEAD),
};

/** The example lines of a help text. */
function examplesOf(help: string): string[] {
  const [, examples = ""] = /\nEXAMPLES\n((?: {2}.*\n)+)/.exec(help) ?? [];
  return examples.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

/** What a shell would run of a line: one of our commands, without settings before it and other programs behind it. */
function wordsOf(line: string): { readonly face: FaceName; readonly words: readonly string[] } {
  const plain = line.replace('"$(joblet audit --head)"', `${HEAD.seq}:${HEAD.hash}`);
  const own = plain.replace(/^(\w+=\S+ )+/, "").replace(/^source <\((.*)\)$/, "$1").replace(/ (&&|\|) .*$/, "");
  const [program = "", ...words] = splitCommandLine(own);
  const { name, words: rest } = chooseFace(program, words);
  return { face: name, words: rest };
}

/** What examples name: a variable, and a file in the working directory. */
async function folderWithSecrets(): Promise<AsyncDisposable> {
  const [before, folder] = [Deno.cwd(), await Deno.makeTempDir()];
  await Deno.writeTextFile(`${folder}/my.key`, "key\n");
  Deno.env.set("API_TOKEN", "token");
  Deno.chdir(folder);
  return {
    async [Symbol.asyncDispose]() {
      Deno.chdir(before);
      Deno.env.delete("API_TOKEN");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const UNAVAILABLE = 1;

for (const face of FACES) {
  for (const path of commandsOf((await loadFace(face)).app.root)) {
    Deno.test(`${face} ${path.join(" ")} --help has examples, and each of them does what it says`, async () => {
      const helped = fakeFace(face);
      assert.equal(await helped.run(...path, "--help"), 0);
      const help = helped.out();
      assert.match(help, new RegExp(`^USAGE\\n {2}${face} `));
      const prose = help.split("\nFLAGS")[0]!.split("\n");
      assert.deepEqual(prose.filter((line) => line.length > 120), [], "prose fits a terminal");
      const examples = examplesOf(help);
      assert(examples.length > 0, help);
      await using _folder = await folderWithSecrets();
      for (const example of examples) {
        const { face: named, words } = wordsOf(example);
        assert.equal(named, face, example);
        const cli = fakeFace(face);
        const code = await cli.run(...words);
        const wanted = face === "rnx" && isMissing(words) ? UNAVAILABLE : 0;
        assert.equal(code, wanted, `${example}: ${cli.err()}`);
        assert.equal(/\S/.test(cli.err()), wanted !== 0, `${example}: ${cli.err()}`);
      }
    });

    // All words behind a command that is not there are its own.
    if (face === "rnx" && isMissing(path)) continue;
    Deno.test(`${face} ${path.join(" ")} names a flag that it does not know, in one line, and exits with 2`, async () => {
      const cli = fakeFace(face);
      assert.equal(await cli.run(...path, "--no-such-flag"), 2);
      assert.equal(cli.out(), "");
      assert.match(cli.err(), new RegExp(`^${face}: Cannot use --no-such-flag: there is no such flag.*\\n$`));
    });
  }

  Deno.test(`${face} without words, with --help and with an unknown command tells what there is`, async () => {
    const bare = fakeFace(face);
    assert.equal(await bare.run(), 0);
    const helped = fakeFace(face);
    assert.equal(await helped.run("--help"), 0);
    assert.equal(bare.out(), helped.out());
    assert.match(bare.out(), /\nCOMMANDS\n/);
    const wrong = fakeFace(face);
    assert.equal(await wrong.run("frobnicate"), 2);
    assert.match(wrong.err(), new RegExp(`^${face}: No command registered for \`frobnicate\`.*\\n$`));
  });

  Deno.test(`${face} completion writes a script that asks ${face}, and __complete proposes its commands`, async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const cli = fakeFace(face);
      assert.equal(await cli.run("completion", shell), 0);
      assert(cli.out().includes(`${face} __complete `), shell);
    }
    const cli = fakeFace(face);
    assert.equal(await cli.run("__complete", "sta"), 0);
    assert.match(cli.out(), /^(start|status)\t/);
    const ids = fakeFace(face);
    assert.equal(await ids.run("__complete", "status", ""), 0);
    assert.match(ids.out(), new RegExp(`^${JOB.id}\\t`, "m"));
  });
}
