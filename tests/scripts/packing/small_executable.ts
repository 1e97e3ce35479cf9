/** The smallest executable that a program can be attached to; it is never run. */
import { Machine } from "../../../scripts/packing/elf.ts";

/** Where what is, in the file. What is loaded has its address 0x1000 higher. */
export const PLACES = {
  headers: 64,
  dynamic: 0x200,
  symbols: 0x280,
  strings: 0x300,
  relocations: 0x340,
  end: 0x400,
} as const;

/** By how much addresses are higher than places in the file. */
export const LOADED_AT = 0x1000;

/** What its relocation says: the place of the address of `environ`. */
export const ENVIRON = 0x1f08;

/** What may be otherwise. */
export interface SmallOptions {
  readonly machine?: number;
  /** Types of its three segments. */
  readonly types?: readonly [number, number, number];
  /** The symbol of the relocation. */
  readonly symbol?: string;
  /** The kind of the relocation. */
  readonly relocation?: number;
}

/** Makes it. */
export function smallExecutable(options: SmallOptions = {}): Uint8Array {
  const { machine = Machine.x86, types = [1, 2, 4], symbol = "environ" } = options;
  const { relocation = machine === Machine.arm ? 1025 : 6 } = options;
  const file = new Uint8Array(PLACES.end);
  const view = new DataView(file.buffer);
  const put64 = (offset: number, ...values: number[]) => {
    for (const [index, value] of values.entries()) view.setBigUint64(offset + index * 8, BigInt(value), true);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  view.setUint16(18, machine, true);
  put64(24, 0x1234); // the entry
  put64(32, PLACES.headers);
  view.setUint16(56, 3, true);
  const segments = [[0, PLACES.end, 0x2345], [PLACES.dynamic, 0x60, 0x60], [0x1f0, 0x10, 0x10]] as const;
  for (const [index, [offset, fileBytes, memoryBytes]] of segments.entries()) {
    const header = PLACES.headers + index * 56;
    view.setUint32(header, types[index]!, true);
    put64(header + 8, offset, offset + LOADED_AT, offset + LOADED_AT, fileBytes, memoryBytes, 0x1000);
  }
  const at = (place: number) => place + LOADED_AT;
  put64(PLACES.dynamic, 5, at(PLACES.strings), 6, at(PLACES.symbols), 7, at(PLACES.relocations), 8, 48);
  view.setUint32(PLACES.symbols + 24, 1, true); // the second symbol; the first one is none
  file.set(new TextEncoder().encode(`\0${symbol}\0`), PLACES.strings);
  // The first relocation is of another kind: it has no symbol.
  put64(PLACES.relocations, 0x1f00, 8, 0, ENVIRON);
  view.setUint32(PLACES.relocations + 32, relocation, true);
  view.setUint32(PLACES.relocations + 36, 1, true);
  return file;
}
