import assert from "node:assert/strict";
import { SctpError } from "../../ffi/errno.ts";
import { leaseLibc } from "../../ffi/libc.ts";
import type { PacketDriver, PacketDriverOptions, PacketHandler } from "../../ffi/packet_driver.ts";
import { openPacketDriver } from "../../ffi/packet_io.ts";
import { openRawSocket, portFilter } from "../../ffi/packet_socket.ts";
import type { PacketError, PacketMeta, PacketTransmit } from "../../protocol/net.ts";

/** UDP ports of this run alone are behind it, none of which an endpoint or the system chooses by itself. */
const UDP = 22_000 + Deno.pid % 100 * 20;

/** Collects what a driver tells and lets a test wait for it. */
class Recorder implements PacketHandler {
  readonly packets: { readonly octets: Uint8Array; readonly meta: PacketMeta }[] = [];
  readonly errors: PacketError[] = [];
  batches = 0;
  readonly #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = [];

  packet(packet: Uint8Array, meta: PacketMeta): void {
    this.packets.push({ octets: packet.slice(), meta });
  }
  error(error: PacketError): void {
    this.errors.push(error);
    this.#check();
  }
  endOfBatch(): void {
    this.batches++;
    this.#check();
  }
  writable(): void {}

  async until(met: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const came = () => `${this.packets.length} packets and ${this.errors.length} errors came`;
    const deadline = setTimeout(() => reject(new Error(`not what was awaited: ${came()}`)), 20_000);
    this.#waiting.push({ met, resolve });
    this.#check();
    try {
      await promise;
    } finally {
      clearTimeout(deadline);
    }
  }
  #check(): void {
    for (const { met, resolve } of this.#waiting) if (met()) resolve();
  }
}

function mayUseRawSockets(): boolean {
  using libc = leaseLibc();
  try {
    libc.symbols.close(openRawSocket(libc.symbols, 2));
    return true;
  } catch {
    return false;
  }
}
const raw = mayUseRawSockets();

/** What is in a packet of these tests, and in no other. */
const FILL = 0xa5;

/** A packet with the ports of a common header; the rest is for nobody to check here. */
function packetOf(sourcePort: number, destinationPort: number, length = 40): Uint8Array {
  const packet = new Uint8Array(length).fill(FILL);
  new DataView(packet.buffer).setUint16(0, sourcePort);
  new DataView(packet.buffer).setUint16(2, destinationPort);
  return packet;
}

function send(driver: PacketDriver, packet: Uint8Array, transmit: Omit<PacketTransmit, "length">): void {
  driver.nextBuffer()!.set(packet);
  driver.commit({ ...transmit, length: packet.length });
  driver.flush();
}

async function withDriver(
  options: PacketDriverOptions,
  run: (driver: PacketDriver, recorder: Recorder) => Promise<void>,
): Promise<void> {
  const recorder = new Recorder();
  const driver = openPacketDriver(recorder, options);
  try {
    await run(driver, recorder);
  } finally {
    await driver.close();
  }
}

