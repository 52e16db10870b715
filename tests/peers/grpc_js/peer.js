/**
 * A stock gRPC client under Node: node peer.js PORT CONFIG.json. Reads the .proto files at run time and, through each
 * package, runs a job, streams its output, watches it, stops another one, and asks for one that does not exist. Prints what
 * it saw as one JSON object.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [port, configFile] = process.argv.slice(2);
const { cert, key, ca } = JSON.parse(readFileSync(configFile, "utf8"));
const root = fileURLToPath(new URL("../../../proto", import.meta.url));
const credentials = grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
const UNKNOWN_JOB = "00000000-0000-4000-8000-000000000000";
const COMMAND = { command: "sh", args: ["-c", "echo from grpc-js; exit 4"] };
const SLEEP = { command: "sleep", args: ["1000"] };

function clientOf(file, choose) {
  const options = { includeDirs: [root], enums: String, longs: Number, keepCase: true };
  const Service = choose(grpc.loadPackageDefinition(loader.loadSync(file, options)));
  const client = new Service(`localhost:${port}`, credentials);
  const call = (method, request) =>
    new Promise((resolve, reject) => client[method](request, (error, reply) => error ? reject(error) : resolve(reply)));
  const all = (method, request) =>
    new Promise((resolve, reject) => {
      const messages = [];
      const stream = client[method](request);
      stream.on("data", (message) => messages.push(message));
      stream.on("end", () => resolve(messages));
      stream.on("error", reject);
    });
  return { call, all, close: () => client.close() };
}

const codeOf = (promise) => promise.then(() => 0, (error) => error.code);
const messageOf = (promise) => promise.then(() => "", (error) => error.details);
const text = (chunks) => Buffer.concat(chunks).toString();

async function jobletV1() {
  const { call, all, close } = clientOf("joblet/v1/job.proto", ({ joblet }) => joblet.v1.JobService);
  const { job } = await call("RunJob", { spec: COMMAND });
  const logs = await all("StreamLogs", { id: job.id, follow: true });
  const output = text(logs.flatMap(({ frames = [] }) => frames.map(({ data }) => data)));
  const watched = await all("WatchJob", { id: job.id });
  const sleeper = await call("RunJob", { spec: SLEEP });
  const states = all("WatchJob", { id: sleeper.job.id });
  const stopped = await call("StopJob", { id: sleeper.job.id });
  const unknown = await codeOf(call("GetJob", { id: UNKNOWN_JOB }));
  const seen = {
    output,
    exitCode: watched.at(-1).job.exit_code,
    stopped: stopped.job.state,
    last: (await states).at(-1).job.state,
    unknown,
  };
  close();
  return seen;
}

async function jobworker() {
  const { call, all, close } = clientOf("jobworker/jobworker.proto", ({ jobworker }) => jobworker.JobWorker);
  const { id } = await call("StartJob", COMMAND);
  const output = text((await all("GetJobOutput", { id })).map(({ data }) => data));
  const ended = (await all("GetJobStatus", { id })).at(-1);
  const sleeper = await call("StartJob", SLEEP);
  const states = all("GetJobStatus", { id: sleeper.id });
  const stopped = await call("StopJob", { id: sleeper.id });
  const { jobs } = await call("ListJobs", { user_ids: [] });
  const unknown = await codeOf(all("GetJobOutput", { id: UNKNOWN_JOB }));
  const seen = {
    output,
    ended: ended.status,
    measured: ended.resource_usage !== null,
    stopped: stopped.status,
    took: stopped.stop_time.seconds >= stopped.start_time.seconds,
    last: (await states).at(-1).status,
    listed: Object.values(jobs).some(({ job_ids }) => job_ids.includes(id) && job_ids.includes(sleeper.id)),
    unknown,
  };
  close();
  return seen;
}

async function joblet() {
  const { call, all, close } = clientOf("joblet/joblet.proto", ({ joblet }) => joblet.JobService);
  const networks = clientOf("joblet/joblet.proto", ({ joblet }) => joblet.NetworkService);
  const { job_uuid: uuid } = await call("RunJob", COMMAND);
  const output = text((await all("GetJobLogs", { uuid })).map(({ payload }) => payload));
  const ended = await call("GetJobStatus", { uuid });
  const sleeper = await call("RunJob", SLEEP);
  const follower = all("GetJobLogs", { uuid: sleeper.job_uuid });
  const stopped = await call("StopJob", { uuid: sleeper.job_uuid });
  const later = await call("RunJob", { ...SLEEP, schedule: "2030-01-01T00:00:00Z" });
  const canceled = await call("CancelJob", { uuid: later.job_uuid });
  const { jobs } = await call("ListJobs", {});
  const deleted = await call("DeleteJob", { uuid });
  const seen = {
    output,
    ended: [ended.status, ended.exit_code],
    stopped: stopped.status,
    followed: (await follower).length,
    scheduled: later.status,
    canceled: canceled.status,
    listed: jobs.some((job) => job.uuid === uuid && job.command === "sh"),
    deleted: deleted.success,
    unknown: await codeOf(call("GetJobStatus", { uuid })),
    networks: await codeOf(networks.call("ListNetworks", {})),
    message: await messageOf(call("RunJob", { ...SLEEP, max_memory: -1 })),
  };
  close();
  networks.close();
  return seen;
}

const seen = { "joblet.v1": await jobletV1(), jobworker: await jobworker(), joblet: await joblet() };
process.stdout.write(JSON.stringify(seen) + "\n");
