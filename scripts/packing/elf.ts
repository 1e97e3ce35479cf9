/**
 * As much of the Executable and Linkable Format as attaching a program to an executable takes: 64 bits, little-endian.
 * System V ABI, chapters 4 and 5.
 */

/** How every ELF file begins. */
const MAGIC = 0x7f454c46;

/** The processors that there is entry code for, by the number in the file's header (`e_machine`). */
export const Machine = { x86: 62, arm: 183 } as const;
export type Machine = typeof Machine[keyof typeof Machine];

/** Relocations that write the address of a symbol (`R_X86_64_GLOB_DAT`, `R_AARCH64_GLOB_DAT`). */
const ADDRESS_OF_SYMBOL: Readonly<Record<Machine, number>> = { [Machine.x86]: 6, [Machine.arm]: 1025 };

/** Types of segments (`p_type`). */
const SegmentType = { load: 1, dynamic: 2, note: 4 } as const;

/** Kinds of entries in the dynamic segment (`d_tag`). */
const Dynamic = { strings: 5, symbols: 6, relocations: 7, relocationBytes: 8 } as const;

/** Read and execute (`p_flags`). */
const READ_EXECUTE = 5;

/** Where the file's header has the address at which the executable begins (`e_entry`). */
const ENTRY_OFFSET = 24;

/** Sizes of a program header, a relocation and a symbol. */
const HEADER_BYTES = 56, RELOCATION_BYTES = 24, SYMBOL_BYTES = 24;

/** Segments begin at multiples of this, in the file and in memory: the largest page that Linux has on these processors. */
export const SEGMENT_ALIGNMENT = 0x1_0000;

/** For which processor a file is; undefined when it is no executable, or for another one. */
export function machineOf(file: Uint8Array): Machine | undefined {
  if (file.length < 64) return undefined;
  const view = viewOf(file);
  if (view.getUint32(0) !== MAGIC) return undefined;
  return Object.values(Machine).find((known) => known === view.getUint16(18, true));
}

/** What attaching needs to know of an executable. Addresses are those before the loader moves it. */
export interface Executable {
  readonly machine: Machine;
  /** Where it begins. */
  readonly entryAddress: number;
  /** The first aligned address behind all that it has loaded. */
  readonly freeAddress: number;
  /** Where the address of the C library's variable `environ` will stand. */
  readonly environAddress: number;
  /** Where the header of a segment lies that it can do without, in the file. */
  readonly spareHeaderOffset: number;
}

interface Segment {
  readonly type: number;
  readonly headerOffset: number;
  readonly offset: number;
  readonly address: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/**
 * Reads the headers of an executable.
 *
 * @throws {Error} when it is none that a segment can be added to; says why
 */
export function readExecutable(file: Uint8Array): Executable {
  const view = viewOf(file);
  if (file.length < 64 || view.getUint32(0) !== MAGIC) throw new Error("It is no ELF file");
  if (view.getUint8(4) !== 2 || view.getUint8(5) !== 1) {
    throw new Error("It is no ELF file of 64 bits, little-endian");
  }
  const machine = machineOf(file);
  if (machine === undefined) throw new Error("It is neither for x86-64 nor for AArch64");

  const segments = readSegments(view);
  const lastLoaded = segments.findLast(({ type }) => type === SegmentType.load);
  // Loaded segments are listed by ascending addresses, so the header that becomes one must stand behind them all.
  const spare = segments.findLast(({ type }) => type === SegmentType.note);
  if (lastLoaded === undefined || spare === undefined || spare.headerOffset < lastLoaded.headerOffset) {
    throw new Error("It has no note segment behind what it loads, to be replaced");
  }
  return {
    machine,
    entryAddress: number64(view, ENTRY_OFFSET),
    freeAddress: alignUp(lastLoaded.address + lastLoaded.memoryBytes, SEGMENT_ALIGNMENT),
    environAddress: findSymbolAddress(view, machine, segments, "environ"),
    spareHeaderOffset: spare.headerOffset,
  };
}

/** Makes an executable load a segment of code, in place of its notes, and begin there. */
export function loadCode(
  file: Uint8Array,
  { spareHeaderOffset, freeAddress }: Executable,
  code: { readonly offset: number; readonly lengthBytes: number },
): void {
  const view = viewOf(file);
  view.setUint32(spareHeaderOffset, SegmentType.load, true);
  view.setUint32(spareHeaderOffset + 4, READ_EXECUTE, true);
  const { offset, lengthBytes } = code;
  const fields = [offset, freeAddress, freeAddress, lengthBytes, lengthBytes, SEGMENT_ALIGNMENT];
  for (const [index, value] of fields.entries()) {
    view.setBigUint64(spareHeaderOffset + 8 + index * 8, BigInt(value), true);
  }
  view.setBigUint64(ENTRY_OFFSET, BigInt(freeAddress), true);
}

/** The next multiple of an alignment, or the value itself when it is one. */
export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}

function number64(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}

function readSegments(view: DataView): Segment[] {
  const first = number64(view, 32), count = view.getUint16(56, true);
  return Array.from({ length: count }, (_, index) => {
    const headerOffset = first + index * HEADER_BYTES;
    return {
      type: view.getUint32(headerOffset, true),
      headerOffset,
      offset: number64(view, headerOffset + 8),
      address: number64(view, headerOffset + 16),
      fileBytes: number64(view, headerOffset + 32),
      memoryBytes: number64(view, headerOffset + 40),
    };
  });
}

/** Where the loader will write the address of a symbol of another library. */
function findSymbolAddress(
  view: DataView,
  machine: Machine,
  segments: readonly Segment[],
  wanted: string,
): number {
  const dynamic = segments.find(({ type }) => type === SegmentType.dynamic);
  if (dynamic === undefined) throw new Error("It is not linked dynamically");
  const entries = new Map<number, number>();
  for (let offset = dynamic.offset; offset < dynamic.offset + dynamic.fileBytes; offset += 16) {
    entries.set(number64(view, offset), number64(view, offset + 8));
  }
  /** Where a table of the dynamic segment begins, in the file. */
  const table = (kind: number): number => {
    const address = entries.get(kind) ?? 0;
    const segment = segments.find((one) =>
      one.type === SegmentType.load && one.address <= address && address < one.address + one.fileBytes
    );
    if (segment === undefined) throw new Error(`Its dynamic segment does not say where table ${kind} is`);
    return address - segment.address + segment.offset;
  };
  const strings = table(Dynamic.strings), symbols = table(Dynamic.symbols);
  const relocations = table(Dynamic.relocations);
  const end = relocations + (entries.get(Dynamic.relocationBytes) ?? 0);
  for (let offset = relocations; offset < end; offset += RELOCATION_BYTES) {
    if (view.getUint32(offset + 8, true) !== ADDRESS_OF_SYMBOL[machine]) continue;
    const symbol = symbols + view.getUint32(offset + 12, true) * SYMBOL_BYTES;
    if (isText(view, strings + view.getUint32(symbol, true), wanted)) return number64(view, offset);
  }
  throw new Error(`It does not use ${wanted}`);
}

/** Whether these letters and a null stand there. */
function isText(view: DataView, offset: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (view.getUint8(offset + index) !== text.charCodeAt(index)) return false;
  }
  return view.getUint8(offset + text.length) === 0;
}
