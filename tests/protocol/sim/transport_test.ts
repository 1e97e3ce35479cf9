import assert from "node:assert/strict";
import type { TransportEvent } from "../../../protocol/net.ts";
import { SimulatedNetwork } from "../../../protocol/sim/network.ts";
import { SimulatedTransport } from "../../../protocol/sim/transport.ts";
import { hmacSha256 } from "./mac.ts";

Deno.test("SimulatedTransport does what a transport does, in virtual time", async () => {
  const network = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  const segment = network.addSegment();
  const here = new SimulatedTransport(network.addHost([segment])), thereHost = network.addHost([segment]);
  const there = new SimulatedTransport(thereHost);
  const events: TransportEvent[] = [];
  there.open({ port: 7000, listen: true }, (some) => events.push(...some));

  const endpoint = here.open({}, (some) => {
    for (const event of some) {
      if (event.type !== "up") continue;
      endpoint.execute({ type: "send", association: event.association, data: Uint8Array.of(1, 2), ppid: 11 });
    }
  });
  endpoint.execute({ type: "connect", request: 1, addresses: thereHost.addresses, port: 7000 });
  network.run(1000);
  const closing = Promise.all([here.close(), there.close()]);
  network.run(10_000);
  await closing;

  assert.equal(here.kind, "simulated");
  assert.deepEqual(events.filter(({ type }) => type !== "path").map(({ type }) => type), [
    "up",
    "message",
    "down",
  ]);
});
