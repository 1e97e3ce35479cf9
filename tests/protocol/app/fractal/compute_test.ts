import assert from "node:assert/strict";
import { computePoints, TEST_PATTERN } from "../../../../protocol/app/fractal/compute.ts";
import { readFractal } from "../../../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../../../protocol/app/fractal/messages.ts";
import { Ppid } from "../../../../protocol/net.ts";
import { readCapture } from "../../../golden/captures.ts";
import { IMAGE, wholeImage } from "./fixture.ts";
import { fc } from "../../../properties.ts";

/** The plainest loop that says what RSPLIB computes. */
function plainMandelbrot(parameter: FractalParameter, x: number, y: number): number {
  const cReal = parameter.c1Real + x * ((parameter.c2Real - parameter.c1Real) / parameter.width);
  const cImag = parameter.c1Imag + y * ((parameter.c2Imag - parameter.c1Imag) / parameter.height);
  let real = 0, imag = 0;
  for (let i = 0; i < parameter.maxIterations; i++) {
    [real, imag] = [real * real - imag * imag - cReal, 2 * real * imag - cImag];
    if (real * real + imag * imag >= 2) return i;
  }
  return parameter.maxIterations;
}

for (const name of ["exercise-h2.pcap", "exercise-h4.pcap"] as const) {
  Deno.test(`computePoints() gives the very values that RSPLIB's servers sent in ${name}`, () => {
    const messages = readCapture(name).messages
      .filter(({ ppid }) => ppid === Ppid.fractalGenerator)
      .map(({ data }) => readFractal(data));
    // The captured user asked for two halves of one image; a half of the parameters may lie in the other capture.
    const left: FractalParameter = { ...IMAGE, width: 100, height: 120, maxIterations: 1024, c2Real: 0 };
    const halves = [left, { ...left, c1Real: 0, c2Real: 1.5 }];
    for (const message of messages) {
      if (message.type === "parameter") assert.ok(halves.some((half) => isSame(half, message)));
    }
    let points = 0;
    for (const message of messages) {
      if (message.type !== "data") continue;
      const { startX, startY, values } = message;
      const computed = halves.map((half) => {
        const own = new Uint32Array(values.length);
        computePoints(half, startY * half.width + startX, own);
        return own.toString();
      });
      assert.ok(computed.includes(values.toString()), `Data from (${startX}, ${startY})`);
      points += values.length;
    }
    assert.ok(points > 15_000, `${points} points were compared`);
  });
}

function isSame(a: FractalParameter, b: FractalParameter): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}

Deno.test("computePoints() gives what the plain loop gives, cycles or not", () => {
  const coordinate = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(
      coordinate,
      coordinate,
      coordinate,
      coordinate,
      fc.integer({ min: 0, max: 3000 }),
      (c1Real, c1Imag, c2Real, c2Imag, maxIterations) => {
        const parameter = { ...IMAGE, width: 5, height: 4, maxIterations, c1Real, c1Imag, c2Real, c2Imag };
        const plain = Array.from(
          { length: 20 },
          (_, i) => plainMandelbrot(parameter, i % 5, Math.floor(i / 5)),
        );
        assert.deepEqual([...wholeImage(parameter)], plain);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("computePoints() gives the same points in pieces as in one go", () => {
  const whole = wholeImage(IMAGE);
  for (const [first, count] of [[0, 1], [99, 2], [150, 324], [5999, 1], [1234, 4000]] as const) {
    const piece = new Uint32Array(count);
    computePoints(IMAGE, first, piece);
    assert.deepEqual(piece, whole.slice(first, first + count));
  }
});

Deno.test("computePoints() makes MandelbrotN of N = 2 the Mandelbrot set", () => {
  assert.deepEqual(wholeImage({ ...IMAGE, algorithm: 2, n: 2 }), wholeImage(IMAGE));
});

Deno.test("computePoints() gives nearly the same for a whole power and for the real power beside it", () => {
  const whole = wholeImage({ ...IMAGE, algorithm: 2, n: 3 });
  const beside = wholeImage({ ...IMAGE, algorithm: 2, n: 3 + 1e-13 });
  const different = whole.filter((value, index) => value !== beside[index]).length;
  assert.ok(different < whole.length / 500, `${different} of ${whole.length} points differ`);
});

Deno.test("computePoints() never escapes where N is not positive, as RSPLIB", () => {
  for (const n of [-1, -2.5]) {
    assert.ok(wholeImage({ ...IMAGE, algorithm: 2, n }).every((value) => value === IMAGE.maxIterations));
  }
});

Deno.test("computePoints() draws (x * y) mod 256 for every other algorithm", () => {
  for (const algorithm of [TEST_PATTERN, 3, 0xffffffff]) {
    const values = wholeImage({ ...IMAGE, algorithm });
    assert.ok(values.every((value, index) => value === (index % 100) * Math.floor(index / 100) % 256));
  }
  const corner = new Uint32Array(1);
  const big = { ...IMAGE, algorithm: TEST_PATTERN, width: 65536, height: 65536 };
  computePoints(big, 65536 * 65536 - 1, corner);
  assert.equal(corner[0], 65535 * 65535 % 256);
});
