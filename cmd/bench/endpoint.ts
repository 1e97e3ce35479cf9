/** Opens the endpoints of `rsp bench`. */
import type { Endpoint, EndpointOptions, EventHandler, Transport } from "../../protocol/net.ts";
import type { BenchOptionValues } from "./options.ts";

/** As many as a peer may ask to be sent on, unless -streams says more. */
const STREAMS = 64;

/**
 * Opens an endpoint with the settings of the command line.
 *
 * @throws an error with `code` and a message for people
 */
export function openBenchEndpoint(
  transport: Transport,
  options: BenchOptionValues,
  own: Pick<EndpointOptions, "port" | "listen" | "addresses">,
  onEvents: EventHandler,
): Endpoint {
  const { streams, sendbuffer, receivebuffer, sackfrequency, sackdelay, rtomin, nodelay } = options;
  const endpoint = transport.open({
    ...own,
    outboundStreams: Math.max(STREAMS, streams),
    ...(sendbuffer === undefined ? {} : { sendBuffer: sendbuffer }),
    ...(receivebuffer === undefined ? {} : { receiveBuffer: receivebuffer }),
    ...(sackfrequency === undefined ? {} : { sackFrequency: sackfrequency }),
    ...(sackdelay === undefined ? {} : { sackDelayMs: sackdelay }),
    ...(rtomin === undefined ? {} : { rto: { minMs: rtomin } }),
  }, onEvents);
  if (nodelay !== undefined) endpoint.setOption("nodelay", { value: nodelay });
  return endpoint;
}
