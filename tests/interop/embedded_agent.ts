/** The embedded transport as an agent of the interoperation tests; see `agent_protocol.ts`. */
import { TextLineStream } from "./text_lines.ts";
import { type EmbeddedTransport, openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type {
  CapturedPacket,
  Endpoint,
  SocketOptionName,
  SocketOptionValue,
  TransportEvent,
} from "../../protocol/net.ts";
import { type EmbeddedOrder, type EmbeddedReport, LATEST, type SeenChunk } from "./agent_protocol.ts";
import { messageOf, PPID, sameOctets } from "./peer_protocol.ts";

interface OpenEndpoint {
  readonly endpoint: Endpoint;
  latest: number;
}

const transports = new Map<boolean, EmbeddedTransport>();
const endpoints = new Map<string, OpenEndpoint>();

function say(report: EmbeddedReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
}

/** What passed by SCTP port, since it was last asked. */
const chunks = new Map<number, SeenChunk[]>();

function note({ direction, sctp }: CapturedPacket): void {
  const view = new DataView(sctp.buffer, sctp.byteOffset, sctp.byteLength);
  const port = view.getUint16(direction === "sent" ? 0 : 2);
  const seen = chunks.get(port) ?? [];
  chunks.set(port, seen);
  for (let at = 12; at + 4 <= sctp.length; at += Math.max(4, view.getUint16(at + 2) + 3 & ~3)) {
    seen.push([direction, view.getUint8(at), view.getUint8(at + 1)]);
  }
}

function transportFor(raw: boolean): EmbeddedTransport {
  let transport = transports.get(raw);
  if (transport === undefined) {
    transport = openEmbeddedTransport({ raw: raw ? "on" : "off" });
    transport.capture(note);
    transports.set(raw, transport);
  }
  return transport;
}

function tell(name: string, event: TransportEvent): void {
  const known = endpoints.get(name);
  if (event.type === "up" && known !== undefined) known.latest = event.association;
  if (event.type !== "message" && event.type !== "sendFailed") {
    say({ type: "event", endpoint: name, event });
    return;
  }
  const { data, ...rest } = event;
  const same = sameOctets(data, messageOf(data.length));
  say({ type: "event", endpoint: name, event: { ...rest, length: data.length, same } });
}

function endpointOf(name: string): OpenEndpoint {
  const known = endpoints.get(name);
  if (known === undefined) throw new Error(`no endpoint ${name}`);
  return known;
}

async function obey(order: EmbeddedOrder): Promise<void> {
  if (order.do === "open") {
    const endpoint = transportFor(order.raw).open(order.options, (events) => {
      for (const event of events) tell(order.endpoint, event);
    });
    endpoints.set(order.endpoint, { endpoint, latest: LATEST });
    return;
  }
  const { endpoint, latest } = endpointOf(order.endpoint);
  switch (order.do) {
    case "execute": {
      const { command } = order;
      endpoint.execute(command.type === "connect" ? command : { ...command, association: latest });
      return;
    }
    case "send":
      endpoint.execute({
        type: "send",
        ppid: PPID,
        ...order.fields,
        association: latest,
        data: messageOf(order.length),
      });
      return;
    case "option":
      endpoint.setOption(
        order.name as SocketOptionName,
        order.value as SocketOptionValue,
        latest === LATEST ? {} : { association: latest },
      );
      return;
    case "addAddress":
      return endpoint.addAddress(order.address);
    case "removeAddress":
      return endpoint.removeAddress(order.address);
    case "setPeerPrimary":
      return endpoint.setPeerPrimary(latest, order.address);
    case "status":
      return say({ type: "status", endpoint: order.endpoint, status: endpoint.status(latest) ?? null });
    case "chunks":
      say({ type: "chunks", endpoint: order.endpoint, chunks: chunks.get(endpoint.port) ?? [] });
      chunks.delete(endpoint.port);
      return;
    case "close":
      await endpoint.close(0);
      endpoints.delete(order.endpoint);
  }
}

if (import.meta.main) {
  for await (
    const line of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
  ) {
    try {
      await obey(JSON.parse(line));
      say({ type: "done" });
    } catch (error) {
      say({ type: "done", problem: String(error) });
    }
  }
  Deno.exit(0);
}
