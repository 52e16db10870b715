/** Wrong values, in every face: one line that names them, exit code 2, and no call to a server. */
import assert from "node:assert/strict";
import { fakeCli } from "../testing/fake_cli.ts";
import { chooseFace } from "./choose.ts";

for (
  const [line, message] of [
    [["joblet", "run", "--max-memory", "12Q", "true"], /Cannot read size '12Q'/],
    [["joblet", "run", "--max-cpu", "half", "true"], /Cannot use --max-cpu 'half'/],
    [["joblet", "stop", "--grace", "5x", "a"], /Cannot read duration '5x'/],
    [["joblet", "logs"], /Expected argument for ID/],
    [["joblet", "status", "a", "b"], /Too many arguments/],
    [["jobworker", "start", "a b", "--memory-limit", "100X"], /Cannot read size '100X'/],
    [["jobworker", "start", "a b", "--cpu-weight", "10001"], /Cannot use --cpu-weight '10001': .* from 1 to 10000/],
    [["jobworker", "start", "a b", "--io-weight=0"], /Cannot use --io-weight '0'/],
    [["jobworker", "start", "a b", "--cpu-weight"], /Expected input for flag --cpu-weight/],
    [["jobworker", "start", "echo 'x"], /Cannot read the command echo 'x: a ' is left open/],
    [["jobworker", "start", " "], /Cannot start a job: its command is empty/],
    [["jobworker", "stream"], /Expected argument for ID/],
    [["jobc", "start"], /Expected at least 1/],
    [["jobc", "start", "-x", "ls"], /Cannot use -x: there is no such flag/],
    [["jobc", "start", "--max-memory=1Z", "ls"], /Cannot read size '1Z'/],
    [["jobc", "stop", "--grace", "soon", "a"], /Cannot read duration 'soon'/],
    [["jobc", "status", "a", "b"], /Too many arguments/],
    [["rnx", "job", "log", "--tail", "0", "a"], /Cannot use '0': it must be a whole number, at least 1/],
    [["rnx", "job", "run", "--timeout=5x", "ls"], /Cannot read duration '5x'/],
    [["rnx", "job", "run", "--cpu-cores=3-1", "ls"], /Cannot read core list '3-1'/],
    [["rnx", "job", "stop"], /Expected argument for ID/],
    [["rnx", "job", "frob"], /No command registered for `frob`/],
    [["rnx", "completion", "csh"], /Cannot complete for 'csh': it must be bash, zsh or fish/],
  ] as const
) {
  Deno.test(`${line.join(" ")} is wrong usage, and told in one line`, async () => {
    const { name, words } = chooseFace(line[0], line.slice(1));
    const cli = fakeCli({}, { face: name });
    assert.equal(await cli.run(...words), 2);
    assert.equal(cli.out(), "");
    assert.match(cli.err(), message);
    assert.match(cli.err(), new RegExp(`^${name}: [^\\n]+\\n$`));
  });
}
