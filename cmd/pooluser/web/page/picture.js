// @ts-check
/** The points of the picture, and how they are painted: the page's copy of what the program has. */

import { make } from "shared/dom.js";

/** @typedef {import("../page_words.ts").PageImage} PageImage */
/** @typedef {import("../page_words.ts").PagePoints} PagePoints */

/**
 * What the colours show besides the points' values.
 *
 * @typedef {object} PictureView
 * @property {boolean} sessions each session has hues of its own, as with -sessions
 * @property {boolean} colormarks the hue changes with each failover and each image, as with -colormarks
 * @property {boolean} elements each pool element has a hue of its own
 * @property {number} highlighted index of the element whose points stand out; -1 = none
 */

/**
 * What is known of a point.
 *
 * @typedef {object} PointFacts
 * @property {number} part
 * @property {number} element
 * @property {number} peChanges
 */

const NOT_THERE = 255;
const COLOUR_COUNT = 72;
const PICTURE_HEADER_LENGTH = 12;

/** 0xAABBGGRR, as the words of a picture's data are on machines that browsers run on. */
const COLOURS = Uint32Array.from({ length: COLOUR_COUNT }, (_, index) => hsv(5 * index));

/** Octets of RSPLIB's colours: full saturation and brightness. @param {number} hue in degrees */
function hsv(hue) {
  const component = (/** @type {number} */ offset) => {
    const sector = (offset + hue / 60) % 6;
    const fraction = Math.max(0, Math.min(sector, 4 - sector, 1));
    return Math.round((1 - fraction) * 0xffff) >> 8;
  };
  return (0xff << 24 | component(1) << 16 | component(3) << 8 | component(5)) >>> 0;
}

/** The hue of a pool element: each far from those before it. @param {number} element */
export function elementHue(element) {
  return (215 + element * 137.508) % 360;
}

/** Colours of an element's points: its hue, the lighter the higher the value within its round. @type {Map<number, Uint32Array>} */
const elementColours = new Map();

/** @param {number} element */
function coloursOf(element) {
  let colours = elementColours.get(element);
  if (colours === undefined) {
    colours = Uint32Array.from({ length: COLOUR_COUNT }, (_, index) => {
      const wave = Math.abs(2 * index / COLOUR_COUNT - 1); // no jump where the hues begin anew
      return hsl(elementHue(element), 0.7, 0.25 + 0.5 * wave);
    });
    elementColours.set(element, colours);
  }
  return colours;
}

