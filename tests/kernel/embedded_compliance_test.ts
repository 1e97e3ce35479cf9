/** The transport contract between two hosts: the embedded stack here, kernel SCTP in the guest. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { testTransport } from "../transport/compliance.ts";
import { GUEST_UDP_PORT, NETWORKS } from "./peer_network.ts";
import { RemoteGuest, RemoteTransport } from "./remote_guest.ts";

const HOST = [NETWORKS[0].host[0], NETWORKS[1].host[0]] as const;
const GUEST = [NETWORKS[0].guest[0], NETWORKS[1].guest[0]] as const;

let guest: RemoteGuest;

/** The guest's transport, with a connection of its own that ends with it. */
function openRemote(): RemoteTransport {
  guest = new RemoteGuest();
  return guest.transport("closes the connection");
}

const common = { settled: () => guest.settled(), foreignAddress: "192.0.2.1", reconfiguration: true };

testTransport({
  ...common,
  name: "embedded raw to kernel",
  open: (side) => side === "client" ? openEmbeddedTransport({ raw: "on" }) : openRemote(),
  addresses: GUEST,
  clientAddresses: HOST,
  remote: "server",
});

testTransport({
  ...common,
  name: "kernel to embedded raw",
  open: (side) => side === "server" ? openEmbeddedTransport({ raw: "on" }) : openRemote(),
  addresses: HOST,
  clientAddresses: GUEST,
  remote: "client",
  encapsulationPort: 0,
  hearsUnreachable: false, // on raw IP others may have the port: the embedded stack does not answer for them
});

testTransport({
  ...common,
  name: "embedded UDP to kernel",
  open: (side) => side === "client" ? openEmbeddedTransport({ raw: "off" }) : openRemote(),
  addresses: GUEST,
  clientAddresses: HOST,
  remote: "server",
  encapsulationPort: GUEST_UDP_PORT,
});
