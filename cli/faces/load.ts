import type { FaceName } from "./choose.ts";
import type { Face } from "./face.ts";

/** Loads one command line and none of the others. */
export async function loadFace(name: FaceName): Promise<Face> {
  switch (name) {
    case "joblet":
      return (await import("../app.ts")).face;
    case "rnx":
      return (await import("./rnx/app.ts")).face;
    case "jobworker":
      return (await import("./jobworker/app.ts")).face;
    case "jobc":
      return (await import("./jobc/app.ts")).face;
  }
}
