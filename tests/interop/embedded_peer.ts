/** The embedded transport as a peer of the interoperation tests; see `peer_protocol.ts`. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { Endpoint, TransportEvent } from "../../protocol/net.ts";
import { messageOf, type PeerTask, readTask, report, sameOctets, streamOf } from "./peer_protocol.ts";

/** Answers what comes and ends when the first association is over. */
function serve(task: PeerTask): void {
  const transport = openEmbeddedTransport({
    raw: task.raw,
    ...(task.udpPort > 0 && { udpPort: task.udpPort }),
  });
  const endpoint: Endpoint = transport.open({ port: task.port, listen: true }, (events) => {
    for (const event of events) {
      if (event.type === "message") {
        const { association, data, stream, ppid } = event;
        endpoint.execute({ type: "send", association, data, stream, ppid });
      }
      reportState(event);
      if (event.type === "down") transport.close();
    }
  });
  report({ type: "ready" });
}

/** Sends one message after the other, each when the one before has come back. */
function ask(task: PeerTask): void {
  const transport = openEmbeddedTransport({ raw: task.raw });
  let next = 0, finished = false;
  const endpoint: Endpoint = transport.open({ port: task.port }, (events) => {
    for (const event of events) {
      reportState(event);
      if (event.type === "down") transport.close();
      else if (event.type === "up") sendNext(event.association);
      else if (event.type === "message") {
        const length = task.sizes[next]!, expected = streamOf(length);
        const same = sameOctets(event.data, messageOf(length)) && event.ppid === expected.ppid &&
          event.stream === expected.stream;
        if (!same) report({ type: "failed", why: `message of ${length} octets came back otherwise` });
        else report({ type: "echoed", length });
        next++;
        sendNext(event.association);
      } else if (event.type === "path" && next === task.sizes.length) sendNext(event.association);
    }
  });
  const sendNext = (association: number) => {
    const length = task.sizes[next];
    if (length === undefined) finish(association);
    else endpoint.execute({ type: "send", association, data: messageOf(length), ...streamOf(length) });
  };
  const finish = (association: number) => {
    const paths = endpoint.status(association)?.paths.filter(({ state }) => state === "active") ?? [];
    if (finished || paths.length < (task.paths ?? 1)) return; // a path event follows
    finished = true;
    const pairs = paths.map(({ localAddress, address }) => `${localAddress} ${address}`).sort();
    report({ type: "paths", pairs, mtus: paths.map(({ mtu }) => mtu) });
    endpoint.execute({ type: "shutdown", association });
  };
  endpoint.execute({
    type: "connect",
    request: 1,
    addresses: task.addresses,
    port: task.peerPort,
    ...(task.encapsulationPort !== undefined && { encapsulationPort: task.encapsulationPort }),
  });
}

function reportState(event: TransportEvent): void {
  if (event.type === "up") report({ type: "up", peerAddresses: event.peerAddresses });
  if (event.type === "down") report({ type: "down", reason: event.reason });
}

if (import.meta.main) {
  const task = readTask();
  if (task.role === "server") serve(task);
  else ask(task);
}
