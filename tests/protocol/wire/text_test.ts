import assert from "node:assert/strict";
import { hexDump } from "../../../protocol/wire/hex.ts";
import { encodeText, showText } from "../../../protocol/wire/text.ts";
import { fc } from "../../properties.ts";

Deno.test("encodeText() gives what the platform's encoder gives", () => {
  const platform = new TextEncoder();
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.deepEqual(encodeText(text), platform.encode(text));
  }));
  assert.equal(encodeText("\ud800!").toHex(), "efbfbd21");
});

Deno.test("showText() is printable and tells different octets apart", () => {
  assert.equal(showText(Uint8Array.of(0x45, 0x0a, 0x5c, 0xff)), "E\\x0a\\x5c\\xff");
  fc.assert(fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
    assert.match(showText(a), /^[\x20-\x7e]*$/);
    assert.equal(showText(a) === showText(b), a.toHex() === b.toHex());
  }));
});

Deno.test("hexDump() shows offset, octets and text", () => {
  const dump = hexDump(encodeText("FractalGeneratorPool"));
  assert.equal(
    dump,
    "0000  46 72 61 63 74 61 6c 47 65 6e 65 72 61 74 6f 72  FractalGenerator\n" +
      "0010  50 6f 6f 6c                                      Pool",
  );
});
