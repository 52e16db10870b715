/** Counts how often each job's program was really run: every run of it connects here and says its number. */
export class Witness implements AsyncDisposable {
  readonly runs = new Map<number, number>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #done: Promise<void>;

  constructor() {
    this.#done = this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    const open = new Set<Promise<void>>();
    for await (const connection of this.#listener) {
      const read = this.#read(connection).finally(() => open.delete(read));
      open.add(read);
    }
    await Promise.all(open);
  }

  async #read(connection: Deno.TcpConn): Promise<void> {
    const number = Number(await new Response(connection.readable).text());
    this.runs.set(number, (this.runs.get(number) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
  }
}
