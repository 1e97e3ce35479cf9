import assert from "node:assert/strict";
import { alignUp, loadCode, Machine, readExecutable } from "../../../scripts/packing/elf.ts";
import { ENVIRON, PLACES, smallExecutable } from "./small_executable.ts";

const NOTE_HEADER = PLACES.headers + 2 * 56;

for (const [name, machine] of Object.entries(Machine)) {
  Deno.test(`readExecutable() finds what attaching takes, ${name}`, () => {
    assert.deepEqual(readExecutable(smallExecutable({ machine })), {
      machine,
      entryAddress: 0x1234,
      freeAddress: 0x1_0000,
      environAddress: ENVIRON,
      spareHeaderOffset: NOTE_HEADER,
    });
  });
}

Deno.test("readExecutable() reads the Deno that runs this", async () => {
  const file = await Deno.readFile(Deno.execPath());
  const { machine, entryAddress, freeAddress, environAddress } = readExecutable(file);

  assert.equal(machine, Deno.build.arch === "aarch64" ? Machine.arm : Machine.x86);
  assert.ok(0 < entryAddress && entryAddress < environAddress && environAddress < freeAddress);
  assert.equal(freeAddress % 0x1_0000, 0);
});

const WRONG: readonly { readonly what: string; readonly file: Uint8Array; readonly says: RegExp }[] = [
  { what: "nothing", file: new Uint8Array(), says: /no ELF file/ },
  { what: "a script", file: new TextEncoder().encode("#!/bin/sh\n".repeat(20)), says: /no ELF file/ },
  { what: "32 bits", file: changed(4, 1), says: /64 bits/ },
  { what: "big-endian", file: changed(5, 2), says: /little-endian/ },
  { what: "another processor", file: smallExecutable({ machine: 243 }), says: /neither for x86-64 nor/ },
  { what: "no notes", file: smallExecutable({ types: [1, 2, 6] }), says: /no note segment/ },
  {
    what: "notes before a loaded segment",
    file: smallExecutable({ types: [4, 2, 1] }),
    says: /no note segment/,
  },
  { what: "a static program", file: smallExecutable({ types: [1, 6, 4] }), says: /not linked dynamically/ },
  { what: "no environ", file: smallExecutable({ symbol: "environs" }), says: /does not use environ/ },
  { what: "another relocation", file: smallExecutable({ relocation: 7 }), says: /does not use environ/ },
  { what: "tables that are not loaded", file: changed(PLACES.dynamic + 10, 9), says: /does not say where/ },
];

function changed(offset: number, octet: number): Uint8Array {
  const file = smallExecutable();
  file[offset] = octet;
  return file;
}

for (const { what, file, says } of WRONG) {
  Deno.test(`readExecutable() refuses ${what}`, () => {
    assert.throws(() => readExecutable(file), says);
  });
}

Deno.test("loadCode() makes the notes a segment that is loaded, and begins there", () => {
  const file = smallExecutable();
  loadCode(file, readExecutable(file), { offset: 0x2_0000, lengthBytes: 77 });
  const view = new DataView(file.buffer);

  assert.deepEqual([view.getUint32(NOTE_HEADER, true), view.getUint32(NOTE_HEADER + 4, true)], [1, 5]);
  const fields = Array.from(
    { length: 6 },
    (_, index) => Number(view.getBigUint64(NOTE_HEADER + 8 + index * 8, true)),
  );
  assert.deepEqual(fields, [0x2_0000, 0x1_0000, 0x1_0000, 77, 77, 0x1_0000]);
  assert.equal(view.getBigUint64(24, true), 0x1_0000n);
});

Deno.test("alignUp() leaves what is aligned", () => {
  assert.deepEqual([0, 1, 16, 17].map((value) => alignUp(value, 16)), [0, 16, 16, 32]);
});
