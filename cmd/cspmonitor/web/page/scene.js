// @ts-check
/** What the page knows: all at first, and then what changes. */
import { ELEMENT, USER } from "./words.js";

/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */
/** @typedef {import("../facts.ts").EventFact} EventFact */
/** @typedef {import("../facts.ts").MonitorSnapshot} MonitorSnapshot */
/** @typedef {import("../facts.ts").MonitorChanges} MonitorChanges */

/** Events that are kept: as many as a new page is told of. */
const MAX_EVENTS = 300;

/** Samples that are kept: half an hour of one a second. What is older is asked of the program. */
const MAX_SAMPLES = 1800;

/** Columns of the samples of all components. */
export const MEAN_LOAD = 0, HIGHEST_LOAD = 1, SESSIONS = 2, REGISTRARS = 3, ELEMENTS = 4, USERS = 5;

/**
 * Elements that are in a pool, or of which nothing of the kind is known.
 *
 * @typedef {object} Pool
 * @property {string} key
 * @property {string} name
 * @property {ComponentFact[]} members in the order of their identifiers
 * @property {ReadonlyMap<string, number>} atUsers sessions that users say they have, by the element
 */

/** All that there is to show. */
export class Scene {
  /** @type {Map<string, ComponentFact>} */
  components = new Map();
  /** @type {Map<number, EventFact>} */
  #events = new Map();
  /** Times in milliseconds since 1970, and a column for each number. */
  samples = {
    /** @type {number[]} */
    times: [],
    /** @type {(number | null)[][]} */
    columns: [[], [], [], [], [], []],
  };
  /** @type {readonly number[]} */
  counts = [0, 0, 0, 0];
  /** @type {MonitorSnapshot["statistics"] | undefined} */
  statistics;
  at = "";
  /** @type {readonly string[]} */
  hint = [];
  /** The program's clock, and what time it was then, here and for people. */
  #clock = { now: 0, time: 0, heardAt: 0 };
  /** @type {Pool[] | undefined} */
  #pools;

  /**
   * Takes all that there is.
   *
   * @param {MonitorSnapshot} snapshot
   */
  reset(snapshot) {
    this.#tellClock(snapshot.clock);
    this.components = new Map(snapshot.components.map((fact) => [fact.id, fact]));
    this.#events = new Map(snapshot.events.map((event) => [event.number, event]));
    this.samples = {
      times: snapshot.totals.times.map((time) => this.timeOf(time)),
      columns: snapshot.totals.columns.map((column) => [...column]),
    };
    this.at = snapshot.at;
    this.hint = snapshot.hint;
    this.#take(snapshot);
  }

  /**
   * Takes what has changed.
   *
   * @param {MonitorChanges} changes
   */
  change(changes) {
    this.#tellClock(changes.clock);
    for (const id of changes.left) this.components.delete(id);
    for (const fact of changes.changed) this.components.set(fact.id, fact);
    for (const event of changes.events) this.#events.set(event.number, event);
    for (const number of this.#events.keys()) {
      if (this.#events.size <= MAX_EVENTS) break;
      this.#events.delete(number);
    }
    const { times, columns } = this.samples;
    times.push(changes.clock.time);
    columns.forEach((column, index) => column.push(changes.totals[index] ?? null));
    for (const column of [times, ...columns]) {
      if (column.length > MAX_SAMPLES) column.splice(0, column.length - MAX_SAMPLES);
    }
    this.#take(changes);
  }

  /** Oldest first. */
  get events() {
    return [...this.#events.values()];
  }

  /** Pools by name; what is in none comes last. */
  get pools() {
    return this.#pools ??= this.#findPools();
  }

  /**
   * What a component of the scene is.
   *
   * @param {string | undefined} id
   */
  get(id) {
    return id === undefined ? undefined : this.components.get(id);
  }

  /** The program's clock at this moment. */
  get now() {
    return this.#clock.now + performance.now() - this.#clock.heardAt;
  }

  /**
   * A moment of the program's clock for people.
   *
   * @param {number} instant
   */
  timeOf(instant) {
    return instant - this.#clock.now + this.#clock.time;
  }

  /** @param {MonitorSnapshot["clock"]} clock */
  #tellClock(clock) {
    this.#clock = { ...clock, heardAt: performance.now() };
  }

  /** @param {Pick<MonitorSnapshot, "counts" | "statistics">} message */
  #take({ counts, statistics }) {
    this.counts = counts;
    this.statistics = statistics;
    this.#pools = undefined;
  }

  /** An element that looks for a registrar does not say how many sessions it has; its users do. */
  #sessionsAtUsers() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { group, links, silentSince } of this.components.values()) {
      if (group !== USER || silentSince !== null) continue;
      for (const { to, count } of links) counts.set(to, (counts.get(to) ?? 0) + count);
    }
    return counts;
  }

  /** @returns {Pool[]} */
  #findPools() {
    /** @type {Map<string | null, Pool>} */
    const found = new Map(), atUsers = this.#sessionsAtUsers();
    for (const fact of this.components.values()) {
      if (fact.group !== ELEMENT) continue;
      let pool = found.get(fact.pool);
      if (pool === undefined) {
        pool = {
          key: fact.pool === null ? "" : `=${fact.pool}`,
          name: fact.pool ?? "Pool not known",
          members: [],
          atUsers,
        };
        found.set(fact.pool, pool);
      }
      pool.members.push(fact);
    }
    for (const { members } of found.values()) members.sort((a, b) => a.id < b.id ? -1 : 1);
    return [...found].sort(([a], [b]) =>
      Number(a === null) - Number(b === null) || (`${a}` < `${b}` ? -1 : 1)
    )
      .map(([, pool]) => pool);
  }
}

/**
 * What the elements of a pool have in common. What one had before it fell silent has gone elsewhere by now.
 *
 * @param {Pool} pool
 */
export function poolFigures({ members, atUsers }) {
  const present = members.filter(({ silentSince }) => silentSince === null);
  const loads = present.flatMap(({ load }) => load === null ? [] : [load]);
  return {
    load: loads.length === 0 ? null : loads.reduce((sum, load) => sum + load, 0) / loads.length,
    sessions: present.reduce((sum, { id, sessions }) => sum + (sessions ?? atUsers.get(id) ?? 0), 0),
  };
}
