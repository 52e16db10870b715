// The entry of `deno compile`: says what kind of file this is before main.ts, which runs when imported, can ask
// (cli/version.ts).
Object.defineProperty(globalThis, "JOBLET_BUILD", { value: "compiled" });
await import("../main.ts");
