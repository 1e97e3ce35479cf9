import type { Instant } from "../../net.ts";
import { PolicyType } from "../../param/policy.ts";
import type { PolicyName, PolicyParameter } from "../../param/policy.ts";
import { RFC_TIMES, RSPLIB_TIMES } from "../../registrar/mod.ts";
import type { RegistrarOptions } from "../../registrar/mod.ts";
import type { RegistrarTimes } from "../../registrar/options.ts";
import { findCommand, SCENARIO_COMMANDS } from "./scenario_commands.ts";
import type { ScenarioAction } from "./scenario_commands.ts";
import { parseTime } from "./scenario_time.ts";
import type { PoolWorldOptions } from "./world.ts";

/**
 * The language of scenarios: one thing a line, told in the order of time.
 *
 *     # Two registrars; the second one takes over.
 *     world registrars=2 elements=3 users=1 policies=RoundRobin seed=1
 *     registrars keepAliveIntervalMs=5000 preset=rsplib
 *     at 0s: start registrars
 *     at 6s: start elements
 *     at 30s: crash registrar 1
 *     at 60s: expect settled
 *     at 60s: expect registrar 2 owns 3 elements
 *     end at 90s
 *
 * Behind a line of three hyphens stands the trace that is expected of it.
 */

/** A scenario as text is wrong. */
export class ScenarioError extends Error {
  /** The line, from 1. */
  readonly line: number;

  constructor(line: number, sentence: string) {
    super(`line ${line}: ${sentence}`);
    this.name = "ScenarioError";
    this.line = line;
  }
}

/** Something that is done or expected at an instant. */
export interface ScenarioStep {
  /** The line that it stands on, from 1. */
  readonly line: number;
  readonly at: Instant;
  /** As written, without the time. */
  readonly text: string;
  readonly action: ScenarioAction;
}

/** A scenario that was read. */
export interface PoolScenario {
  readonly options: PoolWorldOptions;
  /** In order of time. */
  readonly steps: readonly ScenarioStep[];
  readonly endsAt: Instant;
  /** The trace that is expected, line by line; undefined = none is written down. */
  readonly expectedTrace: readonly string[] | undefined;
}

/** What a `world` line may say, with what holds otherwise. */
const WORLD_DEFAULTS = { registrars: 1, elements: 0, users: 0, seed: 1 };

/** What a `registrars` line may say besides `preset` and `takeoverSuggestion`; as the registrar's options are called. */
const REGISTRAR_NUMBERS: ReadonlySet<string> = new Set<keyof RegistrarOptions>([
  ...Object.keys(RSPLIB_TIMES) as (keyof RegistrarTimes)[], // its type says so
  "maxBadReports",
  "reportMemoryMs",
  "maxResolutionItems",
  "maxElementsPerTableResponse",
  "maxResolutionRate",
  "maxUnreachableRate",
  "maxIncrement",
  "distanceStepMs",
  "maxPools",
  "maxElements",
  "maxAssociations",
  "maxElementsPerAssociation",
  "maxPeers",
]);

/** More would be a soak. */
const MAX_ACTORS = 100_000;

/** The line between a scenario and its trace. */
export const TRACE_SEPARATOR = "---";

/**
 * Reads a scenario.
 *
 * @throws {ScenarioError} when it is wrong
 */
