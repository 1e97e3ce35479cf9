/** Associations that come and go. */
import type { Endpoint, Transport, TransportEvent } from "../../protocol/net.ts";
import { connectTo } from "./flood.ts";

/** Sets associations up and shuts them down, one after the other. */
export class Churn {
  /** How long each set-up of the last run took, in milliseconds. */
  readonly times: number[] = [];
  readonly #endpoint: Endpoint;
  readonly #port: number;
  #left = 0;
  #connectedAt = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param port of the other process */
  constructor(transport: Transport, port: number) {
    this.#port = port;
    this.#endpoint = transport.open({}, (events) => events.forEach((event) => this.#handle(event)));
  }

  /** One after the other; resolves when all are over. */
  async run(count: number): Promise<void> {
    this.times.length = 0;
    this.#left = count;
    this.#done = Promise.withResolvers();
    this.#next();
    await this.#done.promise;
  }

  #next(): void {
    if (this.#left-- === 0) return this.#done.resolve();
    this.#connectedAt = performance.now();
    connectTo(this.#endpoint, this.#port);
  }

  #handle(event: TransportEvent): void {
    if (event.type === "up") {
      this.times.push(performance.now() - this.#connectedAt);
      this.#endpoint.execute({ type: "shutdown", association: event.association });
    } else if (event.type === "down") {
      if (event.reason === "shutdown") this.#next();
      else this.#done.reject(new Error(`association ended: ${event.reason}`));
    }
  }
}
