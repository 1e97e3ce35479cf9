import { computePoints, FractalClient, FractalServer } from "../../app/fractal/mod.ts";
import type {
  FractalClientEffect,
  FractalClientInput,
  FractalParameter,
  FractalPoints,
  FractalServerEffect,
  FractalServerInput,
} from "../../app/fractal/mod.ts";
import { Prng } from "../../machine.ts";
import { ServiceHost, SessionClient } from "../../session/mod.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

/** Images of a user, one after the other, and sessions of each. */
const IMAGES = 6, SESSIONS = 3;

/** RSPLIB's default image, small. */
const IMAGE: FractalParameter = {
  type: "parameter",
  width: 60,
  height: 48,
  maxIterations: 60,
  algorithm: 1,
  c1Real: -1.5,
  c1Imag: 1.5,
  c2Real: 1.5,
  c2Imag: -1.5,
  n: 2,
};

/** How long a piece of an image takes; points a second, so that an image takes about as long as a fault lasts. */
const COMPUTE_MS = 20, MAX_RATE = 60;

/** Fractal images: every point of every image has the value that it has when nothing fails. */
export function fractalWorkload(context: WorkloadContext, users: number): Workload {
  const right = new Uint32Array(IMAGE.width * IMAGE.height);
  computePoints(IMAGE, 0, right);
  let done = 0, failovers = 0;
  const check = ({ area, x, y, values }: FractalPoints) => {
    for (const value of values) {
      if (value !== right[y * IMAGE.width + x]) context.violated(`the point (${x}, ${y}) has value ${value}`);
      if (++x < area.left + area.width) continue;
      x = area.left;
      y++;
    }
  };
  return {
    sessions: 2 * SESSIONS,
    total: users * IMAGES,
    get done() {
      return done;
    },
    get failovers() {
      return failovers;
    },
    server: (options) => ({
      machine: new FractalServer(new ServiceHost(options), { maxThreads: 6, maxRate: MAX_RATE }),
      onEffect: (effect, later) => {
        const asked = effect as FractalServerEffect;
        if (asked.type !== "compute") return;
        const values = new Uint32Array(asked.count);
        computePoints(asked.parameter, asked.first, values);
        const computed: FractalServerInput = { type: "computed", job: asked.job, values };
        later(computed, COMPUTE_MS);
      },
    }),
    client: (options, poolHandle) => {
      let begun = 0, missing = 0;
      return {
        machine: new FractalClient(new SessionClient(options), { poolHandle, prng: new Prng(options.seed) }),
        onEffect: (effect, later) => {
          const { type, report } = effect as Extract<FractalClientEffect, { readonly type: "report" }>;
          if (type !== "report") return;
          if (begun === 0 || report.type === "imageCompleted") {
            if (report.type === "imageCompleted") {
              done++;
              failovers += report.statistics.failovers;
              if (missing > 0) context.violated(`an image is complete, and ${missing} points are missing`);
            }
            if (begun++ < IMAGES) {
              const image: FractalClientInput = { type: "image", parameter: IMAGE, sessions: SESSIONS };
              later(image, 1);
            }
          }
          if (report.type !== "points") return;
          missing = report.missing;
          check(report);
        },
      };
    },
  };
}
