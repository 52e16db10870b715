/** The jobs that wait for their time, and how many of them each owner has. */
import type { Clock } from "../schedule/clock.ts";
import { Timetable } from "../schedule/timetable.ts";
import type { Job } from "./job.ts";

export class ScheduledJobs {
  readonly #timetable: Timetable;
  readonly #ownerOf = new Map<string, string>();
  readonly #countOf = new Map<string, number>();

  /** @param onDue called once for each job whose moment has come; it is not counted any more then */
  constructor(clock: Clock, onDue: (id: string) => void) {
    this.#timetable = new Timetable(clock, (id) => {
      this.#forget(id);
      onDue(id);
    });
  }

  get size(): number {
    return this.#timetable.size;
  }

  countOf(owner: string): number {
    return this.#countOf.get(owner) ?? 0;
  }

  /** Sets a job's moment, which replaces the one it had. */
  set({ id, owner }: Pick<Job, "id" | "owner">, at: Date): void {
    if (!this.#ownerOf.has(id)) this.#countOf.set(owner, this.countOf(owner) + 1);
    this.#ownerOf.set(id, owner);
    this.#timetable.set(id, at.getTime());
  }

  remove(id: string): void {
    this.#forget(id);
    this.#timetable.remove(id);
  }

  close(): void {
    this.#timetable.close();
    this.#ownerOf.clear();
    this.#countOf.clear();
  }

  #forget(id: string): void {
    const owner = this.#ownerOf.get(id);
    if (owner === undefined) return;
    this.#ownerOf.delete(id);
    const left = this.countOf(owner) - 1;
    if (left > 0) this.#countOf.set(owner, left);
    else this.#countOf.delete(owner);
  }
}
