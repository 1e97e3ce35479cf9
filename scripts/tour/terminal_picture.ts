/** A terminal's screen as a picture: SVG, which is small, sharp at every size, and text to whoever searches it. */

/** What a cell looks like. */
interface Style {
  readonly color: string | undefined;
  readonly background: string | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isInverse: boolean;
}

/** Cells of one style that stand side by side. */
interface Run {
  readonly column: number;
  readonly text: string;
  readonly style: Style;
}

const PLAIN: Style = {
  color: undefined,
  background: undefined,
  isBold: false,
  isDim: false,
  isInverse: false,
};

/** Of a dark terminal: plain, then bright. */
const COLORS: readonly string[] = [
  ...["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#c9d1d9"],
  ...["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
];
const FOREGROUND = "#c9d1d9", BACKGROUND = "#0d1117", FRAME = "#161b22", TITLE = "#8b949e";

/** Pixels of a cell, and around all of them. */
const CELL_WIDTH = 8.4, CELL_HEIGHT = 18, MARGIN = 14, TITLE_HEIGHT = 30, FONT_SIZE = 14;

/**
 * Draws a screen.
 *
 * @param screen lines with the sequences of colours and styles that `tmux capture-pane -e` gives
 * @param title what stands above it, such as the command
 */
export function terminalPicture(screen: string, title: string): string {
  const lines = screen.replace(/\s+$/, "").split("\n").map(runsOf);
  const columns = Math.max(
    80,
    ...lines.map((runs) => Math.max(0, ...runs.map(({ column, text }) => column + text.length))),
  );
  const width = Math.ceil(columns * CELL_WIDTH + 2 * MARGIN);
  const height = TITLE_HEIGHT + lines.length * CELL_HEIGHT + 2 * MARGIN;
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map((color, index) => {
    return `<circle cx="${MARGIN + 4 + 18 * index}" cy="${TITLE_HEIGHT / 2}" r="5.5" fill="${color}"/>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-label="${escaped(title)}">`,
    `<rect width="${width}" height="${height}" rx="9" fill="${BACKGROUND}"/>`,
    `<path d="M0 ${TITLE_HEIGHT}V9a9 9 0 0 1 9-9H${
      width - 9
    }a9 9 0 0 1 9 9V${TITLE_HEIGHT}z" fill="${FRAME}"/>`,
    ...dots,
    `<g font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="${FONT_SIZE}" fill="${FOREGROUND}">`,
    `<text x="${width / 2}" y="${TITLE_HEIGHT / 2 + 5}" text-anchor="middle" font-size="13" fill="${TITLE}">${
      escaped(title)
    }</text>`,
    ...lines.flatMap((runs, row) => runs.map((run) => drawRun(run, row))),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function drawRun({ column, text, style }: Run, row: number): string {
  const x = round(MARGIN + column * CELL_WIDTH), top = TITLE_HEIGHT + MARGIN + row * CELL_HEIGHT;
  const width = round(text.length * CELL_WIDTH);
  const [color, background] = style.isInverse
    ? [style.background ?? BACKGROUND, style.color ?? FOREGROUND]
    : [style.color, style.background];
  const behind = background === undefined
    ? ""
    : `<rect x="${x}" y="${top}" width="${width}" height="${CELL_HEIGHT}" fill="${background}"/>`;
  if (text.trim() === "") return behind;
  const looks = [
    color === undefined ? "" : ` fill="${color}"`,
    style.isBold ? ' font-weight="bold"' : "",
    style.isDim ? ' opacity="0.6"' : "",
  ].join("");
  // The length is that of the cells, whatever font there is.
  return `${behind}<text x="${x}" y="${
    top + 14
  }" textLength="${width}" lengthAdjust="spacingAndGlyphs"${looks}>${escaped(text)}</text>`;
}

/** The runs of a line. Where there are several spaces a new run begins: pictures do not keep them. */
function runsOf(line: string): Run[] {
  const runs: Run[] = [];
  let style = PLAIN, column = 0;
  // deno-lint-ignore no-control-regex -- the sequences are what is looked for
  for (const [part, codes, text = ""] of line.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (part.startsWith("\x1b")) {
      style = restyled(style, codes ?? "");
      continue;
    }
    const isFilled = style.background !== undefined || style.isInverse;
    if (isFilled) runs.push({ column, text: " ".repeat(text.length), style });
    for (const { 0: words, index } of text.matchAll(/\S+(?: \S+)*/g)) {
      runs.push({ column: column + index, text: words, style: isFilled ? inFront(style) : style });
    }
    column += text.length;
  }
  return runs;
}

/** The style of text before a background that is there already. */
function inFront(style: Style): Style {
  const color = style.isInverse ? style.background ?? BACKGROUND : style.color;
  return { ...style, color, background: undefined, isInverse: false };
}

function restyled(before: Style, codes: string): Style {
  let style = before;
  const numbers = codes.split(";").map(Number);
  for (const [index, code] of numbers.entries()) {
    if (code === 0) style = PLAIN;
    else if (code === 1) style = { ...style, isBold: true };
    else if (code === 2) style = { ...style, isDim: true };
    else if (code === 7) style = { ...style, isInverse: true };
    else if (code === 22) style = { ...style, isBold: false, isDim: false };
    else if (code === 27) style = { ...style, isInverse: false };
    else if (code === 38 || code === 48) {
      const color = extendedColor(numbers.slice(index + 1));
      return code === 38 ? { ...style, color } : { ...style, background: color };
    } else if (code === 39) style = { ...style, color: undefined };
    else if (code === 49) style = { ...style, background: undefined };
    else if (code >= 30 && code < 38) style = { ...style, color: COLORS[code - 30] };
    else if (code >= 90 && code < 98) style = { ...style, color: COLORS[code - 82] };
    else if (code >= 40 && code < 48) style = { ...style, background: COLORS[code - 40] };
    else if (code >= 100 && code < 108) style = { ...style, background: COLORS[code - 92] };
  }
  return style;
}

/** `5;n`, one of 256, or `2;r;g;b`. */
function extendedColor([kind, ...values]: readonly number[]): string | undefined {
  if (kind === 2) return hex(values);
  const [number = 0] = values;
  if (number < 16) return COLORS[number];
  if (number >= 232) return hex(Array.from({ length: 3 }, () => 8 + 10 * (number - 232)));
  const steps = [36, 6, 1].map((weight) => Math.floor((number - 16) / weight) % 6);
  return hex(steps.map((step) => step === 0 ? 0 : 55 + 40 * step));
}

function hex(values: readonly number[]): string {
  return `#${values.slice(0, 3).map((value) => Math.min(255, value).toString(16).padStart(2, "0")).join("")}`;
}

function round(value: number): number {
  return Math.round(10 * value) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}
