/** Sets up the associations of the side that asks. SCTP has one between two endpoints, so each has an endpoint of its own. */
import { formatTransportAddress } from "../../protocol/net.ts";
import type { AssociationUp, Endpoint, IpAddress, Transport, TransportEvent } from "../../protocol/net.ts";
import type { Socket } from "../options.ts";
import { openBenchEndpoint } from "./endpoint.ts";
import type { BenchOptionValues } from "./options.ts";
import { RunFailure } from "./party.ts";

/** How an association did not come up, in words. */
const REFUSALS = {
  refused: "refuses the association: nothing listens there",
  timeout: "does not answer",
  aborted: "aborted the association",
  shutdown: "shut the association down",
} as const;

/** An association that is up, and its endpoint. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly up: AssociationUp;
}

/** What an association is set up with. */
export interface ConnectTask {
  readonly transport: Transport;
  readonly options: BenchOptionValues;
  /** Addresses of this side; none = all. */
  readonly local: readonly IpAddress[];
  readonly peer: Socket;
  /** Aborted: nobody waits for the peer any more. */
  readonly signal: AbortSignal;
}

/**
 * Sets an association up.
 *
 * @param onEvent takes its events, that it is up among them, with the clock in milliseconds
 * @throws {RunFailure} with a sentence for people
 */
export async function connect(
  { transport, options, local, peer, signal }: ConnectTask,
  onEvent: (event: TransportEvent, now: number) => void,
): Promise<Connection> {
  if (signal.aborted) throw new RunFailure("ended before the run has begun");
  const answer = Promise.withResolvers<AssociationUp>();
  const endpoint = openBenchEndpoint(transport, options, { addresses: local }, (events) => {
    const now = performance.now();
    for (const event of events) {
      if (event.type === "up") answer.resolve(event);
      else if (event.type === "down" && event.request !== undefined) {
        answer.reject(new RunFailure(`${showPeer(peer)} ${REFUSALS[event.reason]}`));
      }
      onEvent(event, now);
    }
  });
  const giveUp = () => answer.reject(new RunFailure(`${showPeer(peer)} has not answered yet`));
  signal.addEventListener("abort", giveUp);
  endpoint.execute({ type: "connect", request: 1, addresses: peer.addresses, port: peer.port });
  try {
    return { endpoint, up: await answer.promise };
  } catch (error) {
    await endpoint.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * Sets so many associations up at the same time; all or none.
 *
 * @throws {RunFailure} that of the first one that failed
 */
export async function connectAll<Link extends { readonly endpoint: Endpoint }>(
  count: number,
  connectOne: () => Promise<Link>,
): Promise<Link[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, connectOne));
  const failure = opened.find(({ status }) => status === "rejected");
  const links = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  if (failure?.status !== "rejected") return links;
  await Promise.all(links.map(({ endpoint }) => endpoint.close()));
  throw failure.reason;
}

/** The other side, for people. */
export function showPeer({ addresses, port }: Socket): string {
  return formatTransportAddress({ address: addresses[0]!, port });
}
