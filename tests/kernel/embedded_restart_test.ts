/** Restarts and collisions of INIT (RFC 9260 §5.2) between the embedded stack and the kernel's. */
import assert from "node:assert/strict";
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { assertSameOctets, pattern, Peer } from "../transport/peer.ts";
import { GUEST, HOST, setCable, withHostAndGuest } from "./host_and_guest.ts";
import { RemoteEndpoint, RemoteGuest } from "./remote_guest.ts";

/** How often both sides connect at the same moment. */
const COLLISIONS = 10;

Deno.test("embedded and kernel: an embedded peer that comes back without a word is a restart to the kernel", async () => {
  await using guest = new RemoteGuest();
  // One address: what it still sends from another one would be a stranger's to the second life, which answers with an ABORT.
  // No HEARTBEAT for the same reason: the second life may come late.
  const kernel = new Peer(guest.transport(), {
    listen: true,
    addresses: [GUEST[0]!],
    heartbeatIntervalMs: 0,
  });
  await guest.settled();
  const script = `
    import { openEmbeddedTransport } from "${new URL(
    "../../cmd/driver/embedded_transport.ts",
    import.meta.url,
  )}";
    const endpoint = openEmbeddedTransport({ raw: "on" }).open({ port: 21999, addresses: ["${
    HOST[0]
  }"] }, (events) => {
      if (events.some(({ type }) => type === "up")) Deno.kill(Deno.pid, "SIGKILL");
    });
    endpoint.execute({ type: "connect", request: 1, addresses: ["${GUEST[0]}"], port: ${kernel.endpoint.port},
      encapsulationPort: 0 });`;
  await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--no-lock", script],
    stdin: "null",
    signal: AbortSignal.timeout(60_000),
  }).output();
  const { association } = await kernel.next("up");
  const transport = openEmbeddedTransport({ raw: "on" });
  try {
    const again = new Peer(transport, { port: 21_999, addresses: [HOST[0]!] });
    const up = await again.up(again.connect([GUEST[0]!], kernel.endpoint.port, 0));
    assert.equal((await kernel.next("restarted")).association, association);
    again.send(up.association, pattern(5000, 1));
    assertSameOctets((await kernel.message(association)).data, pattern(5000, 1));
    kernel.send(association, pattern(6000, 2));
    assertSameOctets((await again.message(up.association)).data, pattern(6000, 2));
  } finally {
    await transport.close();
  }
});

Deno.test("embedded and kernel: a kernel that has forgotten the association is a restart to the embedded stack", () =>
  withHostAndGuest({
    from: "kernel",
    both: { heartbeatIntervalMs: 0 }, // a HEARTBEAT would learn first that the kernel has forgotten
    embedded: { addresses: [HOST[0]!] },
    kernel: { addresses: [GUEST[0]!] },
  }, async ({ guest, embedded, kernel, atEmbedded, atKernel }) => {
    try {
      await setCable("out"); // its ABORT is lost
      kernel.execute({ type: "abort", association: atKernel.association });
      await kernel.down(atKernel.association);
      await guest.settled();
    } finally {
      await setCable("in");
    }
    const again = await kernel.up(kernel.connect([HOST[0]!], embedded.endpoint.port, 0));
    assert.equal((await embedded.next("restarted")).association, atEmbedded.association);
    kernel.send(again.association, pattern(5000, 3));
    assertSameOctets((await embedded.message(atEmbedded.association)).data, pattern(5000, 3));
    embedded.send(atEmbedded.association, pattern(6000, 4));
    assertSameOctets((await kernel.message(again.association)).data, pattern(6000, 4));
  }));

Deno.test("embedded and kernel: both connect at the same moment, and there is one association", () =>
  withHostAndGuest({ both: { heartbeatIntervalMs: 0 } }, async ({ transport, guest }) => {
    for (let i = 0; i < COLLISIONS; i++) {
      const remote = guest.transport();
      const kernel = new Peer(remote, { listen: true, addresses: [GUEST[0]!] });
      const embedded = new Peer(transport, { listen: true, addresses: [HOST[0]!] });
      await guest.settled();
      kernel.connect([HOST[0]!], embedded.endpoint.port, 0);
      // From none to some of the kernel's packets are here before the embedded stack sends its own.
      for (let turns = 0; turns < i * 3; turns++) await new Promise((resolve) => setImmediate(resolve));
      embedded.connect([GUEST[0]!], kernel.endpoint.port, 0);
      const here = await embedded.next("up"), there = await kernel.next("up");
      embedded.send(here.association, pattern(3000, i));
      assertSameOctets((await kernel.message(there.association)).data, pattern(3000, i));
      kernel.send(there.association, pattern(4000, i));
      assertSameOctets((await embedded.message(here.association)).data, pattern(4000, i));
      const status = embedded.endpoint.status(here.association);
      const peers = await guestStatus(kernel, there.association);
      assert.deepEqual([status?.state, peers?.state], ["established", "established"]);
      assert.ok(!kernel.events.some(({ type }) => type === "restarted" || type === "sendFailed"));
      await Promise.all([embedded.endpoint.close(), kernel.endpoint.close()]);
      assert.deepEqual(
        embedded.events.filter(({ type }) => type === "restarted" || type === "sendFailed").map(({ type }) =>
          type
        ),
        [],
      );
    }
  }));

async function guestStatus(kernel: Peer, association: number) {
  const { endpoint } = kernel;
  assert.ok(endpoint instanceof RemoteEndpoint);
  return await endpoint.statusOf(association);
}
