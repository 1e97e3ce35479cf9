/**
 * The embedded stack on the host against kernel SCTP in the guest: raw and over UDP, set up from either side, over one
 * network and over two. Run by `scripts/kernel-lab test embedded`, in the namespace that has the tap devices.
 */
import assert from "node:assert/strict";
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { AssociationUp, EndpointOptions } from "../../protocol/net.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import { assertSameOctets, pattern, Peer } from "../transport/peer.ts";
import { PATIENT } from "./host_and_guest.ts";
import {
  GUEST_PORT,
  GUEST_UDP_PORT,
  type GuestCommand,
  type GuestReport,
  LENGTHS,
  NETWORKS,
  PPID_CONTROL,
  PPID_ECHO,
} from "./peer_network.ts";

const HOST = NETWORKS.flatMap(({ host }) => host), GUEST = NETWORKS.flatMap(({ guest }) => guest);

interface Carrier {
  readonly name: string;
  readonly raw: "on" | "off";
  readonly kernelPort: number;
}

const CARRIERS: readonly Carrier[] = [
  { name: "raw", raw: "on", kernelPort: 0 },
  { name: "UDP", raw: "off", kernelPort: GUEST_UDP_PORT },
];

/** An embedded endpoint and its association with the guest's, for the time of a test. */
async function withGuest(
  carrier: Carrier,
  options: EndpointOptions & { to: readonly string[] },
  body: (peer: Peer, up: AssociationUp) => Promise<void>,
): Promise<void> {
  const transport = openEmbeddedTransport({ raw: carrier.raw });
  try {
    const common = { listen: true, heartbeatIntervalMs: 300, associationMaxRetransmissions: PATIENT };
    const peer = new Peer(transport, { ...common, ...options });
    await body(peer, await peer.up(peer.connect(options.to, GUEST_PORT, carrier.kernelPort)));
  } finally {
    await transport.close();
  }
}

/** Options of an association that sends no HEARTBEAT of its own. */
const QUIET = { heartbeatIntervalMs: 0 } as const;

/**
 * Options of an association that the kernel is to end: what meets it afterwards, be it the answer to one of its own
 * HEARTBEATs, is answered with an ABORT without a cause. On another path that could overtake what the kernel says of the end.
 */
function onOnePath(host: string): EndpointOptions {
  return { ...QUIET, addresses: [host] };
}

/** Waits until the paths besides the first are confirmed, too. After that, {@linkcode QUIET} lets no HEARTBEAT go out. */
async function allConfirmed(peer: Peer, { peerAddresses }: AssociationUp, first: string): Promise<void> {
  assert.ok(peerAddresses.length > 1 && peerAddresses.includes(first));
  for (const address of peerAddresses.filter((other) => other !== first)) {
    await peer.next("path", (event) => event.address === address && event.change === "confirmed");
  }
}

function ask(peer: Peer, up: AssociationUp, command: GuestCommand): void {
  peer.send(up.association, new TextEncoder().encode(JSON.stringify(command)), PPID_CONTROL);
}

async function echo(peer: Peer, up: AssociationUp, lengths: readonly number[]): Promise<void> {
  for (const [i, length] of lengths.entries()) {
    peer.send(up.association, pattern(length, i), PPID_ECHO, i % 10);
  }
  const open = new Set(lengths.keys());
  while (open.size > 0) {
    const { data, ppid, stream } = await peer.next("message", (event) => event.ppid === PPID_ECHO);
    const i = lengths.indexOf(data.length);
    assert.ok(open.delete(i), `a message of ${data.length} octets came back twice`);
    assert.deepEqual([ppid, stream], [PPID_ECHO, i % 10]);
    assertSameOctets(data, pattern(data.length, i));
  }
}

