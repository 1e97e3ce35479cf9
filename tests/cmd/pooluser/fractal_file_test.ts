import assert from "node:assert/strict";
import { readFractalFile } from "../../../cmd/pooluser/fractal_file.ts";

const FILE = `<!DOCTYPE XMLFractalSave>
<FractalV1>
 <!-- <C1Real>99</C1Real> -->
 <Algorithm>
  <AlgorithmName>MandelbrotN</AlgorithmName>
  <C1Real>8.625e-02</C1Real>
  <C1Imag type="double"> 1.25 </C1Imag>
  <C2Real>-0.5</C2Real>
  <C2Imag>1</C2Imag>
  <Useroptions><MaxIterations>1000</MaxIterations><N>3</N></Useroptions>
 </Algorithm>
 <Resolution>800*600</Resolution>
</FractalV1>`;

Deno.test("readFractalFile() reads a file of RSPLIB's kind", () => {
  assert.deepEqual(readFractalFile(FILE), {
    algorithm: 2,
    c1Real: 0.08625,
    c1Imag: 1.25,
    c2Real: -0.5,
    c2Imag: 1,
    maxIterations: 1000,
    n: 3,
  });
});

Deno.test("readFractalFile() says what is wrong with a file", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["<AlgorithmName>MandelbrotN</AlgorithmName>", "", /AlgorithmName/],
    ["MandelbrotN", "Julia", /"Julia"; Mandelbrot and MandelbrotN/],
    ["8.625e-02", "left", /"left" for C1Real/],
    ["8.625e-02", "", /"" for C1Real/],
    ["8.625e-02", "1e999", /C1Real/],
    ["<C2Imag>1</C2Imag>", "", /does not say C2Imag/],
    ["<MaxIterations>1000", "<MaxIterations>1000001", /whole number from 1 to 1000000/],
    ["<MaxIterations>1000", "<MaxIterations>1.5", /whole number/],
  ];
  for (const [what, instead, message] of cases) {
    assert.throws(() => readFractalFile(FILE.replace(what, instead)), { name: "FractalFileError", message });
  }
  assert.throws(() => readFractalFile(" ".repeat(100_000)), /too long/);
});
