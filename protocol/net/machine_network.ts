/** The network as a machine sees it: endpoints and datagram channels with names that its driver gave. */
import type { IpAddress, TransportAddress } from "./address.ts";
import type { TransportCommand } from "./command.ts";
import type { TransportEvent } from "./event.ts";

/** Input of a machine from its driver: an event of an endpoint, or a datagram of a channel (announces, presences). */
export type NetworkInput =
  | { readonly type: "transport"; readonly endpoint: string; readonly event: TransportEvent }
  | {
    readonly type: "datagram";
    readonly channel: string;
    readonly source: TransportAddress;
    readonly data: Uint8Array;
  };

/** Input of a machine before its `start`: the driver has opened an endpoint for it. */
export interface EndpointOpened {
  /** Says which input it is. */
  readonly type: "endpointOpened";
  /** The name under which the machine knows the endpoint. */
  readonly endpoint: string;
  /** The port in use, never 0. */
  readonly port: number;
  /** Addresses the endpoint is reached at, loopback and link-local ones included. */
  readonly addresses: readonly IpAddress[];
}

/** What a machine asks of its driver's network. `endpoint` and `channel` are names the machine's driver gave. */
export type NetworkEffect =
  | { readonly type: "transport"; readonly endpoint: string; readonly command: TransportCommand }
  | { readonly type: "datagram"; readonly channel: string; readonly data: Uint8Array };
