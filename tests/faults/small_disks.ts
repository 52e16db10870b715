/** Servers whose folders are small disks of their own. */
import { jobletCommand, TestServer } from "../harness/server.ts";

/** A server with these folders of its home on small disks that nobody else sees. @param size as mount takes it */
export async function startOnSmallDisks(folders: readonly string[], size: string): Promise<TestServer> {
  const script = `for folder in ${folders.join(" ")}; do
      mkdir -p "$JOBLET_HOME/$folder" && mount -t tmpfs -o size=${size},mode=700 tmpfs "$JOBLET_HOME/$folder" || exit 1
    done; exec "$@"`;
  const command = [
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-c",
    script,
    "sh",
    ...jobletCommand(),
  ] as const;
  return await TestServer.start({ command: [...command] });
}

/** Runs a shell command where the server's disks are seen. @returns what it printed, stdout first */
export async function inside(server: TestServer, script: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("nsenter", {
    args: ["--mount", "--target", String(server.pid), "sh", "-c", script],
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
