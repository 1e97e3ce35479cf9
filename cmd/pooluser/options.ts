/** Options of `rsp pooluser` (reference/rsplib.md §6.6). */
import { choice, decimal, flag, integer, text } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { clientOptions } from "../pool/client_options.ts";
import type { ClientOptions } from "../pool/client_options.ts";
import { webOption } from "../web/web_option.ts";
import type { WebChoice } from "../web/web_option.ts";
import { ownImages } from "./own_images.ts";
import { MAX_FRACTAL_ITERATIONS } from "../../protocol/app/fractal/messages.ts";

/** The options by name. */
export interface PoolUserOptions extends ClientOptions {
  readonly fractal: Option<boolean>;
  readonly poolhandle: Option<string>;
  readonly width: Option<number>;
  readonly height: Option<number>;
  readonly threads: Option<number>;
  readonly output: Option<string>;
  readonly images: Option<number>;
  readonly once: Option<boolean>;
  readonly imagestorageprefix: Option<string | undefined>;
  readonly statsfile: Option<string | undefined>;
  readonly interimagetime: Option<number>;
  readonly timeout: Option<number>;
  readonly config: Option<string | undefined>;
  readonly configdir: Option<string | undefined>;
  readonly algorithm: Option<"Mandelbrot" | "MandelbrotN" | "test" | "file">;
  readonly iterations: Option<number | undefined>;
  readonly c1real: Option<number | undefined>;
  readonly c1imag: Option<number | undefined>;
  readonly c2real: Option<number | undefined>;
  readonly c2imag: Option<number | undefined>;
  readonly n: Option<number | undefined>;
  readonly recvtimeout: Option<number>;
  readonly sendtimeout: Option<number>;
  readonly sessions: Option<boolean>;
  readonly colormarks: Option<boolean>;
  readonly caption: Option<string>;
  readonly picture: Option<"auto" | "on" | "off">;
  readonly web: Option<WebChoice>;
  readonly [name: string]: Option<unknown>;
}

/** Where the page usually is: behind the places of some monitors. */
export const POOL_USER_PAGE_PORT = 2970;

/** Points of an image each way, as in RSPLIB. */
export const MIN_SIZE = 64;
export const MAX_WIDTH = 8192;
export const MAX_HEIGHT = 4096;

const image = { group: "Image" } as const;
const corner = { ...image, min: -1e6, max: 1e6, defaultValue: undefined } as const;
const show = { group: "Display" } as const;

/** What `rsp pooluser` can be told. */
export const poolUserOptions: PoolUserOptions = {
  fractal: flag("Use the fractal service, which is what happens anyway"),
  poolhandle: text("Pool that computes, 1 to 32 octets", { defaultValue: "FractalGeneratorPool" }),
  threads: integer("Sessions at the same time, each with a part of the image", {
    aliases: ["parts"],
    min: 1,
    max: 512,
    defaultValue: 1,
  }),
  output: text("PNG file to write; %d stands for the number of the image", {
    valueName: "FILE",
    defaultValue: "fractal.png",
  }),
  imagestorageprefix: text("Keep each image, too, as PREFIX000001.png and so on", {
    valueName: "PREFIX",
    defaultValue: undefined,
  }),
  statsfile: text("Write down what each element did for each image; .bz2 packs the file", {
    valueName: "FILE",
    defaultValue: undefined,
  }),
  images: integer("How many images to compute; 0 = one after another until Ctrl+C, as RSPLIB's does", {
    aliases: ["count"],
    min: 0,
    max: 1_000_000,
    defaultValue: 1,
  }),
  once: flag("One image, which is what happens without -images, too"),
  interimagetime: decimal("Pause between two images", {
    valueName: "s",
    min: 0,
    max: 86_400,
    defaultValue: 5,
  }),
  timeout: decimal("Give an image up after this time, with exit code 1; 0 = never", {
    valueName: "s",
    min: 0,
    max: 1_000_000,
    defaultValue: 0,
  }),
  recvtimeout: integer("Leave an element that sends nothing for so long", {
    valueName: "ms",
    min: 100,
    max: 3_600_000,
    defaultValue: 5000,
  }),
  sendtimeout: integer("For RSPLIB's sake; -recvtimeout covers sending, too", {
    valueName: "ms",
    min: 100,
    max: 3_600_000,
    defaultValue: 5000,
  }),
  width: integer("Points from left to right", { ...image, min: MIN_SIZE, max: MAX_WIDTH, defaultValue: 400 }),
  height: integer("Points from top to bottom", {
    ...image,
    min: MIN_SIZE,
    max: MAX_HEIGHT,
    defaultValue: 250,
  }),
  config: text(
    "Take the image from a fractal configuration file (*.fsf), or one of the own set by its name",
    {
      ...image,
      valueName: "FILE",
      words: [...ownImages.keys()],
      defaultValue: undefined,
    },
  ),
  configdir: text("Take each image from a random *.fsf file of a folder; none = RSPLIB's default image", {
    ...image,
    valueName: "DIR",
    defaultValue: undefined,
    defaultText: "a set of its own; none when the options below say something",
  }),
  algorithm: choice(["file", "Mandelbrot", "MandelbrotN", "test"], "What to compute", {
    ...image,
    defaultValue: "file",
    defaultText: "what the file says, else Mandelbrot",
  }),
  iterations: integer("Most iterations a point", {
    ...image,
    min: 0,
    max: MAX_FRACTAL_ITERATIONS,
    defaultValue: undefined,
    defaultText: "1024",
  }),
  c1real: decimal("Left edge", { ...corner, defaultText: "-1.5" }),
  c1imag: decimal("Top edge", { ...corner, defaultText: "1.5" }),
  c2real: decimal("Right edge", { ...corner, defaultText: "1.5" }),
  c2imag: decimal("Bottom edge", { ...corner, defaultText: "-1.5" }),
  n: decimal("The power of MandelbrotN", { ...corner, defaultText: "2" }),
  picture: choice(["auto", "on", "off"], "Show the image while it grows, in a terminal with 24-bit colour", {
    ...show,
    defaultValue: "auto",
  }),
  colormarks: flag("Colour points by how often their session changed its element, too", show),
  sessions: flag("Colour points by their session, too", show),
  caption: text("A title for the display", { ...show, defaultValue: "Fractal Pool User" }),
  web: webOption(POOL_USER_PAGE_PORT),
  ...clientOptions,
};

/** Values of {@linkcode poolUserOptions}. */
export type PoolUserOptionValues = OptionValues<PoolUserOptions>;
