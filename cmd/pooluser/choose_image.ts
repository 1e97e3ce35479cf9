/** Which image to compute: one of the project's own, from a file, from a folder of files, or from options. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileProblem } from "../driver/file_problem.ts";
import type { Log } from "../driver/log.ts";
import { OptionError } from "../options.ts";
import { TEST_PATTERN } from "../../protocol/app/fractal/compute.ts";
import { FractalAlgorithm } from "../../protocol/app/fractal/messages.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { defaultImage, FractalFileError, readFractalFile } from "./fractal_file.ts";
import type { FractalImage } from "./fractal_file.ts";
import type { PoolUserOptionValues } from "./options.ts";
import { ownImages } from "./own_images.ts";

/** What `-configdir` calls RSPLIB's default image. */
export const NO_FOLDER = "none";

const ALGORITHMS = {
  Mandelbrot: FractalAlgorithm.mandelbrot,
  MandelbrotN: FractalAlgorithm.mandelbrotN,
  test: TEST_PATTERN,
} as const;

/** An image with what it is called. */
export interface ChosenImage {
  /** The file's name, or words for what is in no file. */
  readonly name: string;
  readonly parameter: FractalParameter;
}

/** A base for an image, before the options are looked at. */
interface NamedImage {
  readonly name: string;
  readonly image: FractalImage;
}

/** What an image is called that comes from RSPLIB's default one or from options alone. */
const DEFAULT_NAME = "default image";

/**
 * Chooses the next image. Options count more than a file; a folder without a usable file is warned of, and RSPLIB's default
 * image stands in, as in RSPLIB. That is also where an image begins that is told by options alone.
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
): ChosenImage {
  const { name, image: base } = baseImage(options, log, uniform);
  const parameter: FractalParameter = {
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
  return { name, parameter };
}

/** One of the own set, by its name, with nothing but the size from the options; undefined = there is none of this name. */
export function ownImage(name: string, { width, height }: PoolUserOptionValues): ChosenImage | undefined {
  const text = ownImages.get(name);
  if (text === undefined) return undefined;
  return { name, parameter: { type: "parameter", width, height, ...readFractalFile(text) } };
}

function baseImage(options: PoolUserOptionValues, log: Log, uniform: () => number): NamedImage {
  const { config, configdir } = options;
  if (config !== undefined) return namedImage(config, log);
  if (configdir !== undefined && configdir !== NO_FOLDER) return imageOfFolder(configdir, log, uniform);
  if (configdir === NO_FOLDER || isTold(options)) return { name: DEFAULT_NAME, image: defaultImage };
  const [name, text] = oneOf([...ownImages], uniform)!;
  return readImage(name, text, log);
}

/** Whether options say what the image is to be. */
function isTold({ algorithm, iterations, c1real, c1imag, c2real, c2imag, n }: PoolUserOptionValues): boolean {
  const numbers = [iterations, c1real, c1imag, c2real, c2imag, n];
  return algorithm !== "file" || numbers.some((number) => number !== undefined);
}

function namedImage(file: string, log: Log): NamedImage {
  const own = ownImages.get(file);
  if (own !== undefined) return readImage(file, own, log);
  try {
    return readImage(file, readFileSync(file, "utf-8"), log);
  } catch (error) {
    const names = error instanceof FractalFileError || file.includes("/") ? "" : `; ${ownNames()}`;
    throw new OptionError(`option -config: ${explain(file, error)}${names}`);
  }
}

function ownNames(): string {
  return `images without a file are ${[...ownImages.keys()].join(", ")}`;
}

function imageOfFolder(folder: string, log: Log, uniform: () => number): NamedImage {
  let path = folder;
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith(".fsf")).sort();
    const file = oneOf(files, uniform);
    if (file !== undefined) return readImage(path = join(folder, file), readFileSync(path, "utf-8"), log);
    log.warning(`${folder} has no *.fsf files; the default image is computed`);
  } catch (error) {
    log.warning(`${explain(path, error)}; the default image is computed`);
  }
  return { name: DEFAULT_NAME, image: defaultImage };
}

function oneOf<Value>(values: readonly Value[], uniform: () => number): Value | undefined {
  return values[Math.floor(uniform() * values.length)];
}

function readImage(file: string, text: string, log: Log): NamedImage {
  const image = readFractalFile(text);
  log.note(`image from ${file}`, { event: "imageFile", file });
  return { name: basename(file, ".fsf"), image };
}

function explain(path: string, error: unknown): string {
  if (error instanceof FractalFileError) return `${path} ${error.message}`;
  return `${path} cannot be read: ${fileProblem(error)}`;
}