for (
  const [family, source, destination] of [["IPv4", "127.0.0.2", "127.0.0.3"], ["IPv6", "::1", "::1"]] as const
) {
  Deno.test(`UDP over ${family}: a packet comes with its addresses and the sender's UDP port`, () =>
    withDriver({ raw: "off" }, async (driver, recorder) => {
      driver.openPort(21001, [UDP + 1]);
      driver.openPort(21002, [UDP + 2]);
      const packet = packetOf(21001, 21002);
      send(driver, packet, { source, destination, udpPort: UDP + 2, localPort: 21001 });
      await recorder.until(() => recorder.packets.length === 1);
      assert.deepEqual(recorder.packets[0]!.octets, packet);
      assert.deepEqual(recorder.packets[0]!.meta, {
        source,
        destination,
        udpPort: UDP + 1,
        localUdpPort: UDP + 2,
      });
    }));

  Deno.test({
    name: `raw over ${family}: a packet comes without IP header, once, and only to an open port`,
    ignore: !raw,
    fn: () =>
      withDriver({ raw: "on" }, async (driver, recorder) => {
        driver.openPort(21003, [UDP + 3]);
        const packet = packetOf(21004, 21003);
        const to = { source, destination, udpPort: 0, localPort: 21003 };
        send(driver, packetOf(21003, 21009), to); // nobody's port: the filter keeps it out
        send(driver, packet, to);
        // Until it has its filter, a raw socket hears of the SCTP of all other programs of this host, too.
        const own = () =>
          recorder.packets.filter(({ octets }) => octets.subarray(4).every((octet) => octet === FILL));
        await recorder.until(() => own().length > 0);
        assert.deepEqual(own(), [{
          octets: packet,
          meta: { source, destination, udpPort: 0, localUdpPort: 0 },
        }]);
      }),
  });

  Deno.test(`UDP over ${family}: port unreachable is told with the destination, and later packets still go`, () =>
    withDriver({ raw: "off" }, async (driver, recorder) => {
      driver.openPort(21001, [UDP + 1]);
      driver.openPort(21002, [UDP + 2]);
      const dead = { source: undefined, destination, udpPort: UDP + 5, localPort: 21001 };
      send(driver, packetOf(21001, 21005, 64), dead);
      await recorder.until(() => recorder.errors.length === 1);
      const error = recorder.errors[0]!;
      assert.equal(error.kind, "port-unreachable");
      assert.equal(error.destination, destination);
      assert.equal(error.udpPort, UDP + 5);
      assert.equal(error.localPort, 21001);
      assert.deepEqual(error.packet.subarray(0, 4), packetOf(21001, 21005).subarray(0, 4));
      for (let i = 0; i < 4; i++) send(driver, packetOf(21001, 21005), dead); // each leaves an error on the socket
      send(driver, packetOf(21001, 21002), { ...dead, udpPort: UDP + 2 });
      await recorder.until(() => recorder.packets.length === 1);
      assert.equal(recorder.packets[0]!.meta.udpPort, UDP + 1);
    }));
}

Deno.test("a burst of more packets than there are slots arrives whole and in order", () =>
  withDriver({ raw: "off" }, async (driver, recorder) => {
    driver.openPort(21001, [UDP + 1]);
    driver.openPort(21002, [UDP + 2]);
    for (let i = 0; i < 100; i++) {
      const packet = packetOf(21001, 21002, 1400);
      packet[20] = i;
      driver.nextBuffer()!.set(packet);
      driver.commit({
        source: "127.0.0.1",
        destination: "127.0.0.1",
        udpPort: UDP + 2,
        localPort: 21001,
        length: 1400,
      });
    }
    driver.flush();
    await recorder.until(() => recorder.packets.length === 100);
    assert.deepEqual(recorder.packets.map(({ octets }) => octets[20]), [...Array(100).keys()]);
    assert.ok(recorder.batches < 50, `${recorder.batches} batches`);
  }));

Deno.test("the longest packet goes over loopback", () =>
  withDriver({ raw: "off" }, async (driver, recorder) => {
    driver.openPort(21001, [UDP + 1]);
    const length = driver.route("127.0.0.1")!.mtu - 28;
    const to = { source: undefined, destination: "127.0.0.1", udpPort: UDP + 1, localPort: 21001 };
    send(driver, packetOf(21001, 21001, length), to);
    await recorder.until(() => recorder.packets.length === 1);
    assert.equal(recorder.packets[0]!.octets.length, length);
  }));

Deno.test("openPort() says EADDRINUSE for people when another socket has the UDP port, and opens nothing", () =>
  withDriver({ raw: "off" }, async (first) => {
    first.openPort(21001, [UDP + 1]);
    await withDriver({ raw: "off" }, (second) => {
      assert.throws(() => second.openPort(21001, [UDP + 1]), (error) => {
        assert.ok(error instanceof SctpError);
        assert.equal(error.code, "EADDRINUSE");
        assert.match(error.message, new RegExp(`SCTP port 21001.*UDP port ${UDP + 1}`));
        return true;
      });
      assert.throws(() => second.openPort(21002, [UDP + 2, UDP + 1]), SctpError);
      second.openPort(21002, [UDP + 2]); // what the failed attempt had bound is free again
      second.closePort(21002);
      second.closePort(21002);
      return Promise.resolve();
    });
  }));

