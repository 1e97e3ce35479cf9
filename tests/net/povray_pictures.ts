/** Compares pictures of POV-Ray with what it draws without a pool. */
import assert from "node:assert/strict";
import { decode } from "fast-png";

/** Smoothing at the edges of POV-Ray's tiles depends on which thread is first: some samples in ten thousand differ. */
const MAX_DIFFERENCE = 0.002;

/** Both files are pictures of this size, and the same but for POV-Ray's whims. */
export async function assertSamePicture(
  picture: string,
  reference: string,
  size: readonly [width: number, height: number],
): Promise<void> {
  const [drawn, expected] = await Promise.all([picture, reference].map((file) => samples(file, size)));
  const different = drawn!.filter((sample, index) => sample !== expected![index]).length;
  assert.ok(
    different <= MAX_DIFFERENCE * expected!.length,
    `${picture}: ${different} of ${expected!.length} samples are different`,
  );
  assert.ok(new Set(drawn).size > 8, `${picture} is a picture`);
}

async function samples(file: string, size: readonly [number, number]): Promise<Uint8Array> {
  const { width, height, data } = decode(await Deno.readFile(file));
  assert.deepEqual([width, height], size, file);
  return Uint8Array.from(data);
}
