/**
 * Hosts that may send SCTP over IP and hosts that may not: each finds the other, whatever it takes. A program without
 * CAP_NET_RAW speaks SCTP over UDP only; one that has it tries IP first.
 */
import assert from "node:assert/strict";
import { Lab, labIsPossible } from "./lab.ts";
import type { Pc } from "./lab.ts";
import { addressesOf, peerLine, startReceiver } from "./sctp_lab.ts";
import type { SctpPeerTask } from "./sctp_peer.ts";

const possible = await labIsPossible();
const PORT = 5099, ENCAPSULATION_PORT = 15_099;

/**
 * An INIT is sent again so late that it cannot be what found the server: UDP was tried beside IP (250 ms later), or IP was
 * given up. In milliseconds.
 */
const AGAIN_MS = 30_000;

/** Takes the right to raw sockets away, also from root, and from all that it starts. */
const WITHOUT_RAW = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"];

interface Meeting {
  readonly name: string;
  readonly sender: "any" | "udp";
  readonly receiver: "any" | "udp";
  readonly sameHost: boolean;
  /** Another program of the receiver's host has raw sockets: then no ICMP says that nobody takes SCTP over IP. */
  readonly crowded?: boolean;
}

const MEETINGS: readonly Meeting[] = [
  {
    name: "a client with IP finds a UDP-only server on another host",
    sender: "any",
    receiver: "udp",
    sameHost: false,
  },
  {
    name: "a client with IP finds a UDP-only server on another host that has raw sockets",
    sender: "any",
    receiver: "udp",
    sameHost: false,
    crowded: true,
  },
  {
    name: "a client with IP finds a UDP-only server on its own host",
    sender: "any",
    receiver: "udp",
    sameHost: true,
  },
  {
    name: "a UDP-only client finds a server with IP on another host",
    sender: "udp",
    receiver: "any",
    sameHost: false,
  },
  {
    name: "a UDP-only client finds a server with IP on its own host",
    sender: "udp",
    receiver: "any",
    sameHost: true,
  },
  {
    name: "two UDP-only programs find each other on one host",
    sender: "udp",
    receiver: "udp",
    sameHost: true,
  },
  { name: "two programs with IP use it", sender: "any", receiver: "any", sameHost: false },
];

for (const meeting of MEETINGS) {
  Deno.test({ name: meeting.name, ignore: !possible, fn: (t) => meet(t, meeting) });
}

async function meet(
  t: Deno.TestContext,
  { sender, receiver, sameHost, crowded = false }: Meeting,
): Promise<void> {
  await using lab = await Lab.open(sameHost ? 1 : 2);
  const there = lab.pc(sameHost ? 1 : 2);
  if (crowded) await startReceiver(there, { port: PORT + 1 });
  const server = start(there, receiver, { role: "receive", port: PORT });
  await server.says(/ready on port/);
  assert.match(server.output, carrierOf(receiver));

  const client = start(lab.pc(1), sender, {
    role: "send",
    addresses: addressesOf(there),
    peerPort: PORT,
    paths: 4,
    messages: 200,
    intervalMs: 0,
    options: { rto: { initialMs: AGAIN_MS, minMs: 1000, maxMs: 2 * AGAIN_MS } },
  });
  const [, ms] = await client.says(/^up after (\d+) ms$/m);
  assert.match(client.output, carrierOf(sender));
  await t.step(`up after ${ms} ms`, () => assert.ok(Number(ms) < AGAIN_MS));

  const [, encapsulation] = await client.says(/^paths .* encapsulation (\d+)$/m);
  const overIp = sender === "any" && receiver === "any";
  assert.equal(Number(encapsulation), overIp ? 0 : ENCAPSULATION_PORT);
  await server.says(/^received in all 200, wrong 0,/m);
  await client.says(/^down shutdown$/m);
  await server.says(/^down shutdown$/m);
  assert.equal(await client.exitCode(), 0, client.output);
  assert.equal(await server.exitCode(), 0, server.output);
}

function start(pc: Pc, kind: "any" | "udp", task: SctpPeerTask): ReturnType<Pc["start"]> {
  return pc.start(...peerLine(task, kind === "udp" ? WITHOUT_RAW : []));
}

/** What a transport says of itself. */
function carrierOf(kind: "any" | "udp"): RegExp {
  return kind === "any"
    ? /embedded SCTP over IP and UDP/
    : /embedded SCTP over UDP \(plain IP needs root or CAP_NET_RAW\)/;
}
