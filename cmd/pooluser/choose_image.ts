/** Which image to compute: from a file, from a folder of files, or from options. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import type { Log } from "../driver/log.ts";
import { OptionError } from "../options.ts";
import { TEST_PATTERN } from "../../protocol/app/fractal/compute.ts";
import { FractalAlgorithm } from "../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { defaultImage, FractalFileError, readFractalFile } from "./fractal_file.ts";
import type { FractalImage } from "./fractal_file.ts";
import type { PoolUserOptionValues } from "./options.ts";

const ALGORITHMS = {
  Mandelbrot: FractalAlgorithm.mandelbrot,
  MandelbrotN: FractalAlgorithm.mandelbrotN,
  test: TEST_PATTERN,
} as const;

/**
 * Chooses the next image. Options count more than a file; a folder without a usable file is warned of, and RSPLIB's default
 * image stands in, as in RSPLIB.
 *
 * @param options the command's
 * @param log tells which file was taken
 * @param uniform a random number in [0, 1)
 * @throws {OptionError} when the file of `-config` cannot be used
 */
export function chooseImage(
  options: PoolUserOptionValues,
  log: Log,
  uniform: () => number,
): FractalParameter {
  const base = baseImage(options, log, uniform);
  return {
    type: "parameter",
    width: options.width,
    height: options.height,
    algorithm: options.algorithm === "file" ? base.algorithm : ALGORITHMS[options.algorithm],
    maxIterations: options.iterations ?? base.maxIterations,
    c1Real: options.c1real ?? base.c1Real,
    c1Imag: options.c1imag ?? base.c1Imag,
    c2Real: options.c2real ?? base.c2Real,
    c2Imag: options.c2imag ?? base.c2Imag,
    n: options.n ?? base.n,
  };
}

function baseImage(options: PoolUserOptionValues, log: Log, uniform: () => number): FractalImage {
  if (options.config !== undefined) {
    try {
      return readImage(options.config, log);
    } catch (error) {
      throw new OptionError(`option -config: ${explain(options.config, error)}`);
    }
  }
  const folder = options.configdir;
  if (folder === undefined) return defaultImage;
  let path = folder;
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith(".fsf")).sort();
    const file = files[Math.floor(uniform() * files.length)];
    if (file !== undefined) return readImage(path = join(folder, file), log);
    log.warning(`${folder} has no *.fsf files; the default image is computed`);
  } catch (error) {
    log.warning(`${explain(path, error)}; the default image is computed`);
  }
  return defaultImage;
}

function readImage(path: string, log: Log): FractalImage {
  const image = readFractalFile(readFileSync(path, "utf-8"));
  log.note(`image from ${path}`, { event: "imageFile", file: path });
  return image;
}

function explain(path: string, error: unknown): string {
  if (error instanceof FractalFileError) return `${path} ${error.message}`;
  return `${path} cannot be read: ${fileProblem(error)}`;
}
