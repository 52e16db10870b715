// The bundle's entry: says what kind of file this is before main.ts, which runs when imported, can ask (cli/version.ts).
Object.defineProperty(globalThis, "JOBLET_BUILD", { value: "self-extracting" });
await import("../main.ts");
