/** Memory of the embedded transport. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { Endpoint, EndpointOptions, Transport } from "../../protocol/net.ts";
import { Churn } from "./churn.ts";
import { connectTo } from "./flood.ts";
import { withPeer } from "./other_process.ts";
import { memoryInUse } from "./peer_process.ts";
import type { Result, Settings } from "./result.ts";
import { transportOptions } from "./throughput.ts";

/** Growth over associations that came and went: there should be none. */
export async function leaks(
  { carriers, associations = 10_000 }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const carrier = carriers[0] ?? "udp";
  const options = transportOptions(carrier, 1500);
  await withPeer({ transport: options, echo: false }, async (peer) => {
    const transport = openEmbeddedTransport(options);
    const churn = new Churn(transport, peer.ports[0]!);
    await churn.run(5000); // until heap and compiled code have found their sizes
    const clientBefore = memoryInUse(), serverBefore = await peer.memory();
    await churn.run(associations);
    const clientAfter = memoryInUse(), serverAfter = await peer.memory();
    await transport.close();
    emit({
      name: "leaks",
      what: `${carrier}, ${associations} associations that ended; KiB in all`,
      figures: growth(clientBefore, clientAfter, serverBefore, serverAfter, 1024),
    });
  });
}

/** What a living, idle association takes: N endpoints here, each with associations to N there. */
export async function memory(
  { carriers, associations = 10_000 }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const carrier = carriers[0] ?? "udp", options = transportOptions(carrier, 1500);
  const side = Math.ceil(Math.sqrt(associations)), total = side * side;
  const endpointOptions: EndpointOptions = { addresses: ["127.0.0.1"], heartbeatIntervalMs: 0 };
  await withPeer(
    { transport: options, echo: false, endpoints: side, options: endpointOptions },
    async (peer) => {
      const transport = openEmbeddedTransport(options);
      const mesh = new Mesh(transport, peer.ports, endpointOptions);
      await mesh.connect(1, 1); // the first ones pay for the compiler and for buffers
      const clientBefore = memoryInUse(), serverBefore = await peer.memory();
      await mesh.connect(side, side);
      const clientAfter = memoryInUse(), serverAfter = await peer.memory();
      emit({
        name: "memory",
        what: `${carrier}, ${total} living associations; octets each`,
        figures: growth(clientBefore, clientAfter, serverBefore, serverAfter, total),
      });
      await transport.close();
    },
  );
}

/** Endpoints here, each of which connects to ports there. */
class Mesh {
  readonly #endpoints: Endpoint[] = [];
  readonly #ports: readonly number[];
  #left = 0;
  #done: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #connected = new Set<string>();

  constructor(transport: Transport, ports: readonly number[], options: EndpointOptions) {
    this.#ports = ports;
    this.#endpoints = ports.map(() =>
      transport.open(options, (events) => {
        for (const event of events) {
          if (event.type === "down") this.#done.reject(new Error(`association ended: ${event.reason}`));
          else if (event.type === "up" && --this.#left === 0) this.#done.resolve();
        }
      })
    );
  }

  /** The first so many here to the first so many there, some at a time. */
  async connect(here: number, there: number): Promise<void> {
    for (const endpoint of this.#endpoints.slice(0, here)) {
      const ports = this.#ports.slice(0, there).filter((port) =>
        !this.#connected.has(`${endpoint.port} ${port}`)
      );
      if (ports.length === 0) continue;
      this.#done = Promise.withResolvers();
      this.#left = ports.length;
      ports.forEach((port, index) => {
        this.#connected.add(`${endpoint.port} ${port}`);
        connectTo(endpoint, port, index + 1);
      });
      await this.#done.promise;
    }
  }
}

type Memory = ReturnType<typeof memoryInUse>;

/** @param unit octets of one unit of the figures */
function growth(
  clientBefore: Memory,
  clientAfter: Memory,
  serverBefore: Memory,
  serverAfter: Memory,
  unit: number,
): Record<string, number> {
  const each = (after: number, before: number) => Math.round((after - before) / unit);
  return {
    clientHeap: each(clientAfter.heapBytes, clientBefore.heapBytes),
    clientRss: each(clientAfter.rssBytes, clientBefore.rssBytes),
    serverHeap: each(serverAfter.heapBytes, serverBefore.heapBytes),
    serverRss: each(serverAfter.rssBytes, serverBefore.rssBytes),
  };
}
