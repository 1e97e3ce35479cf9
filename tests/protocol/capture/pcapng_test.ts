import assert from "node:assert/strict";
import { captureHeader, captureRecord } from "../../../protocol/capture/mod.ts";

/** Blocks of a capture: type and body, with the rules that hold for all of them checked. */
function blocksOf(octets: Uint8Array): { readonly type: number; readonly body: Uint8Array }[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const blocks: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at < octets.length;) {
    const length = view.getUint32(at + 4);
    assert.equal(length % 4, 0);
    assert.equal(view.getUint32(at + length - 4), length, "the length stands at both ends");
    blocks.push({ type: view.getUint32(at), body: octets.subarray(at + 8, at + length - 4) });
    at += length;
  }
  return blocks;
}

Deno.test("captureHeader() writes a section header and an interface of raw IP packets", () => {
  const head = captureHeader({
    program: "rsp",
    operatingSystem: "Linux",
    interfaceName: "lo",
    comment: "Hä",
  });

  const [section, linkLayer, ...more] = blocksOf(head);
  assert.equal(section?.type, 0x0a0d0d0a);
  assert.equal(
    section.body.toHex(),
    "1a2b3c4d" + "00010000" + "ffffffffffffffff" + "0001000348c3a400" + "000300054c696e7578000000" +
      "0004000372737000" + "00000000",
  );
  assert.equal(linkLayer?.type, 1);
  assert.equal(linkLayer.body.toHex(), "00650000" + "00000000" + "000200026c6f0000" + "00000000");
  assert.equal(more.length, 0);
});

Deno.test("captureRecord() writes time, lengths, packet, comment and direction", () => {
  const packet = Uint8Array.of(0x45, 1, 2, 3, 4);

  const [sent] = blocksOf(
    captureRecord({ packet, epochMs: 1_700_000_000_000.25, direction: "sent", comment: "!" }),
  );
  const [received] = blocksOf(captureRecord({ packet, epochMs: 0, direction: "received" }));
  const [unknown] = blocksOf(captureRecord({ packet, epochMs: 0.001, direction: undefined }));

  const microseconds = 1_700_000_000_000_250n.toString(16).padStart(16, "0");
  assert.equal(sent?.type, 6);
  assert.equal(
    sent.body.toHex(),
    "00000000" + microseconds + "00000005" + "00000005" + "4501020304000000" + "0001000121000000" +
      "0002000400000002" + "00000000",
  );
  assert.ok(received?.body.toHex().endsWith("4501020304000000" + "0002000400000001" + "00000000"));
  assert.ok(
    unknown?.body.toHex().endsWith("0000000000000001" + "00000005" + "00000005" + "4501020304000000"),
  );
});

Deno.test("captureHeader() cuts a text that its length field cannot tell, between characters", () => {
  const [section] = blocksOf(captureHeader({ program: "xä".repeat(30_000), interfaceName: "" }));

  assert.ok(section !== undefined && section.body.length < 65_100);
  const length = section.body[18]! << 8 | section.body[19]!;
  const text = new TextDecoder("utf-8", { fatal: true }).decode(section.body.subarray(20, 20 + length));
  assert.ok(text.length > 40_000);
});
