import assert from "node:assert/strict";
import {
  encodeSockaddr,
  encodeSockaddrs,
  readIpv6,
  readSockaddr,
  sockaddrBytes,
  writeSockaddr,
} from "../../ffi/sockaddr.ts";
import { formatIpAddress } from "../../protocol/net.ts";
import { fc } from "../properties.ts";

const CASES = [
  { name: "IPv4", address: "10.1.0.1", port: 3863, hex: "02000f170a0100010000000000000000" },
  {
    name: "IPv6",
    address: "fd01::1",
    port: 9901,
    hex: "0a0026ad00000000fd01000000000000000000000000000100000000",
  },
  {
    name: "link-local IPv6 with a zone",
    address: "fe80::1%2",
    port: 1,
    hex: "0a00000100000000fe80000000000000000000000000000102000000",
  },
];

for (const { name, address, port, hex } of CASES) {
  Deno.test(`encodeSockaddr() and readSockaddr() agree with the kernel's layout: ${name}`, () => {
    const octets = encodeSockaddr({ address, port });
    assert.equal(octets.toHex(), hex);
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    assert.deepEqual(readSockaddr(view, 0), { address, port });
    assert.equal(sockaddrBytes(view, 0), octets.length);
  });
}

Deno.test("encodeSockaddr() maps IPv4 for a socket of the other family, and readSockaddr() undoes it", () => {
  const octets = encodeSockaddr({ address: "192.0.2.7", port: 7 }, true);
  assert.equal(octets.toHex(), "0a0000070000000000000000000000000000ffffc000020700000000");
  const view = new DataView(octets.buffer);
  assert.deepEqual(readSockaddr(view, 0), { address: "192.0.2.7", port: 7 });
});

Deno.test("encodeSockaddrs() packs addresses of both families back to back", () => {
  const octets = encodeSockaddrs([{ address: "10.0.0.1", port: 5 }, { address: "::1", port: 5 }]);
  assert.equal(octets.length, 16 + 28);
  const view = new DataView(octets.buffer);
  assert.equal(readSockaddr(view, 0)?.address, "10.0.0.1");
  assert.equal(readSockaddr(view, 16)?.address, "::1");
});

Deno.test("readSockaddr() says undefined of a family it does not know", () => {
  assert.equal(readSockaddr(new DataView(new ArrayBuffer(28)), 0), undefined);
});

Deno.test("writeSockaddr() refuses what is not an address", () => {
  assert.throws(() => writeSockaddr(new DataView(new ArrayBuffer(28)), 0, "localhost", 1), RangeError);
});

Deno.test("readIpv6() gives the address asked for however the cache is used", () => {
  const view = new DataView(new ArrayBuffer(16));
  const octets = new Uint8Array(view.buffer);
  fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
    octets.set(random);
    octets[0] = 0x20; // neither link-local nor IPv4-mapped
    const first = readIpv6(view, 0, 3);
    assert.equal(first, formatIpAddress(octets));
    assert.equal(readIpv6(view, 0, 4), first);
  }));
});
