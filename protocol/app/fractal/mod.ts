/** RSPLIB's Fractal Generator Service: its messages, its images, and the machines of both sides. */
export { FractalClient } from "./client.ts";
export type { FractalClientOptions } from "./client.ts";
export type {
  CancelInput,
  ElementStatistics,
  FractalClientEffect,
  FractalClientInput,
  FractalClientReport,
  FractalPoints,
  ImageInput,
  ImageStatistics,
} from "./client_types.ts";
export { COLOUR_COUNT, colourOf, hsvToRgb, markedValue } from "./colour.ts";
export type { ColourMarks } from "./colour.ts";
export { computePoints, TEST_PATTERN } from "./compute.ts";
export { readFractalCookie, writeFractalCookie } from "./cookie.ts";
export type { FractalCookie } from "./cookie.ts";
export {
  FractalAlgorithm,
  MAX_DATA_POINTS,
  MAX_FRACTAL_ITERATIONS,
  MAX_FRACTAL_SIZE,
  readFractal,
  writeFractal,
} from "./messages.ts";
export type { FractalData, FractalEnd, FractalMessage, FractalParameter } from "./messages.ts";
export { FractalServer } from "./server.ts";
export type {
  ComputeEffect,
  ComputeInput,
  ComputeJob,
  FractalServerEffect,
  FractalServerInput,
  FractalServerOptions,
  FractalServerReport,
} from "./server_types.ts";
export { partition, subParameter } from "./subimage.ts";
export type { Rectangle } from "./subimage.ts";