export function parseScenario(text: string): PoolScenario {
  const lines = text.split("\n");
  const separator = lines.findIndex((line) => line.trim() === TRACE_SEPARATOR);
  const script = separator < 0 ? lines : lines.slice(0, separator);
  const trace = separator < 0 ? undefined : lines.slice(separator + 1).filter((line) => line !== "");
  const draft = new Draft();
  script.forEach((line, index) => draft.line(index + 1, line.replace(/#.*/, "").trim()));
  return draft.finish(trace);
}

class Draft {
  #world: Record<string, string> = {};
  #registrars: Record<string, string> = {};
  readonly #steps: ScenarioStep[] = [];
  #last: Instant = 0;
  #endsAt: Instant | undefined;
  #worldLine = 0;
  #registrarsLine = 0;

  line(number: number, line: string): void {
    if (line === "") return;
    const [word] = line.split(/\s/, 1);
    const rest = line.slice(word!.length).trim();
    switch (word) {
      case "world":
        this.#worldLine = number;
        this.#world = { ...this.#world, ...pairs(number, rest) };
        return;
      case "registrars":
        this.#registrarsLine = number;
        this.#registrars = { ...this.#registrars, ...pairs(number, rest) };
        return;
      case "at":
      case "after":
        return this.#step(number, word, rest);
      case "end":
        this.#endsAt = time(number, rest.replace(/^at\s+/, ""));
        return;
      default:
        throw new ScenarioError(number, `"${word}" is none of world, registrars, at, after, end`);
    }
  }

  #step(number: number, word: "at" | "after", rest: string): void {
    const colon = rest.indexOf(":");
    if (colon < 0) throw new ScenarioError(number, `there is no colon behind the time: "${rest}"`);
    const instant = time(number, rest.slice(0, colon).trim()) + (word === "after" ? this.#last : 0);
    if (instant < this.#last) throw new ScenarioError(number, "a step comes before the one above it");
    this.#last = instant;
    const text = rest.slice(colon + 1).trim().replace(/\s+/g, " ");
    const action = findCommand(text);
    if (action === undefined) {
      const forms = SCENARIO_COMMANDS.map(({ form }) => `    ${form}`).join("\n");
      throw new ScenarioError(number, `nothing is called "${text}"; there are\n${forms}`);
    }
    this.#steps.push({ line: number, at: instant, text, action });
  }

  finish(expectedTrace: readonly string[] | undefined): PoolScenario {
    const endsAt = this.#endsAt ?? this.#last;
    if (endsAt < this.#last) throw new ScenarioError(this.#worldLine, "the end comes before the last step");
    return { options: this.#options(), steps: this.#steps, endsAt, expectedTrace };
  }

  #options(): PoolWorldOptions {
    const line = this.#worldLine;
    const { policies, reregistration, resolve, items, drift, announceLife, freshIds, ...counts } =
      this.#world;
    const numbers: Record<string, number> = { ...WORLD_DEFAULTS };
    for (const [name, value] of Object.entries(counts)) {
      if (!(name in WORLD_DEFAULTS)) throw new ScenarioError(line, `a world has no "${name}"`);
      numbers[name] = integer(line, name, value, MAX_ACTORS);
    }
    return {
      seed: numbers["seed"]!,
      registrars: numbers["registrars"]!,
      elements: numbers["elements"]!,
      users: numbers["users"]!,
      policies: (policies ?? "RoundRobin").split(",").map((text) => policy(line, text)),
      registrarOptions: this.#registrarOptions(),
      freshIds: freshIds !== "no",
      ...(reregistration === undefined ? {} : { reregistrationIntervalMs: time(line, reregistration) }),
      ...(resolve === undefined ? {} : { resolveIntervalMs: time(line, resolve) }),
      ...(items === undefined ? {} : { items: integer(line, "items", items, 1000) }),
      ...(drift === undefined ? {} : { clockDrift: share(line, "drift", drift) }),
      ...(announceLife === undefined ? {} : { hunt: { announceLifeMs: time(line, announceLife) } }),
    };
  }

  #registrarOptions(): Partial<RegistrarOptions> {
    const line = this.#registrarsLine;
    const { preset, takeoverSuggestion, ...numbers } = this.#registrars;
    if (preset !== undefined && preset !== "rfc" && preset !== "rsplib") {
      throw new ScenarioError(line, `preset is rsplib or rfc, not "${preset}"`);
    }
    const options: Record<string, number | boolean> = { ...(preset === "rfc" ? RFC_TIMES : RSPLIB_TIMES) };
    for (const [name, value] of Object.entries(numbers)) {
      if (!REGISTRAR_NUMBERS.has(name)) throw new ScenarioError(line, `registrars have no "${name}"`);
      options[name] = value.match(/[a-z]$/) ? time(line, value) : Number(value);
      if (!(Number(options[name]) >= 0)) throw new ScenarioError(line, `${name} is a number or a time`);
    }
    if (takeoverSuggestion !== undefined && takeoverSuggestion !== "yes" && takeoverSuggestion !== "no") {
      throw new ScenarioError(line, `takeoverSuggestion is yes or no, not "${takeoverSuggestion}"`);
    }
    if (takeoverSuggestion !== undefined) options["takeoverSuggestion"] = takeoverSuggestion === "yes";
    return options as Partial<RegistrarOptions>;
  }
}

function pairs(line: number, text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const equals = word.indexOf("=");
    if (equals < 1) throw new ScenarioError(line, `"${word}" is not name=value`);
    found[word.slice(0, equals)] = word.slice(equals + 1);
  }
  return found;
}

function integer(line: number, name: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= max)) throw new ScenarioError(line, `${name} is a whole number up to ${max}, not "${text}"`);
  return value;
}

function share(line: number, name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1)) {
    throw new ScenarioError(line, `${name} is a number from 0 up to 1, not "${text}"`);
  }
  return value;
}

/** A time such as `500ms`, `1.5s`, `2min`, in milliseconds. */
function time(line: number, text: string): number {
  const milliseconds = parseTime(text);
  if (milliseconds === undefined) {
    throw new ScenarioError(line, `"${text}" is no time such as 500ms, 10s, 2min`);
  }
  return milliseconds;
}

/** What policies need beyond their name, when a scenario does not say it. */
const POLICY_DEFAULTS = {
  weight: 1,
  priority: 0,
  load: 0,
  loadDegradation: 0x1000_0000,
  weightDpf: 0,
  loadDpf: 0,
  distanceMs: 0,
};

/** `RoundRobin`, or with its first value: `WeightedRoundRobin:3`. */
function policy(line: number, text: string): PolicyParameter {
  const [name, value] = text.split(":");
  if (name === undefined || !(name in PolicyType)) throw new ScenarioError(line, `"${text}" is no policy`);
  const type = PolicyType[name as PolicyName];
  const first = value === undefined ? {} : {
    [name.startsWith("Weighted") ? "weight" : name === "Priority" ? "priority" : "loadDegradation"]: integer(
      line,
      "a policy's value",
      value,
      0xffff_ffff,
    ),
  };
  // The codec writes the fields that the policy has, and no other.
  return { name, type, ...POLICY_DEFAULTS, ...first } as unknown as PolicyParameter;
}
