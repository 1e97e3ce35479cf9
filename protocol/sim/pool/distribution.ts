import type { ElementEntry, Pool } from "../../handlespace/mod.ts";
import type { RegistrarActor } from "./world.ts";

/** Selections of one pool by one registrar while nothing changes in the pool. */
interface Window {
  /** Changes with the elements. */
  readonly signature: number;
  readonly counts: Map<number, number>;
  selections: number;
}

/** The random policies are judged from so many selections for each element. */
const JUDGED_FROM = 20;

/**
 * How many standard deviations a share may be off. One in 10^11 selections of a fair policy is farther off, and a soak
 * makes 10^7.
 */
const MAX_DEVIATIONS = 7;

/** Watches that policies do what they say: over the selections of a registrar as long as its pool stays the same. */
export class DistributionChecker {
  readonly #windows = new Map<string, Window>();

  /** Something came or went at a registrar: its windows begin anew. */
  changed(registrar: RegistrarActor): void {
    for (const key of this.#windows.keys()) {
      if (key.startsWith(`${registrar.name} `)) this.#windows.delete(key);
    }
  }

  /**
   * A registrar has selected one element.
   *
   * @returns what is wrong with it
   */
  selected(registrar: RegistrarActor, pool: Pool, elementId: number): string | undefined {
    const entry = pool.elements.get(elementId);
    if (entry === undefined) return `it offers ${elementId}, which is not in the pool`;
    const key = `${registrar.name} ${pool.key}`;
    const signature = signatureOf(pool);
    let window = this.#windows.get(key);
    if (window === undefined || window.signature !== signature) {
      this.#windows.set(key, window = { signature, counts: new Map(), selections: 0 });
    }
    const count = (window.counts.get(elementId) ?? 0) + 1;
    window.counts.set(elementId, count);
    window.selections++;
    return judge(pool, entry, count, window.selections);
  }
}

function signatureOf(pool: Pool): number {
  let signature = pool.elements.size;
  for (const { elementId, policy } of pool.elements.values()) {
    signature += elementId;
    if ("weight" in policy) signature += 0.5 * policy.weight;
  }
  return signature;
}

function judge(pool: Pool, entry: ElementEntry, count: number, selections: number): string | undefined {
  const { policy } = entry;
  const size = pool.elements.size;
  switch (policy.name) {
    case "RoundRobin": {
      const most = Math.ceil(selections / size);
      return count > most
        ? `round robin chose one element ${count} times in ${selections} of ${size}`
        : undefined;
    }
    case "WeightedRoundRobin": {
      const total = sum(pool, ({ policy }) => "weight" in policy ? policy.weight : 0);
      const most = (Math.floor(selections / total) + 2) * policy.weight;
      return count > most
        ? `weighted round robin chose weight ${policy.weight} of ${total} ${count} times in ${selections}`
        : undefined;
    }
    case "Random":
      return isOff(count, selections, 1 / size);
    case "WeightedRandom":
      return isOff(
        count,
        selections,
        policy.weight / sum(pool, ({ policy }) => "weight" in policy ? policy.weight : 0),
      );
    case "LeastUsed": {
      const least = Math.min(
        ...[...pool.elements.values()].map(({ policy }) => "load" in policy ? policy.load : Infinity),
      );
      return policy.load > least
        ? `least used chose a load of ${policy.load} where ${least} is least`
        : undefined;
    }
    case "Priority": {
      const greatest = Math.max(
        ...[...pool.elements.values()].map(({ policy }) => "priority" in policy ? policy.priority : 0),
      );
      return policy.priority < greatest
        ? `priority ${policy.priority} was chosen, not ${greatest}`
        : undefined;
    }
    default: // those that count their selections have tests of their own
      return undefined;
  }
}

function isOff(count: number, selections: number, share: number): string | undefined {
  const expected = selections * share;
  if (expected < JUDGED_FROM) return undefined;
  const deviation = Math.sqrt(expected * (1 - share));
  return Math.abs(count - expected) > MAX_DEVIATIONS * deviation
    ? `a share of ${share.toFixed(3)} was chosen ${count} times in ${selections}`
    : undefined;
}

function sum(pool: Pool, value: (entry: ElementEntry) => number): number {
  let total = 0;
  for (const entry of pool.elements.values()) total += value(entry);
  return total;
}
