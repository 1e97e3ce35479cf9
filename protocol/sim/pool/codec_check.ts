import { readAsap, writeAsap } from "../../asap/mod.ts";
import { readEnrp, writeEnrp } from "../../enrp/mod.ts";
import { Ppid } from "../../net.ts";

/** Messages that are remembered as good: keep-alives and presences come again and again with the same octets. */
const MAX_REMEMBERED = 4096;

/** Checks that every message of ASAP and ENRP survives reading and writing: the same octets come out. */
export class CodecChecker {
  readonly #good = new Map<number, Uint8Array>();
  /** How many messages were looked at. */
  checked = 0;

  /**
   * Looks at a message.
   *
   * @param protocol which of the two
   * @returns what is wrong with it
   */
  check(protocol: "asap" | "enrp", data: Uint8Array): string | undefined {
    this.checked++;
    const key = (hash(data) * 2 + (protocol === "asap" ? 0 : 1)) % MAX_REMEMBERED;
    const known = this.#good.get(key);
    if (known !== undefined && isSame(known, data)) return undefined;
    const unrecognized: Uint8Array[] = [];
    let again: Uint8Array;
    try {
      again = protocol === "asap"
        ? writeAsap(readAsap(data, unrecognized))
        : writeEnrp(readEnrp(data, unrecognized));
    } catch (error) {
      return `a message cannot be read: ${error instanceof Error ? error.message : error}, ${data.toHex()}`;
    }
    if (unrecognized.length > 0) return `a message has a parameter that is unknown: ${data.toHex()}`;
    if (!isSame(again, data)) return `a message reads as another one: ${data.toHex()} as ${again.toHex()}`;
    this.#good.set(key, data);
    return undefined;
  }
}

/** The protocol of a payload protocol identifier or a group. */
export function protocolOf(to: string | object, ppid: Ppid): "asap" | "enrp" | undefined {
  if (typeof to === "string") return to === "asap" ? "asap" : to === "enrp" ? "enrp" : undefined;
  return ppid === Ppid.asap ? "asap" : ppid === Ppid.enrp ? "enrp" : undefined;
}

function hash(data: Uint8Array): number {
  let value = data.length;
  for (let i = 0; i < data.length; i++) value = Math.imul(value ^ data[i]!, 0x01000193);
  return (value ^ value >>> 15) >>> 0;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
