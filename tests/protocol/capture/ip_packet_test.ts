import assert from "node:assert/strict";
import { type EnclosedPacket, ipPacket } from "../../../protocol/capture/mod.ts";

const PLAIN: EnclosedPacket = {
  source: "10.1.0.1",
  destination: "10.1.0.2",
  sourceUdpPort: 0,
  destinationUdpPort: 0,
  sctp: Uint8Array.of(1, 2, 3),
};
const ENCAPSULATED = { sourceUdpPort: 0x1111, destinationUdpPort: 0x2222 };
const IPV6 = { source: "fd01::1", destination: "fd01::2" };
const IPV6_ADDRESSES = "fd010000000000000000000000000001fd010000000000000000000000000002";

const CASES: readonly { readonly name: string; readonly packet: EnclosedPacket; readonly hex: string }[] = [
  {
    name: "IPv4",
    packet: PLAIN,
    hex: "45000017" + "00004000" + "4084265f" + "0a010001" + "0a010002" + "010203",
  },
  {
    name: "IPv4 and UDP, of odd length",
    packet: { ...PLAIN, ...ENCAPSULATED },
    hex: "4500001f" + "00004000" + "401126ca" + "0a010001" + "0a010002" + "11112222000bb49e" + "010203",
  },
  {
    name: "IPv6",
    packet: { ...PLAIN, ...IPV6 },
    hex: "60000000" + "00038440" + IPV6_ADDRESSES + "010203",
  },
  {
    name: "IPv6 and UDP",
    packet: { ...PLAIN, ...IPV6, ...ENCAPSULATED },
    hex: "60000000" + "000b1140" + IPV6_ADDRESSES + "11112222000bce9c" + "010203",
  },
  {
    name: "an unknown source and a link-local destination with its zone",
    packet: { ...PLAIN, source: undefined, destination: "fe80::1%2" },
    hex: "60000000" + "00038440" + "0".repeat(32) + "fe800000000000000000000000000001" + "010203",
  },
];

for (const { name, packet, hex } of CASES) {
  Deno.test(`ipPacket() makes ${name}`, () => assert.equal(ipPacket(packet).toHex(), hex));
}

Deno.test("ipPacket() writes all ones for a UDP checksum of zero (RFC 768)", () => {
  const packet = { ...PLAIN, ...ENCAPSULATED, sctp: Uint8Array.of(0, 0) };
  const sum = new DataView(ipPacket(packet).buffer).getUint16(26);

  // Data that is the checksum itself makes the sum of all zero.
  const zero = ipPacket({ ...packet, sctp: Uint8Array.of(sum >> 8, sum & 255) });

  assert.equal(new DataView(zero.buffer).getUint16(26), 0xffff);
});
