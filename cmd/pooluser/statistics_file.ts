/** The statistics file of a fractal pool user: what each element did for each image. Pure texts. */
import type { ImageStatistics } from "../../protocol/app/fractal/client_types.ts";
import { showId } from "../../protocol/param/describe.ts";
import { seconds } from "../driver/wall_time.ts";
import type { WallTime } from "../driver/wall_time.ts";

/**
 * The first line. As in the registrar's statistics file, for the statistics program R, the others begin with one column
 * more: their number.
 */
export const IMAGES_HEADER: string = [
  "AbsTime RelTime",
  "Image Width Height Duration Failovers Repairs Invalid",
  "Element Messages Points Repeated",
].join("   ") + "\n";

/** An image that is complete. */
export interface CompletedImage {
  readonly image: number;
  readonly width: number;
  readonly height: number;
  readonly completedAt: WallTime;
  /** Since when relative times count. */
  readonly startedAt: WallTime;
  readonly statistics: ImageStatistics;
}

/**
 * The lines of an image: one for each element that gave points.
 *
 * @param serial number of the first line
 */
export function imageLines(serial: number, completed: CompletedImage): string[] {
  const { image, width, height, completedAt, startedAt, statistics } = completed;
  const { durationMs, failovers, repairs, invalid, elements } = statistics;
  return elements.map(({ elementId, messages, points, repeated }, index) =>
    [
      `${String(serial + index).padStart(6, "0")} ${seconds(completedAt)} ${
        seconds(completedAt - startedAt)
      }`,
      `${image} ${width} ${height} ${seconds(durationMs)} ${failovers} ${repairs} ${invalid}`,
      `${showId(elementId)} ${messages} ${points} ${repeated}`,
    ].join("   ") + "\n"
  );
}
