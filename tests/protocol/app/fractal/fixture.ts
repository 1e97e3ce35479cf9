import { computePoints } from "../../../../protocol/app/fractal/compute.ts";
import type {
  FractalServerEffect,
  FractalServerInput,
} from "../../../../protocol/app/fractal/server_types.ts";
import type { FractalParameter } from "../../../../protocol/app/fractal/messages.ts";
import { Outbox } from "../../../../protocol/machine.ts";
import type { Machine } from "../../../../protocol/machine.ts";
import type { Instant } from "../../../../protocol/net.ts";

/** RSPLIB's default image, small. */
export const IMAGE: FractalParameter = {
  type: "parameter",
  width: 100,
  height: 60,
  maxIterations: 200,
  algorithm: 1,
  c1Real: -1.5,
  c1Imag: 1.5,
  c2Real: 1.5,
  c2Imag: -1.5,
  n: 2,
};

/** All points of an image. */
export function wholeImage(parameter: FractalParameter): Uint32Array {
  const values = new Uint32Array(parameter.width * parameter.height);
  computePoints(parameter, 0, values);
  return values;
}

/** A machine that does what the test says: records inputs, and gives the effects that the test puts in. */
export class ScriptedMachine<Input, Effect> implements Machine<Input, Effect> {
  readonly inputs: Input[] = [];
  readonly #outbox = new Outbox<Effect>();

  handle(input: Input, _now: Instant): void {
    this.inputs.push(input);
  }

  tick(_now: Instant): void {}

  nextTimeout(): Instant | undefined {
    return undefined;
  }

  drain(): Effect[] {
    return this.#outbox.drain();
  }

  /** Puts an effect in, which the wrapping machine finds when it next drains. */
  emit(effect: Effect): void {
    this.#outbox.push(effect);
  }

  /** Takes the recorded inputs out. */
  take(): Input[] {
    return this.inputs.splice(0);
  }
}

/** Does the compute jobs of a server's effects at once, until it asks for no more. Returns its other effects. */
export function computeAll(
  server: Machine<FractalServerInput, FractalServerEffect>,
  now: Instant,
  limit = 10_000,
): FractalServerEffect[] {
  const others: FractalServerEffect[] = [];
  for (let i = 0; i < limit; i++) {
    const effects = server.drain();
    if (effects.length === 0) break;
    for (const effect of effects) {
      if (effect.type !== "compute") {
        others.push(effect);
        continue;
      }
      const values = new Uint32Array(effect.count);
      computePoints(effect.parameter, effect.first, values);
      server.handle({ type: "computed", job: effect.job, values }, now);
    }
  }
  return others;
}