for (const carrier of CARRIERS) {
  const test = (name: string, body: () => Promise<void>) =>
    Deno.test(`embedded and kernel, ${carrier.name}: ${name}`, body);

  for (const [kind, address] of [["IPv4", GUEST[0]!], ["IPv6", GUEST[1]!]] as const) {
    test(`embedded connects, messages go both ways, embedded shuts down (${kind})`, () =>
      withGuest(carrier, { to: [address] }, async (peer, up) => {
        await echo(peer, up, LENGTHS);
        peer.execute({ type: "shutdown", association: up.association });
        assert.equal((await peer.down(up.association)).reason, "shutdown");
      }));
  }

  test("kernel connects, messages go both ways, kernel shuts down", () =>
    withGuest(carrier, { to: [GUEST[0]!], ...QUIET }, async (peer, up) => {
      peer.onEvent = (event) => {
        if (event.type !== "message" || event.ppid !== PPID_ECHO) return;
        queueMicrotask(() => peer.send(event.association, event.data, PPID_ECHO, event.stream));
      };
      const { port } = peer.endpoint;
      ask(peer, up, {
        type: "connect",
        addresses: [HOST[0]!, HOST[2]!],
        port,
        encapsulationPort: carrier.raw === "on" ? 0 : encapsulationPort(port),
        lengths: LENGTHS,
      });
      const accepted = await peer.next("up");
      const answer = await peer.next("message", (event) => event.ppid === PPID_CONTROL);
      const report: GuestReport = JSON.parse(new TextDecoder().decode(answer.data));
      assert.deepEqual(report.errors, []);
      assert.deepEqual(new Set(report.peerAddresses), new Set(HOST));
      const down = await peer.down(accepted.association);
      assert.deepEqual([down.reason, down.origin], ["shutdown", "peer"]);
    }));

  test("kernel aborts with a reason", () =>
    withGuest(carrier, { to: [GUEST[0]!], ...onOnePath(HOST[0]!) }, async (peer, up) => {
      await allConfirmed(peer, up, GUEST[0]!);
      ask(peer, up, { type: "abort", reason: "enough of it" });
      const down = await peer.down(up.association);
      assert.deepEqual([down.reason, down.origin, down.cause?.code], ["aborted", "peer", 12]);
      assert.equal(new TextDecoder().decode(down.cause?.info), "enough of it");
    }));

  test("kernel shuts an association down that the embedded stack set up", () =>
    withGuest(carrier, { to: [GUEST[1]!], ...onOnePath(HOST[1]!) }, async (peer, up) => {
      await allConfirmed(peer, up, GUEST[1]!);
      ask(peer, up, { type: "shutdown" });
      const down = await peer.down(up.association);
      assert.deepEqual([down.reason, down.origin], ["shutdown", "peer"]);
    }));

  test("the kernel refuses a port that nobody has", async () => {
    const transport = openEmbeddedTransport({ raw: carrier.raw });
    try {
      const peer = new Peer(transport, {});
      const request = peer.connect([GUEST[0]!], GUEST_PORT + 1, carrier.kernelPort);
      assert.equal((await peer.next("down", (event) => event.request === request)).reason, "refused");
    } finally {
      await transport.close();
    }
  });

  test("four paths are confirmed, and any can be the primary one", () =>
    withGuest(carrier, { to: [GUEST[0]!] }, async (peer, up) => {
      assert.deepEqual(new Set(up.peerAddresses), new Set(GUEST));
      await allConfirmed(peer, up, GUEST[0]!);
      for (const address of GUEST) {
        peer.execute({ type: "setPrimary", association: up.association, address });
        await echo(peer, up, [100, 20_000]);
        const primary = peer.endpoint.status(up.association)?.paths.filter((path) => path.primary);
        assert.deepEqual(primary?.map((path) => path.address), [address]);
      }
    }));

  test("a pulled cable costs no message", async () => {
    try {
      await withGuest(carrier, {
        to: [GUEST[0]!],
        pathMaxRetransmissions: 1,
        rto: { initialMs: 300, minMs: 300, maxMs: 1000 },
      }, async (peer, up) => {
        const other = GUEST[2]!;
        await peer.next("path", (event) => event.address === other && event.change === "confirmed");
        await setLink("down");
        await echo(peer, up, [50, 3000, 100_000]);
        await peer.next("path", (event) => event.address === GUEST[0] && event.change === "unreachable");
        await setLink("up");
        await peer.next("path", (event) => event.address === GUEST[0] && event.change === "available");
        await echo(peer, up, [60, 4000]);
      });
    } finally {
      await setLink("up");
    }
  });
}

Deno.test("embedded and kernel: the guest's peer is told to quit", () =>
  withGuest(CARRIERS[0]!, { to: [GUEST[0]!], ...onOnePath(HOST[0]!) }, async (peer, up) => {
    await allConfirmed(peer, up, GUEST[0]!);
    ask(peer, up, { type: "quit" });
    assert.equal((await peer.down(up.association)).reason, "shutdown");
  }));

/** The cable between the host and the first network's switch. */
async function setLink(state: "up" | "down"): Promise<void> {
  const words = state === "up" ? ["master", "br0"] : ["nomaster"];
  const { success } = await new Deno.Command("ip", { args: ["link", "set", "cable0", ...words] }).output();
  assert.ok(success);
}
