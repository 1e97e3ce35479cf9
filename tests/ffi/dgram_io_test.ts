import assert from "node:assert/strict";
import { openDgramDriver } from "../../ffi/dgram_io.ts";
import { SctpError } from "../../ffi/errno.ts";
import type { PacketDriver, PacketHandler } from "../../ffi/packet_driver.ts";
import type { PacketMeta } from "../../protocol/net.ts";
import { within } from "./within.ts";

/** UDP ports of this run alone are behind it, none of which an endpoint or the system chooses by itself. */
const UDP = 22_000 + Deno.pid % 100 * 20;

class Recorder implements PacketHandler {
  readonly metas: PacketMeta[] = [];
  readonly lengths: number[] = [];
  readonly batch: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly writableAgain: PromiseWithResolvers<void> = Promise.withResolvers();
  packet(packet: Uint8Array, meta: PacketMeta): void {
    this.lengths.push(packet.length);
    this.metas.push(meta);
  }
  error(): void {}
  endOfBatch(): void {
    this.batch.resolve();
  }
  writable(): void {
    this.writableAgain.resolve();
  }
}

async function withDriver(run: (driver: PacketDriver, recorder: Recorder) => Promise<void>): Promise<void> {
  const recorder = new Recorder();
  const driver = openDgramDriver(recorder);
  try {
    await run(driver, recorder);
  } finally {
    await driver.close();
    await driver.close();
  }
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`portable driver: a packet comes over ${address} with the sender's UDP port`, () =>
    withDriver(async (driver, recorder) => {
      driver.openPort(21011, [UDP + 11]);
      driver.openPort(21012, [UDP + 12]);
      driver.nextBuffer()!.fill(7, 0, 100);
      driver.commit({
        length: 100,
        source: undefined,
        destination: address,
        udpPort: UDP + 12,
        localPort: 21011,
      });
      driver.flush();
      await within(20_000, recorder.batch.promise, "a packet");
      assert.deepEqual(recorder.lengths, [100]);
      const meta = { source: address, destination: address, udpPort: UDP + 11, localUdpPort: UDP + 12 };
      assert.deepEqual(recorder.metas, [meta]);
    }));
}

Deno.test("portable driver: openPort() throws EADDRINUSE at once, and gives back what it had bound", () =>
  withDriver(async (first) => {
    first.openPort(21011, [UDP + 11]);
    await withDriver((second) => {
      assert.throws(() => second.openPort(21012, [UDP + 12, UDP + 11]), (error) => {
        assert.ok(error instanceof SctpError);
        assert.equal(error.code, "EADDRINUSE");
        return true;
      });
      return Promise.resolve();
    });
  }));

Deno.test("portable driver: nextBuffer() pauses when too many packets are under way, writable() follows", () =>
  withDriver(async (driver, recorder) => {
    driver.openPort(21011, [UDP + 11]);
    let committed = 0;
    while (driver.nextBuffer() !== undefined) {
      driver.commit({
        length: 20,
        source: undefined,
        destination: "127.0.0.1",
        udpPort: UDP + 11,
        localPort: 21011,
      });
      committed++;
    }
    assert.ok(committed > 1 && committed < 1000);
    await within(20_000, recorder.writableAgain.promise, "room for packets");
    assert.notEqual(driver.nextBuffer(), undefined);
  }));

Deno.test("portable driver: hasAddress() knows what interfaces show: it cannot send from other addresses", () =>
  withDriver((driver) => {
    const asked = ["127.0.0.1", "127.0.1.1", "192.0.2.250"];
    assert.deepEqual(asked.filter((address) => driver.hasAddress(address)), ["127.0.0.1"]);
    return Promise.resolve();
  }));

Deno.test("portable driver: route() takes the address that shares the destination's network", () =>
  withDriver((driver) => {
    assert.equal(driver.route("127.0.0.77")?.source, "127.0.0.1");
    assert.equal(driver.route("::1")?.source, "::1");
    return Promise.resolve();
  }));
