import assert from "node:assert/strict";
import { Code, ConnectError } from "@connectrpc/connect";
import { JobState } from "../../proto/gen/joblet/v1/job_pb.ts";
import { LIVE_STATES, TERMINAL_STATES } from "../output/state.ts";
import { fakeCli } from "../testing/fake_cli.ts";

const ID = "0fb570a0-6753-4486-b3e5-9e84cd0a03ca";

for (const words of [["cancel"], ["job", "cancel"]]) {
  Deno.test(`${words.join(" ")} prints each job's state, and what was refused does not hold up the rest`, async () => {
    const cli = fakeCli({
      cancelJob: ({ id }) => {
        if (id === "b") throw new ConnectError("Cannot cancel job b: it runs", Code.FailedPrecondition);
        return { job: { id, state: JobState.CANCELED } };
      },
    });
    assert.equal(await cli.run(...words, "a", "b", "c"), 1);
    assert.deepEqual([cli.out(), cli.err()], ["a  CANCELED\nc  CANCELED\n", "joblet: Cannot cancel job b: it runs\n"]);
  });
}

Deno.test("cancel --json prints the job, and cancel without ids is wrong usage", async () => {
  const cli = fakeCli({ cancelJob: ({ id }) => ({ job: { id, state: JobState.CANCELED } }) });
  assert.equal(await cli.run("cancel", "--json", "a"), 0);
  assert.equal(JSON.parse(cli.out()).status, "CANCELED");
  assert.equal(await cli.run("cancel"), 2);
});

for (const words of [["prune"], ["job", "delete-all"]]) {
  Deno.test(`${words.join(" ")} deletes what the filters fit and counts`, async () => {
    const seen: unknown[] = [];
    const cli = fakeCli({
      deleteJobs: ({ states, labels, owner }) => {
        seen.push([states, labels, owner]);
        return { deleted: 3n, skipped: 2n };
      },
    });
    assert.equal(await cli.run(...words), 0);
    assert.equal(cli.out(), "deleted 3, skipped 2 (not ended)\n");
    assert.equal(await cli.run(...words, "--state", "completed", "--state", "LOST", "--label", "a=b"), 0);
    assert.deepEqual(seen, [[[], {}, ""], [[JobState.COMPLETED, JobState.LOST], { a: "b" }, ""]]);
  });
}

Deno.test("prune --json prints the counts", async () => {
  const cli = fakeCli({ deleteJobs: () => ({ deleted: 1n }) });
  await cli.run("prune", "--json");
  const message = "deleted 1, skipped 0 (not ended)";
  assert.deepEqual(JSON.parse(cli.out()), { success: true, message, deleted_count: 1, skipped_count: 0 });
});

for (
  const words of [
    ["prune", "--label", "a=1", "--label", "a=2"],
    ["prune", "--state", "gone"],
    ["rm"],
    ["stop"],
    ["job", "delete"],
    ["rm", "--label", "a=1", "3f2a"],
    ["stop", "--label", "a"],
    ["stop", "--label", "a=1", "--label", "a=2"],
    ["ps", "--label", "=x"],
    ["ps", "--label", "a=1", "--label", "a=2"],
  ]
) {
  Deno.test(`'${words.join(" ")}' is wrong usage: one line, exit code 2, nothing asked of the server`, async () => {
    // Every call of this server would end with exit code 1.
    const cli = fakeCli({});
    assert.equal(await cli.run(...words), 2);
    assert.match(cli.err(), /^joblet: [^\n]*Cannot [^\n]*\n$/);
  });
}

Deno.test("rm --label deletes the ended jobs that have the labels, of all pages", async () => {
  const asked: unknown[] = [];
  const deleted: string[] = [];
  const cli = fakeCli({
    listJobs: ({ states, labels, pageToken }) => {
      asked.push([states, labels, pageToken]);
      return pageToken === "" ? { jobs: [{ id: "a" }, { id: "b" }], nextPageToken: "2" } : { jobs: [{ id: "c" }] };
    },
    deleteJob: ({ id }) => {
      deleted.push(id);
      if (id === "b") throw new ConnectError("no job b", Code.NotFound);
      return {};
    },
  });
  assert.equal(await cli.run("rm", "--label", "team=red"), 1);
  assert.deepEqual(asked, ["", "2"].map((token) => [TERMINAL_STATES, { team: "red" }, token]));
  assert.deepEqual([deleted, cli.out(), cli.err()], [["a", "b", "c"], "a\nc\n", "joblet: no job b\n"]);
});

