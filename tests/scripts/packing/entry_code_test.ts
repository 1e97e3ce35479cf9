/** That the code does what it should is seen where it runs: `tests/dist` starts executables of both processors by it. */
import assert from "node:assert/strict";
import { attachProgram } from "../../../scripts/packing/attach.ts";
import { Machine, readExecutable } from "../../../scripts/packing/elf.ts";
import { entryCode } from "../../../scripts/packing/entry_code.ts";
import type { EntryOrder } from "../../../scripts/packing/entry_code.ts";
import { programFunction } from "../../../scripts/packing/program.ts";
import { smallExecutable } from "./small_executable.ts";

const ORDER: Omit<EntryOrder, "machine"> = {
  address: 0x20_0000,
  nextAddress: 0x10_0040,
  environAddress: 0x1f_0f08,
  words: ["eval", "ü", ""],
  variables: ["A=b"],
};
const TEXTS = new TextEncoder().encode("eval\0ü\0\0A=b\0");

/** Where the last instruction, a jump, leads. */
function jumpTarget(machine: number, code: Uint8Array): number {
  const view = new DataView(code.buffer, 0, code.length - TEXTS.length);
  if (machine === Machine.x86) {
    assert.equal(view.getUint8(view.byteLength - 5), 0xe9);
    return ORDER.address + view.byteLength + view.getInt32(view.byteLength - 4, true);
  }
  const instruction = view.getUint32(view.byteLength - 4, true);
  assert.equal(instruction >>> 26, 5);
  return ORDER.address + view.byteLength - 4 + ((instruction << 6) >> 6) * 4;
}

for (const [name, machine] of Object.entries(Machine)) {
  Deno.test(`entryCode() has the texts behind it, and goes on where it should, ${name}`, () => {
    const code = entryCode({ ...ORDER, machine });

    assert.deepEqual(code.subarray(-TEXTS.length), TEXTS);
    assert.equal(jumpTarget(machine, code), ORDER.nextAddress);
  });

  Deno.test(`attachProgram() appends the program and the code to an executable, ${name}`, () => {
    const executable = smallExecutable({ machine });
    const file = attachProgram(executable, programFunction("exports.program = 1;"));
    const { entryAddress } = readExecutable(smallExecutable({ machine }));
    const view = new DataView(file.buffer);
    const text = new TextDecoder().decode(file.subarray(executable.length));

    assert.match(text, /^\(function\(require\)\{"use strict";.*exports\.program = 1;\n\}\)\n/);
    assert.match(text, new RegExp(`seekSync\\(${executable.length},0\\);const b=new Uint8Array\\(\\d+\\)`));
    assert.notEqual(Number(view.getBigUint64(24, true)), entryAddress);
    assert.deepEqual(executable, smallExecutable({ machine }), "the original stays as it is");
  });
}

Deno.test("entryCode() refuses to put the stack out of its alignment", () => {
  assert.throws(() => entryCode({ ...ORDER, machine: Machine.x86, words: ["one", "two"] }), /even/);
});
