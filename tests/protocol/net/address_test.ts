import assert from "node:assert/strict";
import net from "node:net";
import {
  addressScope,
  formatIpAddress,
  formatTransportAddress,
  ipAddressOctets,
  isWildcard,
  parseIpAddress,
  scopeRank,
} from "../../../protocol/net.ts";
import { fc } from "../../properties.ts";

Deno.test("parseIpAddress() gives canonical text (RFC 5952)", () => {
  const table: [string, string | undefined][] = [
    ["10.1.0.1", "10.1.0.1"],
    ["::", "::"],
    ["::1", "::1"],
    ["FD01:0:0:0:0:0:0:1", "fd01::1"],
    ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["::ffff:10.1.0.1", "10.1.0.1"],
    ["64:ff9b::10.1.0.1", "64:ff9b::a01:1"],
    ["fe80::1%2", "fe80::1%2"],
    ["FE80::1%12", "fe80::1%12"],
    ["fe80::1%eth0", undefined],
    ["fe80::1%0", undefined],
    ["fe80::1%", undefined],
    ["fe80::1%4294967297", undefined],
    ["fd00::1%2", undefined],
    ["10.1.0.2%x", undefined],
    ["10.1.0.2%2", undefined],
    ["::ffff:10.1.0.1%2", undefined],
    ["1::", "1::"],
    ["10.1.0", undefined],
    ["10.1.0.256", undefined],
    ["10.1.0.1.2", undefined],
    [":::", undefined],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8::", undefined],
    ["12345::", undefined],
    ["g::", undefined],
    ["", undefined],
  ];
  for (const [text, canonical] of table) assert.equal(parseIpAddress(text), canonical, text);
});

Deno.test("formatIpAddress() and ipAddressOctets() invert each other", () => {
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  fc.assert(fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
    const octets = Uint8Array.from(groups.flatMap((word) => [word >> 8, word & 255]));
    const text = formatIpAddress(octets);
    assert.ok(net.isIP(text) !== 0, text);
    const back = ipAddressOctets(text)!;
    assert.deepEqual(back, back.length === 4 ? octets.subarray(12) : octets);
    assert.equal(parseIpAddress(text), text);
  }));
});

Deno.test("parseIpAddress() takes what node:net takes, and nothing else", () => {
  const soup = fc.string({ unit: fc.constantFrom(..."0123456789abcf:.".split("")), maxLength: 24 });
  fc.assert(
    fc.property(soup, (text) => {
      // Numbers between dots may begin with zeros here; groups between colons have four digits at most.
      const plain = text.includes(".") ? text.replaceAll(/\b0+(?=\d+(\.|$))/g, "") : text;
      assert.equal(parseIpAddress(text) !== undefined, net.isIP(plain) !== 0, text);
    }),
    { examples: [["1:2::3"], ["::1.2.3.4"], ["1.2.3.4"], ["::00000"]] },
  );
});

Deno.test("addressScope() knows loopback, link-local, site-local and global addresses", () => {
  const table: [string, string][] = [
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["169.254.1.1", "link-local"],
    ["fe80::1%2", "link-local"],
    ["10.1.0.1", "site-local"],
    ["172.16.0.1", "site-local"],
    ["172.32.0.1", "global"],
    ["192.168.1.1", "site-local"],
    ["fd01::1", "site-local"],
    ["2001:db8::1", "global"],
    ["8.8.8.8", "global"],
  ];
  for (const [address, scope] of table) assert.equal(addressScope(address), scope, address);
  assert.ok(scopeRank("loopback") < scopeRank("link-local") && scopeRank("site-local") < scopeRank("global"));
});

Deno.test("formatTransportAddress() puts IPv6 into brackets", () => {
  assert.equal(formatTransportAddress({ address: "10.1.0.1", port: 3863 }), "10.1.0.1:3863");
  assert.equal(formatTransportAddress({ address: "fd01::1", port: 3863 }), "[fd01::1]:3863");
});

Deno.test("isWildcard() is true of the two unspecified addresses alone", () => {
  const addresses = ["0.0.0.0", "::", "0.0.0.1", "::1", "10.0.0.0"];
  assert.deepEqual(addresses.filter(isWildcard), ["0.0.0.0", "::"]);
});
