import assert from "node:assert/strict";
import { captureFilter, dissect } from "../../ffi/kernel_capture.ts";

const SCTP = "0007" + "1388" + "00000000" + "00000000" + "0a000004";

function ipv4(protocol: number, payload: string, fragment = 0, words = 5): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(20));
  view.setUint8(0, 0x40 | words);
  view.setUint16(2, 20 + payload.length / 2);
  view.setUint16(6, fragment);
  view.setUint8(9, protocol);
  view.setUint32(12, 0x0a000001);
  view.setUint32(16, 0x0a000002);
  return Uint8Array.from([...new Uint8Array(view.buffer), ...Uint8Array.fromHex(payload)]);
}

function ipv6(protocol: number, payload: string): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(40));
  view.setUint8(0, 0x60);
  view.setUint16(4, payload.length / 2);
  view.setUint8(6, protocol);
  view.setUint16(8, 0xfd00);
  view.setUint8(23, 1);
  view.setUint16(24, 0xfd00);
  view.setUint8(39, 2);
  return Uint8Array.from([...new Uint8Array(view.buffer), ...Uint8Array.fromHex(payload)]);
}

Deno.test("dissect() finds SCTP in IPv4 and IPv6, and cuts off the link's padding", () => {
  const padded = Uint8Array.from([...ipv4(132, SCTP), 0, 0, 0]);
  assert.deepEqual(dissect(padded, "sent", 0), {
    direction: "sent",
    source: "10.0.0.1",
    destination: "10.0.0.2",
    sourceUdpPort: 0,
    destinationUdpPort: 0,
    sctp: Uint8Array.fromHex(SCTP),
  });
  const over6 = dissect(ipv6(132, SCTP), "received", 0);
  assert.deepEqual([over6?.source, over6?.destination], ["fd00::1", "fd00::2"]);
  assert.equal(over6?.sctp.toHex(), SCTP);
});

Deno.test("dissect() finds SCTP in UDP from and to the port of RFC 6951, and no other", () => {
  const udp = (source: string, destination: string) => source + destination + "0018" + "0000" + SCTP;
  const found = dissect(ipv4(17, udp("26ab", "1000")), "sent", 9899);
  assert.deepEqual([found?.sourceUdpPort, found?.destinationUdpPort], [9899, 4096]);
  assert.equal(found?.sctp.toHex(), SCTP);
  assert.notEqual(dissect(ipv4(17, udp("1000", "26ab")), "received", 9899), undefined);
  assert.equal(dissect(ipv4(17, udp("1000", "1001")), "received", 9899), undefined);
  assert.equal(dissect(ipv4(17, udp("0000", "0000")), "received", 0), undefined);
});

const UDP = "26ab" + "26ab" + "0018" + "0000" + SCTP;

for (
  const [name, whole] of [
    ["SCTP in IPv4", ipv4(132, SCTP)],
    ["SCTP in IPv6", ipv6(132, SCTP)],
    ["SCTP in UDP in IPv4", ipv4(17, UDP)],
    ["SCTP in UDP in IPv6", ipv6(17, UDP)],
    ["SCTP in UDP behind options of IPv4", ipv4(17, "00".repeat(40) + UDP, 0, 15)],
  ] as const
) {
  Deno.test(`dissect() takes no ${name} that is cut short`, () => {
    assert.notEqual(dissect(whole, "received", 9899), undefined);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(dissect(whole.slice(0, length), "received", 9899), undefined, `${length} octets`);
    }
  });
}

Deno.test("dissect() takes nothing that is fragmented or something else", () => {
  assert.equal(dissect(ipv4(132, SCTP, 0x2000), "sent", 0), undefined);
  assert.equal(dissect(ipv4(132, SCTP, 100), "sent", 0), undefined);
  assert.equal(dissect(ipv4(132, SCTP, 0x4000), "sent", 0)?.sctp.length, SCTP.length / 2); // "do not fragment"
  assert.equal(dissect(ipv4(6, SCTP), "sent", 0), undefined);
  assert.equal(dissect(ipv6(6, SCTP), "sent", 0), undefined);
});

/** Runs classic BPF: the few instructions that the filter has. */
function filter(program: Uint8Array<ArrayBuffer>, packet: Uint8Array<ArrayBuffer>): number {
  const code = new DataView(program.buffer), data = new DataView(packet.buffer);
  let accumulator = 0, index = 0;
  for (let pc = 0; pc * 8 < program.length; pc++) {
    const operation = code.getUint16(pc * 8, true), operand = code.getUint32(pc * 8 + 4, true);
    const [yes, no] = [code.getUint8(pc * 8 + 2), code.getUint8(pc * 8 + 3)];
    try {
      if (operation === 0x30) accumulator = data.getUint8(operand);
      else if (operation === 0x28) accumulator = data.getUint16(operand);
      else if (operation === 0x48) accumulator = data.getUint16(operand + index);
      else if (operation === 0xb1) index = (data.getUint8(operand) & 15) * 4;
      else if (operation === 0x74) accumulator >>>= operand;
      else if (operation === 0x15) pc += accumulator === operand ? yes : no;
      else if (operation === 0x06) return operand;
      else assert.fail(`instruction ${operation.toString(16)}`);
    } catch (error) {
      if (error instanceof RangeError) return 0; // as the kernel: a load behind the end drops the packet
      throw error;
    }
  }
  return assert.fail("the program runs off its end");
}

Deno.test("captureFilter() lets in SCTP and encapsulated SCTP, and nothing else", () => {
  const program = captureFilter(9899);
  const udp = (source: string, destination: string) => source + destination + "0018" + "0000" + SCTP;
  for (const ip of [ipv4, ipv6]) {
    assert.ok(filter(program, ip(132, SCTP)) > 65_535);
    assert.ok(filter(program, ip(17, udp("26ab", "1000"))) > 65_535);
    assert.ok(filter(program, ip(17, udp("1000", "26ab"))) > 65_535);
    assert.equal(filter(program, ip(17, udp("1000", "1001"))), 0);
    assert.equal(filter(program, ip(6, SCTP)), 0);
    assert.equal(filter(program, ip(17, "")), 0);
  }
});
