/**
 * A program for tests: opens something again and again with one more free descriptor each time, until that works, and says
 * how many descriptors each failure has left behind.
 */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { PacketHandler } from "../../ffi/packet_driver.ts";
import { openPacketDriver } from "../../ffi/packet_io.ts";

const HANDLER: PacketHandler = {
  packet: () => {},
  error: () => {},
  endOfBatch: () => {},
  writable: () => {},
};

/** Opens it, and closes it again. */
const WORK: Readonly<Record<string, () => Promise<void>>> = {
  async driver() {
    await openPacketDriver(HANDLER, { raw: "on" }).close();
  },
  async port() {
    const driver = openPacketDriver(HANDLER, { raw: "off" });
    try {
      driver.openPort(7, [Number(Deno.args[1])]);
    } finally {
      await driver.close();
    }
  },
  async kernel() {
    const transport = openKernelTransport();
    try {
      transport.open({ addresses: ["127.0.0.1"] }, () => {});
    } finally {
      await transport.close();
    }
  },
};

function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

// Usage: few_descriptors.ts driver|port|kernel [UDP-PORT]
const work = WORK[Deno.args[0] ?? ""]!;
await work(); // what is loaded once stays
const before = openDescriptors(), left: number[] = [];
for (let free = 1, works = false; !works; free++) {
  const held: Deno.FsFile[] = [];
  try {
    for (;;) held.push(Deno.openSync("/dev/null"));
  } catch { // there are no more
    for (const file of held.splice(-free)) file.close();
  }
  try {
    await work();
    works = true;
  } catch (error) {
    if (!(error instanceof Error) || !/EMFILE/.test(error.message)) throw error;
  }
  for (const file of held) file.close();
  left.push(openDescriptors() - before);
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(left)));
