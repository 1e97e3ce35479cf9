import assert from "node:assert/strict";
import { CaptureError, openCaptureFile } from "../../../cmd/driver/capture_file.ts";
import { openEmbeddedTransport } from "../../../cmd/driver/embedded_transport.ts";
import type { EmbeddedTransport, EmbeddedTransportOptions } from "../../../cmd/driver/embedded_transport.ts";
import type { CapturedPacket, PacketObserver } from "../../../protocol/net.ts";
import { putChecksum } from "../../../protocol/sctp/crc32c.ts";

const rawAllowed = openEmbeddedTransport().description.includes("IP and UDP");

async function output(program: string, ...line: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(program, { args: line }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} failed: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

const tsharkThere = await output("tshark", "-v").then(() => true, () => false);

/** Fields of the packets in a capture that match a display filter, with every checksum looked at. */
async function tshark(path: string, filter: string, fields: readonly string[]): Promise<string[][]> {
  const text = await output(
    "tshark",
    ...["-r", path, "-Y", filter, "-T", "fields", "-E", "occurrence=f"],
    ...fields.flatMap((field) => ["-e", field]),
    ...["-o", "sctp.checksum:CRC 32c", "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
    ...["-d", "udp.port==30000-32767,sctp"],
  );
  return text.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
}

/** How many blocks a capture has; all of them whole. */
function wholeBlocks(octets: Uint8Array): number {
  const { count, lengthBytes } = blocksOf(octets);
  assert.equal(lengthBytes, octets.length);
  return count;
}

/** How many blocks a capture has begun, and how long they are together. */
function blocksOf(octets: Uint8Array): { readonly count: number; readonly lengthBytes: number } {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  let count = 0, lengthBytes = 0;
  for (; lengthBytes + 8 <= octets.length; count++) lengthBytes += view.getUint32(lengthBytes + 4);
  return { count, lengthBytes };
}

/** Waits until a reader has written down so many blocks of a capture. */
async function taken(path: string, blocks: number): Promise<void> {
  for (const deadline = performance.now() + 30_000;;) {
    const octets = await Deno.readFile(path), { count, lengthBytes } = blocksOf(octets);
    if (count >= blocks && lengthBytes === octets.length) return;
    assert.ok(performance.now() < deadline, `the reader has taken ${count} of ${blocks} blocks`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A transport that hands over made-up packets. */
function fakeTransport(): {
  capture(onPacket: PacketObserver): Disposable;
  show(packet: CapturedPacket): void;
} {
  const observers = new Set<PacketObserver>();
  return {
    capture(onPacket) {
      observers.add(onPacket);
      return { [Symbol.dispose]: () => void observers.delete(onPacket) };
    },
    show: (packet) => observers.forEach((onPacket) => onPacket(packet)),
  };
}

const NAMES = { kind: "simulated", description: "a test" } as const;
const PACKET: CapturedPacket = {
  direction: "sent",
  source: "10.1.0.1",
  destination: "10.1.0.2",
  sourceUdpPort: 0,
  destinationUdpPort: 0,
  sctp: new Uint8Array(1000),
};

/** Client and server talk, then end their association. */
async function talk(client: EmbeddedTransport, server: EmbeddedTransport, address: string): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const listener = server.open({ listen: true }, () => {});
  const caller = client.open({}, (events) => {
    for (const event of events) {
      if (event.type === "up") {
        const data = new Uint8Array(4000).fill(7);
        caller.execute({ type: "send", association: event.association, stream: 0, ppid: 0, data });
        caller.execute({ type: "shutdown", association: event.association });
      } else if (event.type === "down") ended.resolve();
    }
  });
  caller.execute({ type: "connect", request: 1, addresses: [address], port: listener.port });
  await ended.promise;
}

const CARRIERS: readonly {
  readonly name: string;
  readonly address: string;
  readonly options: EmbeddedTransportOptions;
}[] = [
  { name: "UDP over IPv4", address: "127.0.0.1", options: { raw: "off" } },
  { name: "UDP over IPv6", address: "::1", options: { raw: "off" } },
  { name: "IPv4", address: "127.0.0.1", options: { raw: "on" } },
  { name: "IPv6", address: "::1", options: { raw: "on" } },
  { name: "UDP by the portable driver", address: "127.0.0.1", options: { portable: true } },
];

for (const { name, address, options } of CARRIERS) {
  Deno.test({
    name: `openCaptureFile() writes what tshark finds nothing wrong with: ${name}`,
    ignore: !tsharkThere || options.raw === "on" && !rawAllowed,
    async fn() {
      const path = await Deno.makeTempFile({ suffix: ".pcapng" });
      const client = openEmbeddedTransport({ maxMtu: 1500, ...options });
      const server = openEmbeddedTransport({ maxMtu: 1500, ...options });
      try {
        const file = openCaptureFile(path, client, { program: "rsp test" });
        await talk(client, server, address);
        await Promise.all([client.close(), server.close()]);
        file.close();
        file.close();

        const bad = '_ws.malformed or _ws.expert.severity >= "Warning" or sctp.checksum.status == 0';
        assert.deepEqual(await tshark(path, bad, ["frame.number", "_ws.col.Info"]), []);
        const fields = [
          "frame.packet_flags_direction",
          "sctp.chunk_type",
          "ip.src",
          "ipv6.src",
          "ip.checksum.status",
        ];
        const all = await tshark(path, "sctp.checksum.status == 1", fields);
        assert.equal(all.length, file.packets);
        // HEARTBEATs come when they like, and by the portable driver from where they like.
        const packets = all.filter(([, type]) => type !== "4" && type !== "5");
        // Each once, for a process that was stopped for long repeats what is not answered.
        const types = [...new Set(packets.map(([direction, type]) => `${Number(direction)}:${type}`))];
        assert.deepEqual(types.slice(0, 4), ["2:1", "1:2", "2:10", "1:11"]); // INIT to COOKIE ACK
        assert.deepEqual(types.slice(-3), ["2:7", "1:8", "2:14"]); // SHUTDOWN to SHUTDOWN COMPLETE
        assert.ok(types.includes("2:0") && types.includes("1:3")); // DATA, SACK
        assert.ok(packets.every(([, , ipv4, ipv6]) => ipv4 === address || ipv6 === address));
        assert.equal(
          (await tshark(path, "ip.checksum.status == 0 or udp.checksum.status == 0", ["frame.number"]))
            .length,
          0,
        );
      } finally {
        await Deno.remove(path);
      }
    },
  });
}

Deno.test("Transport.capture() of the embedded transport stops when it is disposed of", async () => {
  const client = openEmbeddedTransport({ raw: "off" }), server = openEmbeddedTransport({ raw: "off" });
  let first = 0, second = 0;
  const early = client.capture(() => void first++);
  early[Symbol.dispose]();
  early[Symbol.dispose]();
  {
    using _late = client.capture(() => void second++);
    await talk(client, server, "127.0.0.1");
  }
  await Promise.all([client.close(), server.close()]);

  assert.equal(first, 0);
  assert.ok(second >= 8);
});

/** Octets of a file at this moment. */
function sizeOf(path: string): number {
  return Deno.statSync(path).size;
}

Deno.test("openCaptureFile() has every packet in the file when the turn is over, without being closed", async () => {
  const path = await Deno.makeTempFile();
  const transport = fakeTransport();
  const file = openCaptureFile(path, { ...NAMES, ...transport });
  try {
    const headBytes = sizeOf(path);

    transport.show(PACKET);
    transport.show(PACKET);
    await new Promise((resolve) => setImmediate(resolve));

    assert.equal(sizeOf(path), headBytes + 2 * (1020 + 32 + 12));
  } finally {
    file.close();
    await Deno.remove(path);
  }
});

Deno.test("openCaptureFile() feeds a FIFO whose reader comes later, and leaves out what it cannot keep", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/fifo`;
  try {
    await output("mkfifo", path);
    const transport = fakeTransport();
    const file = openCaptureFile(path, { ...NAMES, ...transport });
    const large = { ...PACKET, sctp: new Uint8Array(60_000) };
    for (let i = 0; i < 500; i++) transport.show(large);
    const { packets, leftOut } = file;
    // Into a file: this process does not read while it waits for the reader to take the rest.
    const reading = output("sh", "-c", 'cat "$0" >"$0.out"', path);
    // Packets that are left out are told of with the first one that is not: when the reader has caught up.
    for (const deadline = performance.now() + 30_000; file.packets === packets;) {
      assert.ok(performance.now() < deadline, "the reader does not catch up");
      await new Promise((resolve) => setTimeout(resolve, 1));
      transport.show(PACKET);
    }
    await taken(`${path}.out`, 2 + packets + 1); // close() waits for no reader that stands still
    file.close();

    await reading;
    const written = await Deno.readFile(`${path}.out`);
    assert.ok(leftOut > 100 && packets + leftOut === 500);
    assert.equal(file.packets, packets + 1);
    const blocks = wholeBlocks(written);
    assert.equal(blocks, 2 + packets + 1);
    assert.ok(
      new TextDecoder("latin1").decode(written.slice(-1200)).includes(
        "packets before this one were left out",
      ),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openCaptureFile() says why it cannot", () => {
  const transport = { ...NAMES, ...fakeTransport() };
  const refuses = {
    ...NAMES,
    capture: () => {
      throw new Error("no permission");
    },
  };

  const messageOf = (path: string, from: typeof transport | typeof refuses) => {
    try {
      openCaptureFile(path, from).close();
    } catch (error) {
      if (error instanceof CaptureError) return error.message;
    }
    return "";
  };
  assert.match(messageOf("/nowhere/x.pcapng", transport), /^cannot open \/nowhere\/x.pcapng .*no such file/i);
  assert.match(messageOf("/dev/full", transport), /\/dev\/full: no space left/i);
  assert.match(messageOf("/dev/null", refuses), /\/dev\/null: no permission/);
});

Deno.test("openCaptureFile() takes no more packets once it is closed", async () => {
  const transport = fakeTransport();
  const path = await Deno.makeTempFile();
  const file = openCaptureFile(path, { ...NAMES, ...transport });
  transport.show(PACKET);

  file.close();
  transport.show(PACKET);

  assert.equal(file.packets, 1);
  assert.equal(wholeBlocks(await Deno.readFile(path)), 3);
  await Deno.remove(path);
});

Deno.test("openCaptureFile() fills in a checksum that the kernel left to the interface, in a copy", async () => {
  const transport = fakeTransport();
  const path = await Deno.makeTempFile();
  const file = openCaptureFile(path, { ...NAMES, ...transport });
  const sctp = new Uint8Array(32);
  const right = sctp.slice();
  putChecksum(new DataView(right.buffer), 0, right.length);

  transport.show({ ...PACKET, sctp, checksumPending: true });
  transport.show({ ...PACKET, sctp });
  file.close();

  const written = (await Deno.readFile(path)).toHex();
  assert.ok(written.includes(right.toHex()));
  assert.ok(written.includes(sctp.toHex()));
  assert.notDeepEqual(right, sctp);
  await Deno.remove(path);
});