/** @param {number} hue @param {number} saturation @param {number} lightness */
function hsl(hue, saturation, lightness) {
  const component = (/** @type {number} */ offset) => {
    const k = (offset + hue / 30) % 12;
    const amplitude = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return (0xff << 24 | component(4) << 16 | component(8) << 8 | component(0)) >>> 0;
}

/** A quarter and an eighth of a colour's light. @param {number} word */
function dimmed(word) {
  return ((word >>> 2 & 0x3f3f3f) + (word >>> 3 & 0x1f1f1f) | 0xff000000) >>> 0;
}

/** The picture on a canvas. */
export class Picture {
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {CanvasRenderingContext2D} */
  #context;
  /** @type {CanvasRenderingContext2D} */
  #before;
  /** @type {PageImage | undefined} */
  #image;
  #data = new ImageData(1, 1);
  #words = new Uint32Array(1);
  #hues = new Uint8Array(1);
  #changes = new Uint8Array(1);
  #elements = new Uint8Array(1);
  /** @type {PictureView} */
  #view = { sessions: false, colormarks: false, elements: false, highlighted: -1 };

  /** @param {HTMLCanvasElement} canvas @param {HTMLCanvasElement} before where the last picture stays behind the next one */
  constructor(canvas, before) {
    this.#canvas = canvas;
    // Pixels come from memory all the time: there they stay.
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const behind = before.getContext("2d");
    if (context === null || behind === null) throw new TypeError("This browser draws no pictures");
    this.#context = context;
    this.#before = behind;
  }

  /** Saves what is seen. @param {string} name of the file */
  save(name) {
    this.#canvas.toBlob((blob) => {
      if (blob === null) return;
      const url = URL.createObjectURL(blob);
      make("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    }, "image/png");
  }

  /** Begins an image: no point is there. @param {PageImage} image */
  begin(image) {
    this.#keep(image);
    this.#image = image;
    const { width, height } = image.parameter;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#data = new ImageData(width, height);
    this.#words = new Uint32Array(this.#data.data.buffer);
    const points = width * height;
    this.#hues = new Uint8Array(points).fill(NOT_THERE);
    this.#changes = new Uint8Array(points);
    this.#elements = new Uint8Array(points);
  }

  /** Keeps what the present picture shows of the next one, if that is another view of it. @param {PageImage} next */
  #keep({ name, parameter: to }) {
    const { canvas } = this.#before;
    canvas.width = to.width; // which clears it
    canvas.height = to.height;
    const last = this.#image;
    if (last === undefined || last.name !== name) return;
    const from = last.parameter;
    const pointsPerReal = from.width / (from.c2Real - from.c1Real);
    const pointsPerImag = from.height / (from.c2Imag - from.c1Imag);
    const left = (to.c1Real - from.c1Real) * pointsPerReal, top = (to.c1Imag - from.c1Imag) * pointsPerImag;
    const width = (to.c2Real - to.c1Real) * pointsPerReal, height = (to.c2Imag - to.c1Imag) * pointsPerImag;
    this.#before.drawImage(this.#canvas, left, top, width, height, 0, 0, to.width, to.height);
  }

  /**
   * Takes the planes that the program has.
   *
   * @param {ArrayBuffer} octets
   * @returns {number | undefined} number of the last update that is in them; undefined = they are of another image
   */
  load(octets) {
    const view = new DataView(octets);
    const points = this.#hues.length;
    const isOfImage = view.getUint32(0) === this.#image?.number && view.getUint32(8) === points;
    if (!isOfImage) return undefined;
    const plane = (/** @type {number} */ index) =>
      new Uint8Array(octets, PICTURE_HEADER_LENGTH + index * points, points);
    this.#hues = plane(0);
    this.#changes = plane(1);
    this.#elements = plane(2);
    this.#paintAll();
    return view.getUint32(4);
  }

  /** Paints new points. @param {PagePoints} points */
  add({ runs, hues: text }) {
    const image = this.#image;
    if (image === undefined) return;
    const hues = octetsOf(text);
    const { width } = image.parameter;
    let done = 0;
    for (const [part, element, changes, first, count] of runs) {
      const area = image.areas[part];
      if (area === undefined) return;
      const [left, top, columns] = area;
      const last = first + count;
      for (let position = first; position < last;) {
        const column = position % columns, row = Math.floor(position / columns);
        const length = Math.min(columns - column, last - position);
        const index = (top + row) * width + left + column;
        this.#hues.set(hues.subarray(done, done + length), index);
        this.#changes.fill(changes, index, index + length);
        this.#elements.fill(element, index, index + length);
        this.#paint(index, length, part);
        position += length;
        done += length;
      }
      const from = Math.floor(first / columns), to = Math.floor((last - 1) / columns);
      this.#context.putImageData(this.#data, 0, 0, left, top + from, columns, to - from + 1);
    }
  }

  /** Paints all points as another view has them. @param {PictureView} view */
  show(view) {
    this.#view = view;
    this.#paintAll();
  }

  /** What is known of a point; undefined = it is not there yet. @param {number} x @param {number} y @returns {PointFacts | undefined} */
  pointAt(x, y) {
    const image = this.#image;
    if (image === undefined) return undefined;
    const index = y * image.parameter.width + x;
    const hue = this.#hues[index];
    if (hue === undefined || hue === NOT_THERE) return undefined;
    return {
      part: this.partAt(x, y),
      element: this.#elements[index] ?? 0,
      peChanges: this.#changes[index] ?? 0,
    };
  }

  /** The part that a point belongs to. @param {number} x @param {number} y */
  partAt(x, y) {
    return (this.#image?.areas ?? []).findIndex(([left, top, width, height]) =>
      x >= left && x < left + width && y >= top && y < top + height
    );
  }

  #paintAll() {
    const image = this.#image;
    if (image === undefined) return;
    for (const [part, [left, top, width, height]] of image.areas.entries()) {
      for (let row = top; row < top + height; row++) {
        this.#paint(row * image.parameter.width + left, width, part);
      }
    }
    this.#context.putImageData(this.#data, 0, 0);
  }

  /** @param {number} first @param {number} count @param {number} part */
  #paint(first, count, part) {
    const { sessions, colormarks, elements, highlighted } = this.#view;
    const offset = (sessions ? 3 * part : 0) + (colormarks ? 2 * ((this.#image?.number ?? 1) - 1) : 0);
    const perChange = colormarks ? 5 : 0;
    for (let index = first; index < first + count; index++) {
      const hue = this.#hues[index] ?? NOT_THERE;
      if (hue === NOT_THERE) {
        this.#words[index] = 0;
        continue;
      }
      const element = this.#elements[index] ?? 0;
      const shade = (hue + offset + perChange * (this.#changes[index] ?? 0)) % COLOUR_COUNT;
      const word = (elements ? coloursOf(element) : COLOURS)[shade] ?? 0;
      this.#words[index] = highlighted === -1 || element === highlighted ? word : dimmed(word);
    }
  }
}

/** @param {string} text Base64 */
function octetsOf(text) {
  const letters = atob(text);
  const octets = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) octets[index] = letters.charCodeAt(index);
  return octets;
}
