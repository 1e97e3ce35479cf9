/** The handlespace under every policy, at three sizes: what its operations and its elements cost. */
import { readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import { Handlespace } from "../../protocol/handlespace/mod.ts";
import type { ElementEntry } from "../../protocol/handlespace/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import type { PolicyName, PolicyParameter, PoolElement } from "../../protocol/param/mod.ts";
import { policyFields, PolicyType } from "../../protocol/param/policy.ts";
import { policies } from "../../protocol/policy/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { memoryInUse } from "./peer_process.ts";
import { quantile, type Result, round, type Settings } from "./result.ts";

const POOL = encodeText("BenchPool");
const REGISTRAR_ID = 0x1234;
const SIZES: readonly number[] = [1000, 10_000, 100_000];
/** Resolutions of one element a second among the most elements. */
const RESOLUTIONS_TO_REACH = 200_000;
/** Octets that an element may take. */
const OCTETS_TO_KEEP = 2.5 * 1024;
/** A batch of calls is so short that the machine seldom does something else meanwhile. */
const BATCH_MS = 0.5;

/** Every operation, for every policy, at every size. */
export function handlespace({ seconds }: Settings, emit: (result: Result) => void): Promise<void> {
  const budgetMs = seconds * 15; // of each operation
  for (const { name } of policies) {
    for (const size of SIZES) {
      emit({
        name: "handlespace",
        what: `${name}, ${size} elements`,
        figures: new World(name, size).figures(budgetMs),
        ...(size === SIZES.at(-1) && {
          target: {
            figure: "resolve1PerSecond",
            reference: "200,000/s",
            referenceValue: RESOLUTIONS_TO_REACH,
            factor: 1,
          },
        }),
      });
    }
  }
  return Promise.resolve();
}

/** What an element takes in memory, under every policy, at the largest size. */
export function handlespaceMemory(_settings: Settings, emit: (result: Result) => void): Promise<void> {
  const size = SIZES.at(-1)!;
  octetsPerElement("RoundRobin", 1000); // what is compiled and cached must not count
  for (const { name } of policies) {
    const octets = octetsPerElement(name, size);
    emit({
      name: "elements",
      what: `${name}, ${size} elements`,
      figures: { octetsPerElement: round(octets, 0), elementsPerMegabyte: round(1e6 / octets, 0) },
      target: {
        figure: "elementsPerMegabyte",
        reference: "2.5 KiB an element",
        referenceValue: 1e6 / OCTETS_TO_KEEP,
        factor: 1,
      },
    });
  }
  return Promise.resolve();
}

/** In a function of its own, so that nothing of it lives on. */
function octetsPerElement(name: PolicyName, size: number): number {
  const before = memoryInUse().heapBytes;
  const world = new World(name, size);
  const octets = (memoryInUse().heapBytes - before) / size;
  return world.elementCount === size ? octets : Number.NaN; // keeps the world alive until here
}

/** A handlespace with one pool. */
class World {
  readonly #handlespace = new Handlespace(new Prng(1));
  readonly #random = new Prng(2);
  readonly #name: PolicyName;
  readonly #size: number;
  readonly #registerMs: number;

  constructor(name: PolicyName, size: number) {
    this.#name = name;
    this.#size = size;
    let milliseconds = 0;
    for (let elementId = 1; elementId <= size; elementId++) {
      const element = this.#element(elementId);
      const startedAt = performance.now();
      this.#handlespace.register(POOL, element);
      milliseconds += performance.now() - startedAt;
    }
    this.#registerMs = milliseconds;
  }

  get elementCount(): number {
    return this.#handlespace.elementCount;
  }

  figures(budgetMs: number): Record<string, number> {
    const handlespace = this.#handlespace;
    const random = this.#random;
    const size = this.#size;
    const updates = Array.from({ length: 1000 }, () => this.#element(1 + random.below(size)));
    let next = 0;
    const measure = (call: () => unknown) => callsPerSecond(call, budgetMs);
    return {
      registerPerSecond: round(1000 * size / this.#registerMs, 0),
      reregisterPerSecond: measure(() => handlespace.register(POOL, updates[next++ % 1000]!)),
      resolve1PerSecond: measure(() => handlespace.select(POOL, 1)),
      resolve3PerSecond: measure(() => handlespace.select(POOL, 3)),
      resolve64PerSecond: measure(() => handlespace.select(POOL, 64)),
      deregisterPerSecond: this.#deregisterPerSecond(),
      checksumPerSecond: measure(() => handlespace.checksum(REGISTRAR_ID)),
      pagesPerSecond: measure(() => {
        return handlespace.page(
          { pool: { key: "BenchPool" }, elementId: random.below(size) },
          128,
          REGISTRAR_ID,
        );
      }),
    };
  }

  /** Takes a tenth of the elements out, one here, one there, and puts them in again. */
  #deregisterPerSecond(): number {
    const entries: ElementEntry[] = [];
    for (let elementId = 1; elementId <= this.#size; elementId += 10) {
      const entry = this.#handlespace.find(POOL, elementId);
      if (entry !== undefined) entries.push(entry);
    }
    const startedAt = performance.now();
    for (const entry of entries) this.#handlespace.remove(entry);
    const milliseconds = performance.now() - startedAt;
    for (const { element } of entries) this.#handlespace.register(POOL, element);
    return round(1000 * entries.length / milliseconds, 0);
  }

  /** An element as it comes from the network, with strings and lists of its own. */
  #element(elementId: number): PoolElement {
    const element = {
      elementId,
      homeRegistrarId: 0,
      registrationLifeMs: 90_000,
      userTransport: TRANSPORT,
      policy: this.#policy(),
    };
    const read = readAsap(writeAsap({ type: "registration", poolHandle: POOL, element }));
    if (read.type !== "registration") throw new Error("a registration is read as one");
    const asapTransport = { ...TRANSPORT, use: "data", addresses: [...TRANSPORT.addresses] } as const;
    return { ...read.element, homeRegistrarId: REGISTRAR_ID, asapTransport };
  }

  #policy(): PolicyParameter {
    const random = this.#random;
    const values = {
      weight: 1 + random.below(20),
      priority: random.below(1000),
      load: random.u32(),
      loadDegradation: 0x1000000 + random.below(0x8000000),
      weightDpf: random.below(0x200000),
      loadDpf: random.below(0x200000),
      distanceMs: 50 * random.below(10),
    };
    const fields = policyFields(this.#name).map((field) => [field, values[field]]);
    return {
      name: this.#name,
      type: PolicyType[this.#name],
      ...Object.fromEntries(fields),
    } as PolicyParameter;
  }
}

const TRANSPORT = {
  protocol: "sctp",
  port: 42976,
  use: "data+control",
  addresses: ["10.1.0.2", "10.2.0.2"],
} as const;

/** Calls a second: the upper decile of many short batches, that is of those during which the machine did little else. */
function callsPerSecond(call: () => unknown, budgetMs: number): number {
  let calls = 1;
  for (;; calls *= 2) { // how many calls a batch has; compiles them, too
    const startedAt = performance.now();
    for (let i = 0; i < calls; i++) call();
    if (performance.now() - startedAt >= BATCH_MS || calls >= 1e6) break;
  }
  const rates: number[] = [];
  for (const endAt = performance.now() + budgetMs; performance.now() < endAt || rates.length < 5;) {
    const startedAt = performance.now();
    for (let i = 0; i < calls; i++) call();
    rates.push(calls / (performance.now() - startedAt) * 1000);
  }
  return round(quantile(rates.toSorted((a, b) => a - b), 0.9), 0);
}
