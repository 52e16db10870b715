import { closeFd, type Poller } from "../../ffi/mod.ts";
import { EngineError } from "../errors.ts";
import { OPEN_NAMESPACE, type RootOptions, rootSteps } from "./root_steps.ts";
import { runSideProcess } from "./side_process.ts";

/** The root that all jobs start from, in a mount namespace that lives as long as this. */
export class RootTemplate implements Disposable {
  private constructor(readonly fd: number) {}

  /**
   * Makes it. @param cgroupFd cgroup folder that the child which does so is born in
   * @throws {EngineError} kind "precondition" that names the step that failed
   */
  static async make(poller: Poller, cgroupFd: number, options: RootOptions): Promise<RootTemplate> {
    try {
      const [fd] = await runSideProcess(poller, cgroupFd, { steps: rootSteps(options), opens: OPEN_NAMESPACE });
      return new RootTemplate(fd!);
    } catch (cause) {
      if (!(cause instanceof EngineError)) throw cause;
      throw new EngineError("precondition", `Cannot make the root of the jobs: ${cause.message}`, { cause });
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.fd);
  }
}
