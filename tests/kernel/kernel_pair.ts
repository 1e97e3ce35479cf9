/** Two endpoints on kernel SCTP and an association between them, for the time of a test. */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { AssociationUp, EndpointOptions, Transport } from "../../protocol/net.ts";
import { Peer } from "../transport/peer.ts";

export interface Pair {
  readonly transport: Transport;
  readonly server: Peer;
  readonly client: Peer;
  /** The association as the client and as the server see it. */
  readonly atClient: AssociationUp;
  readonly atServer: AssociationUp;
}

export interface PairOptions {
  /** Of both ends. */
  readonly both?: EndpointOptions;
  readonly server?: EndpointOptions;
  readonly client?: EndpointOptions;
}

/** Sets an association up on the loopback, runs a test, and closes everything. */
export async function withPair(
  { both = {}, server: serverOptions = {}, client: clientOptions = {} }: PairOptions,
  body: (pair: Pair) => Promise<void> | void,
): Promise<void> {
  const transport = openKernelTransport();
  try {
    const addresses = ["127.0.0.1"];
    const server = new Peer(transport, { addresses, listen: true, ...both, ...serverOptions });
    const client = new Peer(transport, { addresses, ...both, ...clientOptions });
    const atClient = await client.up(
      client.connect(server.endpoint.addresses.slice(0, 1), server.endpoint.port),
    );
    const atServer = await server.next("up");
    await body({ transport, server, client, atClient, atServer });
  } finally {
    await transport.close();
  }
}
