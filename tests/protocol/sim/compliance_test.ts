/** The transport contract on simulated hosts: two transports of one host, whose network a loop keeps going. */
import type {
  Endpoint,
  EndpointOptions,
  EventHandler,
  PacketObserver,
  Transport,
} from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import type { SimulatedHost } from "../../../protocol/sim/host.ts";
import { SimulatedTransport } from "../../../protocol/sim/transport.ts";
import { testTransport } from "../../transport/compliance.ts";
import { insecureMac } from "./mac.ts";

/** Virtual milliseconds of each turn of the event loop. */
const TURN_MS = 5;

/** A simulated transport in a world that turns with the event loop, as long as the transport is open. */
class TurningTransport implements Transport {
  readonly kind = "simulated";
  readonly description: string;
  readonly #transport: SimulatedTransport;
  readonly #network: SimulatedNetwork;
  #open = true;

  constructor(network: SimulatedNetwork, host: SimulatedHost) {
    this.#network = network;
    this.#transport = new SimulatedTransport(host);
    this.description = this.#transport.description;
    this.#turn();
  }

  open(options: EndpointOptions, onEvents: EventHandler): Endpoint {
    return this.#transport.open(options, onEvents);
  }

  capture(onPacket: PacketObserver): Disposable {
    return this.#transport.capture(onPacket);
  }

  async close(): Promise<void> {
    await this.#transport.close();
    this.#open = false;
  }

  #turn(): void {
    if (!this.#open) return;
    this.#network.run(TURN_MS);
    setImmediate(() => this.#turn());
  }
}

let openCount = 0;
let network: SimulatedNetwork | undefined;
let host: SimulatedHost | undefined;

/** Every other call makes a new world: a test opens two transports, of two processes on one host. */
function openSimulated(): Transport {
  if (openCount++ % 2 === 0 || network === undefined || host === undefined) {
    network = new SimulatedNetwork({ seed: openCount, mac: insecureMac });
    host = network.addHost([network.addSegment({}, "v4"), network.addSegment({}, "v4")]);
  }
  return new TurningTransport(network, host);
}

testTransport({
  name: "simulated",
  reconfiguration: true,
  open: openSimulated,
  addresses: ["10.1.0.1", "10.2.0.1"],
  foreignAddress: "192.0.2.1",
});
