/** Ways to load a transport that several benchmarks share. */
import type { AssociationId, Endpoint, EndpointOptions, Transport } from "../../protocol/net.ts";

/** Octets and messages handed over between two looks at what the transport says. */
const OCTETS_PER_TURN = 1 << 20, MESSAGES_PER_TURN = 256;

/** Sends as fast as the transport takes messages, then shuts the association down. */
export async function flood(
  transport: Transport,
  port: number,
  durationMs: number,
  size: number,
  options: EndpointOptions = {},
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const data = new Uint8Array(size).fill(0x42);
  const perTurn = Math.max(1, Math.min(MESSAGES_PER_TURN, Math.floor(OCTETS_PER_TURN / size)));
  let blocked = false, over = false;
  const pump = (association: AssociationId) => {
    if (blocked || over) return;
    for (let i = 0; i < perTurn; i++) endpoint.execute({ type: "send", association, data, ppid: 0 });
    setImmediate(() => pump(association));
  };
  const endpoint: Endpoint = transport.open({ heartbeatIntervalMs: 0, ...options }, (events) => {
    for (const event of events) {
      if (event.type === "up") {
        const { association } = event;
        setTimeout(() => {
          over = true;
          endpoint.execute({ type: "shutdown", association });
        }, durationMs);
        pump(association);
      } else if (event.type === "blocked") blocked = true;
      else if (event.type === "writable") {
        blocked = false;
        pump(event.association);
      } else if (event.type === "down") {
        if (event.reason === "shutdown") resolve();
        else reject(new Error(`association ended: ${event.reason}`));
      }
    }
  });
  connectTo(endpoint, port);
  await promise;
  await endpoint.close();
}

/** Starts an association to the other process. */
export function connectTo(endpoint: Endpoint, port: number, request: number = 1): void {
  endpoint.execute({ type: "connect", request, addresses: ["127.0.0.1"], port });
}
