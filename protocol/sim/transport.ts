import type { Endpoint, EndpointOptions, EventHandler, PacketObserver, Transport } from "../net.ts";
import { StateError } from "../wire/errors.ts";
import type { SimulatedHost } from "./host.ts";

/**
 * A simulated host behind the interface of the real transports; several on one host are like several processes.
 * Nothing happens until somebody steps the host's
 * network; promises settle from within those steps.
 */
export class SimulatedTransport implements Transport {
  readonly kind = "simulated";
  readonly description: string = "simulated network, virtual time";
  readonly #host: SimulatedHost;
  readonly #endpoints: Endpoint[] = [];

  constructor(host: SimulatedHost) {
    this.#host = host;
  }

  open(options: EndpointOptions, onEvents: EventHandler): Endpoint {
    const endpoint = this.#host.open(options, onEvents);
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  /** Traces are the simulation's own: see the network's `onPacket`. */
  capture(_onPacket: PacketObserver): Disposable {
    throw new StateError("A simulated transport has no capture; watch the network instead");
  }

  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }
}
