/** Partial reliability and interleaving on the workbench: what the peer that the tests play needs for them. */
import { type EndpointOptions, type PartialReliability } from "../../protocol/net.ts";
import {
  accept,
  be,
  chunk,
  chunksOf,
  type Established,
  read,
  type SentChunk,
  type SentPacket,
  tlv,
} from "./bench.ts";

/** Chunk types of the extensions. */
export const Extension = { iData: 64, forwardTsn: 192, iForwardTsn: 194 } as const;

/** The parameter Forward-TSN-Supported (RFC 3758 §3.1). */
export const FORWARD_TSN_SUPPORTED: readonly number[] = tlv(0xc000, []);

/** The parameter Supported Extensions (RFC 5061 §4.2.7). */
export function supportedExtensions(types: readonly number[]): number[] {
  return tlv(0x8008, types);
}

/** An association whose peer takes part in partial reliability. */
export function acceptPartial(endpoint: EndpointOptions = {}, window = 100_000): Established {
  return accept({ endpoint }, { window, parameters: FORWARD_TSN_SUPPORTED });
}

/** An association with interleaving; with partial reliability, too, unless `types` says otherwise. */
export function acceptInterleaved(
  types: readonly number[] = [Extension.iData, Extension.forwardTsn, Extension.iForwardTsn],
  window = 100_000,
): Established {
  return accept({ endpoint: { interleaving: true } }, { window, parameters: supportedExtensions(types) });
}

/** A FORWARD TSN; streams are [stream, stream sequence number]. */
export function forwardTsn(
  cumulative: number,
  streams: readonly (readonly [number, number])[] = [],
): Uint8Array {
  return chunk(Extension.forwardTsn, 0, [
    ...be(4, cumulative >>> 0),
    ...streams.flatMap(([stream, ssn]) => [...be(2, stream), ...be(2, ssn)]),
  ]);
}

/** What a FORWARD TSN says. */
export function readForwardTsn({ value }: SentChunk): { cumulative: number; streams: [number, number][] } {
  const streams: [number, number][] = [];
  for (let at = 4; at < value.length; at += 4) streams.push([read(value, at, 2), read(value, at + 2, 2)]);
  return { cumulative: read(value, 0, 4), streams };
}

/** A skipped message of an I-FORWARD-TSN. */
export interface Skipped {
  readonly stream: number;
  readonly unordered: boolean;
  readonly mid: number;
}

/** An I-FORWARD-TSN. */
export function iForwardTsn(cumulative: number, skipped: readonly Skipped[] = []): Uint8Array {
  return chunk(Extension.iForwardTsn, 0, [
    ...be(4, cumulative >>> 0),
    ...skipped.flatMap((
      { stream, unordered, mid },
    ) => [...be(2, stream), 0, unordered ? 1 : 0, ...be(4, mid)]),
  ]);
}

/** What an I-FORWARD-TSN says. */
export function readIForwardTsn({ value }: SentChunk): { cumulative: number; skipped: Skipped[] } {
  const skipped: Skipped[] = [];
  for (let at = 4; at < value.length; at += 8) {
    skipped.push({
      stream: read(value, at, 2),
      unordered: (value[at + 3]! & 1) !== 0,
      mid: read(value, at + 4, 4),
    });
  }
  return { cumulative: read(value, 0, 4), skipped };
}

/** An I-DATA chunk; `ppid` is the fragment sequence number where the B bit is not set. */
export function iData(
  { tsn, stream = 0, mid = 0, ppid = 0, flags = 3, data = [1, 2, 3, 4] }: {
    readonly tsn: number;
    readonly stream?: number;
    readonly mid?: number;
    readonly ppid?: number;
    /** I 8, U 4, B 2, E 1; default BE. */
    readonly flags?: number;
    readonly data?: ArrayLike<number>;
  },
): Uint8Array {
  return chunk(Extension.iData, flags, [
    ...be(4, tsn >>> 0),
    ...be(2, stream),
    ...be(2, 0),
    ...be(4, mid),
    ...be(4, ppid),
    ...Array.from(data),
  ]);
}

/** The fixed fields of an I-DATA chunk that was sent. */
export function readIData({ value, flags }: SentChunk): {
  tsn: number;
  stream: number;
  reserved: number;
  mid: number;
  ppid: number;
  flags: number;
  octets: number;
} {
  return {
    tsn: read(value, 0, 4),
    stream: read(value, 4, 2),
    reserved: read(value, 6, 2),
    mid: read(value, 8, 4),
    ppid: read(value, 12, 4),
    flags,
    octets: value.length - 16,
  };
}

/** What is sent, and how. */
export interface SendFields {
  readonly octets?: number;
  readonly stream?: number;
  readonly unordered?: boolean;
  readonly reliability?: PartialReliability;
  readonly context?: number;
  readonly ppid?: number;
  readonly destination?: string;
  readonly sackImmediately?: boolean;
}

/** The application sends a message. */
export function sendMessage(
  { bench, association }: Established,
  { octets = 100, ppid = 3, ...rest }: SendFields = {},
): SentPacket[] {
  return bench.execute({ type: "send", association, data: new Uint8Array(octets).fill(7), ppid, ...rest });
}

/** Messages that have reached the application: [stream, number, first octet]. */
export function received({ bench }: Established): [number, number, number][] {
  return bench.eventsOf("message").map(({ stream, ssn, data }) => [stream, ssn, data[0]!]);
}

/** TSNs of the DATA chunks in some packets. */
export function dataTsns(packets: readonly SentPacket[]): number[] {
  return [...chunksOf(packets, 0), ...chunksOf(packets, Extension.iData)].map(({ value }) =>
    read(value, 0, 4)
  );
}
