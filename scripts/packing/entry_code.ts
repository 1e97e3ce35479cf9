/**
 * The instructions at which an executable with a program attached begins: they put words before its arguments and
 * variables into its environment, and go on where the executable began before.
 *
 * When a Linux process begins, its stack holds the number of arguments, the addresses of the arguments, a null, and those
 * of the environment (System V ABI, "Process Initialization"):
 *
 *     before              number │ name │                  │ arguments │ null │             │ environment │ …
 *     after      number │ name   │ words…                  │ arguments │ null │ variables…  │ environment │ …
 *
 * All up to the null moves down; what lies behind stays where it is. The dynamic loader has run before, and has told the C
 * library where the environment begins: that is put right in its variable `environ`. The register in which the loader has
 * left a function to be called at the exit (`rdx`, `x0`) stays as it is.
 */
import { Machine } from "./elf.ts";

/** What the entry code does, and where. Addresses are those before the loader moves the executable. */
export interface EntryOrder {
  readonly machine: Machine;
  /** Where the code will lie. */
  readonly address: number;
  /** Where it goes on. */
  readonly nextAddress: number;
  /** Where the address of the C library's variable `environ` stands. */
  readonly environAddress: number;
  /** Put behind the program's name and before its arguments. */
  readonly words: readonly string[];
  /** Each as `NAME=value`, put before the environment: the first one of a name counts. */
  readonly variables: readonly string[];
}

/** A place on the stack. */
const PLACE_BYTES = 8;

/** Makes the code, with the texts behind it. */
export function entryCode(order: EntryOrder): Uint8Array {
  const all = [...order.words, ...order.variables];
  // The stack is aligned to 16 octets (System V ABI, "The Stack Frame"), and so it has to stay.
  if (all.length % 2 !== 0) throw new Error("The number of words and variables must be even");
  const texts = all.map((word) => new TextEncoder().encode(`${word}\0`));
  const encode = order.machine === Machine.x86 ? x86Code : armCode;
  // Where the texts lie depends on the length of the code, which does not depend on where the texts lie.
  let end = encode(order, texts.map(() => 0)).length;
  const offsets = texts.map((text) => {
    const offset = end;
    end += text.length;
    return offset;
  });
  const code = new Uint8Array(end);
  code.set(encode(order, offsets));
  for (const [index, text] of texts.entries()) code.set(text, offsets[index]!);
  return code;
}

/** @param textOffsets where the words and the variables lie, from the begin of the code */
function x86Code(order: EntryOrder, textOffsets: readonly number[]): Uint8Array {
  const code: number[] = [];
  const put = (...octets: number[]) => code.push(...octets);
  const put32 = (value: number) => put(...[0, 8, 16, 24].map((shift) => value >> shift & 0xff));
  /** The distance of something from the instruction's end, which is the number's end. */
  const putDistance = (offset: number) => put32(offset - (code.length + 4));
  const wordOffsets = textOffsets.slice(0, order.words.length);
  const variableOffsets = textOffsets.slice(order.words.length);

  put(0x48, 0x89, 0xe6); // mov rsi, rsp
  put(0x48, 0x81, 0xec), put32(textOffsets.length * PLACE_BYTES); // sub rsp, …
  put(0x48, 0x8b, 0x0e); // mov rcx, [rsi]: the number
  put(0x48, 0x8d, 0x81), put32(wordOffsets.length); // lea rax, [rcx + …]
  put(0x48, 0x89, 0x04, 0x24); // mov [rsp], rax
  put(0x48, 0x8b, 0x46, 0x08); // mov rax, [rsi + 8]: the name
  put(0x48, 0x89, 0x44, 0x24, 0x08); // mov [rsp + 8], rax
  for (const [index, offset] of wordOffsets.entries()) {
    put(0x48, 0x8d, 0x05), putDistance(offset); // lea rax, [rip + …]
    put(0x48, 0x89, 0x84, 0x24), put32((2 + index) * PLACE_BYTES); // mov [rsp + …], rax
  }
  put(0x48, 0x83, 0xc6, 2 * PLACE_BYTES); // add rsi, …
  put(0x48, 0x8d, 0xbc, 0x24), put32((2 + wordOffsets.length) * PLACE_BYTES); // lea rdi, [rsp + …]
  put(0xf3, 0x48, 0xa5); // rep movsq: the number counts the null in place of the name
  for (const [index, offset] of variableOffsets.entries()) {
    put(0x48, 0x8d, 0x05), putDistance(offset); // lea rax, [rip + …]
    put(0x48, 0x89, 0x47, index * PLACE_BYTES); // mov [rdi + …], rax
  }
  put(0x48, 0x8b, 0x05), putDistance(order.environAddress - order.address); // mov rax, [rip + …]
  put(0x48, 0x89, 0x38); // mov [rax], rdi
  put(0xe9), putDistance(order.nextAddress - order.address); // jmp …
  return Uint8Array.from(code);
}

