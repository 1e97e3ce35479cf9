/**
 * The guest's half of the tests of the embedded stack against the kernel's: an endpoint on kernel SCTP that echoes, and
 * does what it is told.
 */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { AssociationId } from "../../protocol/net.ts";
import { assertSameOctets, pattern, Peer } from "../transport/peer.ts";
import { serveRemote } from "./guest_remote.ts";
import { GUEST_PORT, type GuestCommand, type GuestReport, PPID_CONTROL, PPID_ECHO } from "./peer_network.ts";

/** A host that has been silent for so long is gone, and shall not hold up the other groups of tests; in milliseconds. */
const PATIENCE_MS = 120_000;
/** At the end, the host is to hear of a shutdown also where it is stopped for more than the usual two seconds. */
const LINGER_MS = 20_000;

/** Serves until it is told to quit. */
export async function serveHost(onReady: () => void): Promise<void> {
  const transport = openKernelTransport();
  const quit = Promise.withResolvers<void>();
  const peer = new Peer(transport, {
    port: GUEST_PORT,
    listen: true,
    heartbeatIntervalMs: 300,
    associationMaxRetransmissions: 100, // the host may be stopped for some seconds
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onSign = () => {
    clearTimeout(timer);
    timer = setTimeout(quit.resolve, PATIENCE_MS);
  };
  peer.onEvent = (event) => {
    onSign();
    if (event.type !== "message") return;
    const { association, data, ppid, stream, unordered } = event;
    queueMicrotask(() => {
      if (ppid === PPID_ECHO) peer.send(association, data, ppid, stream, unordered);
      else if (ppid === PPID_CONTROL) void obey(association, JSON.parse(new TextDecoder().decode(data)));
    });
  };

  async function obey(association: AssociationId, command: GuestCommand): Promise<void> {
    switch (command.type) {
      case "connect": {
        const report = await connect(command);
        peer.send(association, new TextEncoder().encode(JSON.stringify(report)), PPID_CONTROL);
        break;
      }
      case "abort":
        peer.execute({ type: "abort", association, reason: command.reason });
        break;
      case "shutdown":
        peer.execute({ type: "shutdown", association });
        break;
      case "quit":
        quit.resolve();
    }
  }

  async function connect(command: GuestCommand & { type: "connect" }): Promise<GuestReport> {
    // An answer to its HEARTBEAT behind the end would be answered with an ABORT, on another path maybe before the end.
    const client = new Peer(transport, { heartbeatIntervalMs: 0 });
    const errors: string[] = [];
    let peerAddresses: readonly string[] = [];
    try {
      const up = await client.up(client.connect(command.addresses, command.port, command.encapsulationPort));
      peerAddresses = up.peerAddresses;
      for (const [i, length] of command.lengths.entries()) {
        client.send(up.association, pattern(length, i), PPID_ECHO, i % up.outboundStreams);
      }
      for (let left = command.lengths.length; left > 0; left--) {
        const { data } = await client.message(up.association);
        const i = command.lengths.indexOf(data.length);
        assertSameOctets(data, pattern(data.length, i));
      }
      client.execute({ type: "shutdown", association: up.association });
      const down = await client.down(up.association);
      if (down.reason !== "shutdown") errors.push(`the association ended by "${down.reason}"`);
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
    await client.endpoint.close();
    return { errors, peerAddresses };
  }

  using _remote = serveRemote(onSign);
  onSign();
  onReady();
  await quit.promise;
  clearTimeout(timer);
  await peer.endpoint.close(LINGER_MS);
  await transport.close();
}