Deno.test("a closed port can be opened at once again, also by another driver", () =>
  withDriver({}, async (first) => {
    first.openPort(21001, [UDP + 1]);
    first.closePort(21001);
    await withDriver({}, (second) => {
      second.openPort(21001, [UDP + 1]);
      assert.throws(() => first.openPort(21001, [UDP + 1]), SctpError);
      return Promise.resolve();
    });
  }));

Deno.test("route() gives the source address and the MTU of loopback", () =>
  withDriver({ raw: "off" }, (driver) => {
    assert.deepEqual(driver.route("127.0.0.1"), { source: "127.0.0.1", mtu: 65535 });
    assert.deepEqual(driver.route("127.9.9.9"), { source: "127.0.0.1", mtu: 65535 });
    assert.equal(driver.route("::1")?.source, "::1");
    return Promise.resolve();
  }));

Deno.test("localAddresses() has the loopback addresses", () =>
  withDriver({ raw: "off" }, (driver) => {
    assert.ok(driver.localAddresses().includes("127.0.0.1"));
    return Promise.resolve();
  }));

Deno.test("hasAddress() knows all of loopback's network, which no interface shows, and no broadcast address", () =>
  withDriver({ raw: "off" }, (driver) => {
    const asked = ["127.0.0.1", "127.0.1.1", "::1", "127.255.255.255", "192.0.2.250", "2001:db8::250"];
    assert.deepEqual(asked.filter((address) => driver.hasAddress(address)), asked.slice(0, 3));
    return Promise.resolve();
  }));

Deno.test("a driver that is closed while packets wait closes cleanly", async () => {
  const recorder = new Recorder();
  const driver = openPacketDriver(recorder, { raw: "off" });
  driver.openPort(21001, [UDP + 1]);
  driver.nextBuffer()!.set(packetOf(21001, 21001));
  driver.commit({
    source: undefined,
    destination: "127.0.0.1",
    udpPort: UDP + 1,
    localPort: 21001,
    length: 40,
  });
  driver.closePort(21001);
  driver.flush();
  await driver.close();
  await driver.close();
  assert.equal(driver.route("127.0.0.1"), undefined);
  assert.equal(recorder.packets.length, 0);
});

Deno.test("portFilter() jumps from every port to the last instruction", () => {
  const filter = portFilter(2, [10, 20]);
  const instructions = Array.from(
    { length: filter.length / 8 },
    (_, i) => filter.subarray(i * 8, i * 8 + 8).toHex(),
  );
  assert.deepEqual(instructions, [
    "b100000000000000",
    "4800000002000000",
    "150002000a000000",
    "1500010014000000",
    "0600000000000000",
    "0600000000000400",
  ]);
});

Deno.test("portFilter() lets everything in when there are more ports than a jump can reach", () => {
  const ports = Array.from({ length: 251 }, (_, i) => 20_000 + i);
  assert.equal(portFilter(10, ports.slice(1)).length / 8, 1 + 250 + 2);
  assert.equal(portFilter(10, ports).toHex(), "28000000020000000600000000000400");
});

Deno.test("a packet from an address that is not this host's is dropped, and does not stop others", () =>
  withDriver({ raw: "off" }, async (driver, recorder) => {
    driver.openPort(21001, [UDP + 1]);
    const to = { destination: "127.0.0.1", udpPort: UDP + 1, localPort: 21001 };
    send(driver, packetOf(21001, 21001, 50), { ...to, source: "198.51.100.9" });
    send(driver, packetOf(21001, 21001, 60), { ...to, source: undefined });
    await recorder.until(() => recorder.packets.length > 0);
    assert.deepEqual(recorder.packets.map(({ octets }) => octets.length), [60]);
  }));
