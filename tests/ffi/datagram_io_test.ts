import assert from "node:assert/strict";
import dgram from "node:dgram";
import { openDatagramSocket } from "../../ffi/datagram_io.ts";
import { Errno, SctpError } from "../../ffi/errno.ts";
import type { TransportAddress } from "../../protocol/net.ts";
import { within } from "./within.ts";

const ignore = Deno.build.os !== "linux";
const RECEIVE_BUFFER = 1 << 20;

/** Sends datagrams from a socket of their own. */
async function send(to: TransportAddress, ...datagrams: readonly Uint8Array[]): Promise<void> {
  const socket = dgram.createSocket(to.address.includes(":") ? "udp6" : "udp4");
  for (const data of datagrams) {
    await new Promise<void>((resolve, reject) =>
      socket.send(data, to.port, to.address, (error) => error ? reject(error) : resolve())
    );
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

Deno.test({
  name: "openDatagramSocket() hears IPv4 and IPv6, empty datagrams, many and the longest, in order",
  ignore,
  fn: async () => {
    const heard: [string, number, number][] = [];
    const done = Promise.withResolvers<void>();
    const socket = openDatagramSocket({
      at: { address: "::", port: 0 },
      receiveBuffer: RECEIVE_BUFFER,
      onDatagram: ({ address }, data) => {
        heard.push([address, data.length, data.at(-1) ?? -1]);
        if (heard.length === 103) done.resolve();
      },
    });
    try {
      const { port } = socket.at;
      await send(
        { address: "127.0.0.1", port },
        ...Array.from({ length: 100 }, (_, i) => Uint8Array.of(0, i)),
      );
      await send({ address: "127.0.0.1", port }, new Uint8Array(0), new Uint8Array(65_507).fill(7));
      await send({ address: "::1", port }, Uint8Array.of(9));
      await within(20_000, done.promise, "103 datagrams");
    } finally {
      await socket.close();
      await socket.close();
    }
    assert.deepEqual(heard.slice(0, 100), Array.from({ length: 100 }, (_, i) => ["127.0.0.1", 2, i]));
    assert.deepEqual(heard.slice(100), [["127.0.0.1", 0, -1], ["127.0.0.1", 65_507, 7], ["::1", 1, 9]]);
  },
});

Deno.test({
  name: "openDatagramSocket() says when the port is taken",
  ignore,
  fn: async () => {
    const open = (port: number) =>
      openDatagramSocket({
        at: { address: "127.0.0.1", port },
        receiveBuffer: RECEIVE_BUFFER,
        onDatagram: () => {},
      });
    const first = open(0);
    try {
      assert.throws(
        () => open(first.at.port),
        (error) => error instanceof SctpError && error.errno === Errno.EADDRINUSE,
      );
    } finally {
      await first.close();
    }
  },
});
