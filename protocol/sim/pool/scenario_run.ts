import type { Instant } from "../../net.ts";
import { WorldChecker, WorldViolation } from "./checker.ts";
import type { PoolScenario } from "./scenario.ts";
import { PoolWorld } from "./world.ts";
import { worldTrace } from "./world_trace.ts";

/** What became of a scenario. */
export interface ScenarioOutcome {
  /** What happened, line by line: `12.3 registrar 2: takes over registrar 1`. */
  readonly trace: readonly string[];
  /** What went otherwise than it should, with the line of the scenario where there is one. */
  readonly complaints: readonly string[];
}

/** How often the structures are checked, in virtual milliseconds. */
const CHECK_INTERVAL_MS = 5000;

/**
 * Runs a scenario. Its expectations are checked where they stand, and the rules of every world all the time.
 *
 * @param onLine gets every line of the trace as it is made
 */
export function runPoolScenario(
  scenario: PoolScenario,
  onLine: (line: string) => void = () => {},
): ScenarioOutcome {
  const trace: string[] = [];
  const complaints: string[] = [];
  const world = new PoolWorld(scenario.options);
  const say = (text: string) => {
    const line = `${(world.now / 1000).toFixed(1)} ${text}`;
    trace.push(line);
    onLine(line);
  };
  const checker = new WorldChecker(world, worldTrace(world, say));
  const runTo = (instant: Instant) => {
    while (world.now < instant) {
      world.network.run(Math.min(instant - world.now, CHECK_INTERVAL_MS));
      checker.check();
    }
  };
  try {
    for (const { at, text, line, action } of scenario.steps) {
      runTo(at);
      const complaint = perform(() => action({ world, checker }));
      say(complaint === undefined ? `* ${text}` : `* ${text}: NO, ${complaint}`);
      if (complaint !== undefined) complaints.push(`line ${line}: ${text}: ${complaint}`);
    }
    runTo(scenario.endsAt);
  } catch (error) {
    if (!(error instanceof WorldViolation)) throw error;
    complaints.push(error.message);
  }
  return { trace, complaints };
}

/** A command that names somebody who is not there has failed like an expectation. */
function perform(act: () => string | undefined): string | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return error.message;
  }
}
