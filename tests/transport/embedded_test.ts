/** The transport contract on the embedded stack: over UDP, over raw IP where that is allowed, and by node:dgram. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { isIpv4 } from "../../protocol/net.ts";
import { testTransport } from "./compliance.ts";

/** An address of this host on a network, beside the loopback one; a machine without network has none. */
const ownAddresses = Deno.networkInterfaces()
  .map(({ address }) => address)
  .filter((address) => isIpv4(address) && !address.startsWith("127."));
const IPV4 = {
  addresses: ["127.0.0.1", ...ownAddresses.slice(0, 1)] as [string] | [string, string],
  foreignAddress: "192.0.2.1",
  reconfiguration: true,
};
/** Raw sockets need privilege; as root they are there. */
const rawAllowed = Deno.build.os === "linux" && Deno.uid() === 0;

testTransport({ name: "embedded UDP", open: () => openEmbeddedTransport({ raw: "off" }), ...IPV4 });

testTransport({
  name: "embedded raw",
  open: () => openEmbeddedTransport({ raw: "on" }),
  ignore: !rawAllowed,
  ...IPV4,
});

testTransport({
  name: "embedded portable",
  open: () => openEmbeddedTransport({ raw: "off", portable: true }),
  hearsUnreachable: false,
  ...IPV4,
});
