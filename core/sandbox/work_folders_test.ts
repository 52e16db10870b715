import "../../tests/harness/ffi.ts";
import assert from "node:assert/strict";
import { closeFd } from "../../ffi/mod.ts";
import { requires } from "../../tests/harness/requires.ts";
import { Lab } from "./_launcher_lab.ts";
import { WorkFolders } from "./work_folders.ts";

const JOB = "0a0b0c0d-0000-4000-8000-000000000000";

for (const mapsIds of [true, false]) {
  Deno.test({
    ...requires("root"),
    name: `WorkFolders keeps files usable for attempts with other ids, ${mapsIds ? "mapped" : "or given to each"}`,
    async fn() {
      await using lab = await Lab.open();
      using folders = new WorkFolders(`${lab.dir}/kept`, mapsIds);
      const { users } = lab.sandbox;
      const identities = [await users.take(), await users.take()] as const;
      for (const [attempt, identity] of identities.entries()) {
        const fd = await folders.open(JOB, { identity, uid: 1000, noExec: false });
        try {
          const [host, job] = [folders.path(JOB), `/proc/self/fd/${fd}`];
          const [onDisk, own] = [mapsIds ? 1000 : identity.range.first + 1000, identity.range.first + 1000];
          Deno.writeTextFileSync(`${host}/file-${attempt}`, "x");
          Deno.chownSync(`${host}/file-${attempt}`, onDisk, onDisk);
          for (const name of ["", "file-0", `file-${attempt}`]) {
            assert.equal(Deno.statSync(`${host}/${name}`).uid, onDisk);
            assert.equal(Deno.statSync(`${job}/${name}`).uid, own);
          }
        } finally {
          closeFd(fd);
        }
      }
      await folders.remove(JOB);
      assert.deepEqual([...Deno.readDirSync(`${lab.dir}/kept`)], []);
      identities.forEach((identity) => users.give(identity));
    },
  });
}

Deno.test({
  ...requires("root"),
  name: "WorkFolders follows no link in the place of a job's folder",
  async fn() {
    await using lab = await Lab.open();
    const root = `${lab.dir}/kept`;
    Deno.mkdirSync(root);
    Deno.symlinkSync("/etc", `${root}/${JOB}`);
    using folders = new WorkFolders(root);
    const identity = await lab.sandbox.users.take();
    await assert.rejects(folders.open(JOB, { identity, uid: 0, noExec: false }), /openat2.*ELOOP/);
    lab.sandbox.users.give(identity);
  },
});
