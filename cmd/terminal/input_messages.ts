/** What a person types or a program hands over, as messages to send. */
import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import { chunksOf } from "../driver/chunks.ts";

/** The longest message, in octets. A longer line is sent in parts: what makes no line at all must go out, too. */
export const MAX_INPUT_MESSAGE: number = 16 * 1024;

const LINE_FEED = 0x0a;

/**
 * Reads a stream line by line, octets as they are, line feeds included; the last line needs none.
 *
 * @param signal ends it
 */
export async function* inputMessages(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for await (const chunk of chunksOf(stream, signal)) {
    const octets = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    rest = rest.length === 0 ? Uint8Array.from(octets) : Buffer.concat([rest, octets]);
    for (let end = messageEnd(rest); end !== undefined; end = messageEnd(rest)) {
      yield rest.slice(0, end);
      rest = rest.subarray(end);
    }
  }
  if (rest.length > 0 && !signal.aborted) yield rest.slice();
}

/** Where the first message ends; undefined = it is not whole. */
function messageEnd(octets: Uint8Array): number | undefined {
  const end = octets.subarray(0, MAX_INPUT_MESSAGE).indexOf(LINE_FEED) + 1;
  if (end > 0) return end;
  return octets.length >= MAX_INPUT_MESSAGE ? MAX_INPUT_MESSAGE : undefined;
}
