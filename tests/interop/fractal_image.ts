/** Judges a fractal image: what of it was on the network, and the file that our pool user wrote. */
import assert from "node:assert/strict";
import { computePoints } from "../../protocol/app/fractal/compute.ts";
import { readFractalCookie } from "../../protocol/app/fractal/cookie.ts";
import {
  type FractalMessage,
  type FractalParameter,
  MAX_DATA_POINTS,
  readFractal,
} from "../../protocol/app/fractal/messages.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SeenMessage } from "./live_capture.ts";

/** What a message of the fractal service says; undefined for other messages. */
export function fractalOf({ ppid, data }: SeenMessage): FractalMessage | undefined {
  return ppid === Ppid.fractalGenerator ? readFractal(data) : undefined;
}

/**
 * Every pixel came over the wire, with the value that the parameters demand, and the end was told. None was computed again
 * that the last cookie told of.
 *
 * @param isHasty matches what comes from a server of RSPLIB's that was lost: by its timer, it sends a cookie that tells of
 *   points which are still to be sent (reference/rsplib.md §5.2), and in that moment it may be lost
 */
export function assertWholeImage(
  seen: readonly SeenMessage[],
  isHasty: (message: SeenMessage) => boolean = () => false,
): void {
  const messages = seen.map(fractalOf).filter((message) => message !== undefined);
  const parameter = messages.find((message): message is FractalParameter => message.type === "parameter");
  assert.ok(parameter !== undefined, "a Parameter was sent");
  const { width, height } = parameter;
  const expected = new Uint32Array(width * height);
  computePoints(parameter, 0, expected);
  const came = new Uint8Array(width * height);
  let wrong = 0, repeated = 0, sinceCookie = 0, untold = 0;
  for (const one of seen) {
    if (one.asap?.type === "cookie") sinceCookie = 0;
    const message = fractalOf(one);
    if (message?.type !== "data") continue;
    sinceCookie += message.values.length;
    untold = Math.max(untold, sinceCookie);
    const first = message.startY * width + message.startX;
    for (const [i, value] of message.values.entries()) {
      repeated += came[first + i]!;
      came[first + i] = 1;
      if (value !== expected[first + i]) wrong++;
    }
  }
  const promised = promisedPixels(seen.filter(isHasty));
  const missing = [...came.keys()].filter((pixel) => came[pixel] === 0 && !promised.includes(pixel));
  assert.equal(missing.length, 0, "all pixels were sent");
  assert.equal(wrong, 0, "pixels with another value than the formula's");
  const failovers = seen.filter(({ asap }) => asap?.type === "cookieEcho").length;
  assert.ok(
    repeated <= failovers * untold,
    `${repeated} points in ${failovers} failovers, ${untold} a cookie`,
  );
  assert.ok(messages.some(({ type }) => type === "end"), "the end was told");
}

/** Pixels before the position in a server's last message, if that is a cookie: so many as a message has room for. */
function promisedPixels(sent: readonly SeenMessage[]): readonly number[] {
  const last = sent.findLast((one) => one.asap?.type === "cookie" || fractalOf(one) !== undefined);
  if (last?.asap?.type !== "cookie") return [];
  const { parameter: { width }, currentX, currentY } = readFractalCookie(last.asap.cookie);
  const end = currentY * width + currentX;
  return Array.from({ length: Math.min(end, MAX_DATA_POINTS) }, (_, i) => end - 1 - i);
}

/** A PNG file of this size is there. */
export async function assertPng(file: string, width: number, height: number): Promise<void> {
  const image = await Deno.readFile(file);
  assert.deepEqual(image.subarray(0, 8), Uint8Array.fromHex("89504e470d0a1a0a"));
  const view = new DataView(image.buffer);
  assert.deepEqual([view.getUint32(16), view.getUint32(20)], [width, height]); // of IHDR
}
