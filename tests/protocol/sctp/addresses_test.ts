import assert from "node:assert/strict";
import { addressesForPeer, sourceAddress, usablePeerAddresses } from "../../../protocol/sctp/addresses.ts";

const LOCAL = [
  "127.0.0.1",
  "::1",
  "10.1.0.2",
  "192.0.2.2",
  "fd00::2",
  "2001:db8::2",
  "fe80::1%2",
  "169.254.3.3",
];

const LISTED: readonly { readonly peers: string[]; readonly listed: string[] }[] = [
  { peers: ["127.0.0.1"], listed: ["127.0.0.1", "::1", "10.1.0.2", "192.0.2.2", "fd00::2", "2001:db8::2"] },
  { peers: ["::1"], listed: ["127.0.0.1", "::1", "10.1.0.2", "192.0.2.2", "fd00::2", "2001:db8::2"] },
  { peers: ["10.1.0.1"], listed: ["10.1.0.2", "192.0.2.2", "fd00::2", "2001:db8::2"] },
  { peers: ["198.51.100.1"], listed: ["192.0.2.2", "fd00::2", "2001:db8::2"] },
  { peers: ["198.51.100.1", "10.1.0.1"], listed: ["10.1.0.2", "192.0.2.2", "fd00::2", "2001:db8::2"] },
  { peers: ["2001:db8::1"], listed: ["10.1.0.2", "192.0.2.2", "fd00::2", "2001:db8::2"] },
];

for (const { peers, listed } of LISTED) {
  Deno.test(`addressesForPeer() lists what ${peers.join(" and ")} can use`, () => {
    assert.deepEqual(addressesForPeer(LOCAL, peers), listed);
  });
}

Deno.test("usablePeerAddresses() begins with the source and believes no foreign loopback address", () => {
  const listed = ["127.0.0.1", "10.1.0.1", "10.7.0.1", "fe80::7", "224.0.0.1", "fd00::1"];
  assert.deepEqual(usablePeerAddresses("10.1.0.1", listed, LOCAL), ["10.1.0.1", "10.7.0.1", "fd00::1"]);
  assert.deepEqual(usablePeerAddresses("10.1.0.1", listed, ["10.1.0.2"]), ["10.1.0.1", "10.7.0.1"]);
  assert.deepEqual(usablePeerAddresses("127.0.0.1", ["::1"], LOCAL), ["127.0.0.1", "::1"]);
});

Deno.test("sourceAddress() keeps to the addresses that the endpoint is bound to", () => {
  assert.equal(sourceAddress("10.1.0.2", "10.1.0.1", []), "10.1.0.2");
  assert.equal(sourceAddress("10.1.0.2", "10.1.0.1", ["fd00::2", "192.0.2.2"]), "192.0.2.2");
  assert.equal(sourceAddress("10.1.0.2", "10.1.0.1", ["fd00::2"]), undefined);
});
