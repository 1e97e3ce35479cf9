/** What a terminal shows while an image is computed. */
import { renderPicture } from "../tui/half_blocks.ts";
import type { CellSize, PixelSource } from "../tui/half_blocks.ts";
import { showId } from "../../protocol/param/describe.ts";

/** What is known of the image at a moment. */
export interface ImageModel {
  /** Number of the image, from 1. */
  readonly image: number;
  readonly picture: PixelSource;
  /** Points that are missing. */
  readonly missing: number;
  readonly elapsedMs: number;
  /** One line about what goes on, such as a failover. */
  readonly status: string;
  /** PEs that gave points, with how many. */
  readonly elements: readonly { readonly elementId: number; readonly points: number }[];
}

/** Lines of text below the picture. */
const TEXT_ROWS = 3;

/**
 * The picture, fitted into the terminal, with three lines below it.
 *
 * @param model what is known
 * @param size the terminal's
 * @returns lines without line feeds, none wider than the terminal
 */
export function renderImage(model: ImageModel, size: CellSize): string[] {
  // One row stays free, since the cursor rests below the last line.
  const rows = Math.max(1, size.rows - TEXT_ROWS - 1);
  const picture = renderPicture(model.picture, { columns: size.columns, rows });
  const points = model.picture.width * model.picture.height;
  const done = Math.floor(100 * (points - model.missing) / points);
  const seconds = (model.elapsedMs / 1000).toFixed(1);
  const shares = model.elements.map(({ elementId, points: share }) => {
    return `${showId(elementId)} ${Math.round(100 * share / points)} %`;
  });
  return [
    ...picture,
    cut(
      `Image ${model.image}: ${model.picture.width} x ${model.picture.height}, ${done} %, ${seconds} s`,
      size,
    ),
    cut(shares.length === 0 ? "No pool element yet" : `PEs: ${shares.join(", ")}`, size),
    cut(model.status, size),
  ];
}

function cut(line: string, { columns }: CellSize): string {
  return line.length <= columns ? line : line.slice(0, columns - 1) + "…";
}