/** @param textOffsets where the words and the variables lie, from the begin of the code */
function armCode(order: EntryOrder, textOffsets: readonly number[]): Uint8Array {
  const code: number[] = [];
  const put = (...fields: number[]) => code.push(fields.reduce((whole, field) => whole | field, 0) >>> 0);
  /** A register as the place to read from, or the first operand. */
  const from = (register: number) => register << 5;
  /** A number, or how many places of 8 octets away. */
  const plus = (value: number) => value << 10;
  const SP = 31;
  /** adr x11, … */
  const putAddress = (offset: number) => {
    const distance = offset - code.length * 4;
    put(0x10000000, (distance & 3) << 29, (distance >> 2 & 0x7ffff) << 5, 11);
  };
  const wordOffsets = textOffsets.slice(0, order.words.length);
  const variableOffsets = textOffsets.slice(order.words.length);

  put(0x91000000, from(SP), 9); // mov x9, sp
  put(0xd1000000, plus(textOffsets.length * PLACE_BYTES), from(SP), SP); // sub sp, sp, #…
  put(0xf9400000, from(9), 10); // ldr x10, [x9]: the number
  put(0x91000000, plus(wordOffsets.length), from(10), 11); // add x11, x10, #…
  put(0xf9000000, from(SP), 11); // str x11, [sp]
  put(0xf9400000, plus(1), from(9), 11); // ldr x11, [x9, #8]: the name
  put(0xf9000000, plus(1), from(SP), 11); // str x11, [sp, #8]
  for (const [index, offset] of wordOffsets.entries()) {
    putAddress(offset);
    put(0xf9000000, plus(2 + index), from(SP), 11); // str x11, [sp, #…]
  }
  put(0x91000000, plus(2 * PLACE_BYTES), from(9), 9); // add x9, x9, #…
  put(0x91000000, plus((2 + wordOffsets.length) * PLACE_BYTES), from(SP), 12); // add x12, sp, #…
  put(0xf8400400, PLACE_BYTES << 12, from(9), 11); // ldr x11, [x9], #8
  put(0xf8000400, PLACE_BYTES << 12, from(12), 11); // str x11, [x12], #8
  put(0xd1000000, plus(1), from(10), 10); // sub x10, x10, #1: the number counts the null in place of the name
  put(0xb5000000, (-3 & 0x7ffff) << 5, 10); // cbnz x10, three instructions back
  for (const [index, offset] of variableOffsets.entries()) {
    putAddress(offset);
    put(0xf9000000, plus(index), from(12), 11); // str x11, [x12, #…]
  }
  const pages = Math.floor(order.environAddress / 4096) -
    Math.floor((order.address + code.length * 4) / 4096);
  put(0x90000000, (pages & 3) << 29, (pages >> 2 & 0x7ffff) << 5, 11); // adrp x11, …
  put(0xf9400000, plus(order.environAddress % 4096 / PLACE_BYTES), from(11), 11); // ldr x11, [x11, #…]
  put(0xf9000000, from(11), 12); // str x12, [x11]
  put(0x14000000, (order.nextAddress - (order.address + code.length * 4)) / 4 & 0x3ffffff); // b …

  const octets = new DataView(new ArrayBuffer(code.length * 4));
  for (const [index, instruction] of code.entries()) octets.setUint32(index * 4, instruction, true);
  return new Uint8Array(octets.buffer);
}
