/** An association between the embedded stack here and kernel SCTP in the guest, of which a test drives both ends. */
import assert from "node:assert/strict";
import { type EmbeddedTransport, openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { AssociationUp, EndpointOptions } from "../../protocol/net.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import { jitter } from "../jitter.ts";
import { Peer } from "../transport/peer.ts";
import { GUEST_UDP_PORT, NETWORKS } from "./peer_network.ts";
import { type RemoteEndpoint, RemoteGuest } from "./remote_guest.ts";

/** All addresses, by host; the first of each is IPv4 on the first network. */
export const HOST: readonly string[] = NETWORKS.flatMap(({ host }) => host);
export const GUEST: readonly string[] = NETWORKS.flatMap(({ guest }) => guest);

/**
 * So often nobody answers before an association is given up. Four paths with HEARTBEATs in short intervals come to the usual
 * ten in some seconds, and a side may be stopped for so long.
 */
export const PATIENT = 100;

/** Both ends of a test. */
export interface HostAndGuest {
  readonly transport: EmbeddedTransport;
  readonly guest: RemoteGuest;
  readonly embedded: Peer;
  readonly kernel: Peer;
  /** What the kernel's endpoint is asked that needs an answer. */
  readonly remote: RemoteEndpoint;
  /** The association as either side sees it. */
  readonly atEmbedded: AssociationUp;
  readonly atKernel: AssociationUp;
}

export interface HostAndGuestOptions {
  readonly carrier?: "raw" | "UDP";
  /** Which side sets the association up. Default: the embedded stack. */
  readonly from?: "embedded" | "kernel";
  readonly both?: EndpointOptions;
  readonly embedded?: EndpointOptions;
  readonly kernel?: EndpointOptions;
  /** `net.sctp.*` of the guest for the time of the test. */
  readonly settings?: Readonly<Record<string, number>>;
  /** Before the association is set up. */
  readonly prepare?: (ends: { embedded: Peer; kernel: Peer }) => void;
}

/** Sets an association up, runs a test, and closes everything. */
export async function withHostAndGuest(
  options: HostAndGuestOptions,
  body: (pair: HostAndGuest) => Promise<void>,
): Promise<void> {
  const { carrier = "raw", from = "embedded", both, settings = {} } = options;
  await using guest = new RemoteGuest();
  for (const [name, value] of Object.entries(settings)) await guest.set(name, value);
  const remoteTransport = guest.transport();
  const transport = openEmbeddedTransport({ raw: carrier === "raw" ? "on" : "off" });
  try {
    const common = {
      listen: true,
      heartbeatIntervalMs: 300,
      associationMaxRetransmissions: PATIENT,
      ...both,
    };
    const kernel = new Peer(remoteTransport, { ...common, ...options.kernel });
    const embedded = new Peer(transport, { ...common, ...options.embedded });
    options.prepare?.({ embedded, kernel });
    await guest.settled();
    const [client, server] = from === "embedded" ? [embedded, kernel] : [kernel, embedded];
    const address = (from === "embedded" ? options.kernel : options.embedded)?.addresses?.[0] ??
      (from === "embedded" ? GUEST : HOST)[0]!;
    const up = await client.up(
      client.connect([address], server.endpoint.port, udpPort(carrier, from, embedded)),
    );
    const accepted = await server.next("up");
    const [atEmbedded, atKernel] = from === "embedded" ? [up, accepted] : [accepted, up];
    const remote = kernel.endpoint as RemoteEndpoint;
    await body({ transport, guest, embedded, kernel, remote, atEmbedded, atKernel });
  } finally {
    await Promise.all([transport.close(), remoteTransport.close()]);
  }
}

function udpPort(carrier: "raw" | "UDP", from: "embedded" | "kernel", embedded: Peer): number {
  if (carrier === "raw") return 0;
  return from === "embedded" ? GUEST_UDP_PORT : encapsulationPort(embedded.endpoint.port);
}

/** Pulls the cable between the host and the first network's switch, or puts it back. */
export async function setCable(state: "in" | "out"): Promise<void> {
  const words = state === "in" ? ["master", "br0"] : ["nomaster"];
  const { success } = await new Deno.Command("ip", { args: ["link", "set", "cable0", ...words] }).output();
  assert.ok(success);
  await jitter();
}
