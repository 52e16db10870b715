import { MemoryStore } from "./memory_store.ts";
import { storeContract } from "./store_contract.ts";

storeContract("MemoryStore", () => ({ store: new MemoryStore(), cleanUp: () => Promise.resolve() }));