Deno.test("stop --label says so and succeeds when no live job has the labels", async () => {
  const cli = fakeCli({
    listJobs: ({ states }) => {
      assert.deepEqual(states, LIVE_STATES);
      return {};
    },
  });
  assert.equal(await cli.run("stop", "--label", "team=red"), 0);
  assert.deepEqual([cli.out(), cli.err()], ["", "joblet: no jobs\n"]);
});

Deno.test("stop handles sixteen jobs at once, no more, and tells of each", async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `job${index}`);
  const first = Promise.withResolvers<void>();
  let [running, most] = [0, 0];
  const cli = fakeCli({
    listJobs: () => ({ jobs: ids.map((id) => ({ id })) }),
    stopJob: async ({ id, signal }) => {
      assert.equal(signal, "KILL");
      most = Math.max(most, ++running);
      if (running === 16) first.resolve();
      await first.promise;
      running--;
      if (id === "job3") throw new ConnectError("not yours", Code.PermissionDenied);
      return { job: { id, state: JobState.STOPPED, signal: 9 } };
    },
  });
  assert.equal(await cli.run("stop", "--signal", "KILL", "--label", "a=b"), 1);
  assert.equal(most, 16);
  const lines = cli.out().trimEnd().split("\n");
  assert.deepEqual([lines.length, new Set(lines).size], [19, 19]);
  assert.equal(lines[0]?.endsWith("  STOPPED  signal 9 (SIGKILL)"), true);
  assert.equal(cli.err(), "joblet: Not allowed: not yours\n");
});

Deno.test("ps passes labels on", async () => {
  let seen: unknown;
  const cli = fakeCli({
    listJobs: ({ labels }) => {
      seen = labels;
      return {};
    },
  });
  assert.equal(await cli.run("ps", "--label", "a=1", "--label", "b=2", "--label=c="), 0);
  assert.deepEqual(seen, { a: "1", b: "2", c: "" });
});

for (const words of [["wait"], ["job", "wait"]]) {
  Deno.test(`${words.join(" ")} watches again when the connection breaks`, async () => {
    let calls = 0;
    const cli = fakeCli({
      async *watchJob() {
        calls++;
        if (calls === 2) throw new ConnectError("still away", Code.Unavailable);
        yield { job: { id: ID, state: calls === 1 ? JobState.RUNNING : JobState.FAILED, exitCode: 5 } };
        if (calls === 1) throw new ConnectError("broken", Code.Unavailable);
      },
    });
    assert.equal(await cli.run(...words, ID), 5);
    assert.deepEqual([calls, cli.pauses, cli.err()], [3, [100, 200], ""]);
  });
}

Deno.test("wait gives up when the server stays away, and at once when it refuses", async () => {
  for (const [code, pauses] of [[Code.Unavailable, 8], [Code.PermissionDenied, 0]] as const) {
    const cli = fakeCli({
      // deno-lint-ignore require-yield -- it fails before it has anything to give
      async *watchJob() {
        throw new ConnectError("why", code);
      },
    });
    assert.equal(await cli.run("wait", ID), 1);
    assert.equal(cli.pauses.length, pauses);
  }
});

for (const [state, code] of [[JobState.CANCELED, 125], [JobState.LOST, 125], [JobState.TIMEOUT, 124]] as const) {
  Deno.test(`wait exits with ${code} for a job that ended as ${JobState[state]}`, async () => {
    const cli = fakeCli({
      async *watchJob() {
        yield { job: { id: ID, state, exitCode: 0 } };
      },
    });
    assert.equal(await cli.run("wait", ID), code);
  });
}
