/**
 * A stock gRPC client under Node: node peer.js PORT CONFIG.json. Reads the .proto files at run time, runs a job, follows
 * it, watches it, stops another one, and prints what it saw as one JSON object.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [port, configFile] = process.argv.slice(2);
const { cert, key, ca } = JSON.parse(readFileSync(configFile, "utf8"));
const root = fileURLToPath(new URL("../../../proto", import.meta.url));
const definition = loader.loadSync("joblet/v1/job.proto", { includeDirs: [root], enums: String, longs: Number });
const { JobService } = grpc.loadPackageDefinition(definition).joblet.v1;
const credentials = grpc.credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
const client = new JobService(`localhost:${port}`, credentials);

const call = (method, request) =>
  new Promise((resolve, reject) => client[method](request, (error, reply) => error ? reject(error) : resolve(reply)));

const all = (stream, onMessage = () => {}) =>
  new Promise((resolve, reject) => {
    const messages = [];
    stream.on("data", (message) => {
      messages.push(message);
      onMessage(message);
    });
    stream.on("end", () => resolve(messages));
    stream.on("error", reject);
  });

const { job } = await call("RunJob", { spec: { command: "sh", args: ["-c", "echo from grpc-js; exit 4"] } });
const logs = await all(client.StreamLogs({ id: job.id, follow: true }));
const output = Buffer.concat(logs.flatMap(({ frames = [] }) => frames.map(({ data }) => data))).toString();
const watched = await all(client.WatchJob({ id: job.id }));

const sleeper = await call("RunJob", { spec: { command: "sleep", args: ["1000"] } });
const states = all(client.WatchJob({ id: sleeper.job.id }));
const stopped = await call("StopJob", { id: sleeper.job.id });
const unknown = await call("GetJob", { id: "00000000-0000-4000-8000-000000000000" }).catch((error) => error.code);

process.stdout.write(
  JSON.stringify({
    output,
    exitCode: watched.at(-1).job.exitCode,
    stopped: stopped.job.state,
    lastState: (await states).at(-1).job.state,
    unknown,
  }) + "\n",
);
client.close();
