/** Components that are made up: what a monitor hears of a big classroom, without the classroom. */
import dgram from "node:dgram";
import { componentGroupOf, componentId, writeComponentReport } from "../../protocol/csp/mod.ts";
import { ComponentGroup } from "../../protocol/csp/mod.ts";
import type { ComponentAssociation, ComponentId, ComponentReport } from "../../protocol/csp/mod.ts";
import { Prng } from "../../protocol/machine.ts";
import { Ppid } from "../../protocol/net.ts";

/** What there is. */
export interface MadeUpPlan {
  readonly registrars: number;
  readonly elements: number;
  readonly users: number;
  /** Over which the elements are spread. */
  readonly pools: number;
  readonly intervalMs: number;
  readonly seed: number;
}

/** As in a lab course with many rooms: each part takes its share of so many components. */
export function classroom(components: number, intervalMs: number): MadeUpPlan {
  const registrars = Math.max(2, Math.round(components / 50));
  const elements = Math.round((components - registrars) * 0.6);
  const users = components - registrars - elements;
  return {
    registrars,
    elements,
    users,
    pools: Math.max(2, Math.round(elements / 30)),
    intervalMs,
    seed: 5350,
  };
}

/** How often a component changes its state, in reports. */
const CHANGE_EVERY = 8;

interface Member {
  readonly id: ComponentId;
  readonly location: string;
  /** Its pool's number, of elements and users. */
  readonly pool: number;
  registrar: ComponentId;
  /** With whom a user works. */
  element: ComponentId | undefined;
  since: number;
  workload: number;
  done: number;
}

/** A scene that lives: users change their elements, loads wander, work is done. */
export class MadeUpScene {
  readonly #plan: MadeUpPlan;
  readonly #prng: Prng;
  readonly #members: Member[] = [];
  readonly #byGroup = new Map<number, Member[]>();

  constructor(plan: MadeUpPlan) {
    this.#plan = plan;
    this.#prng = new Prng(plan.seed);
    const counts = [
      [ComponentGroup.registrar, plan.registrars],
      [ComponentGroup.element, plan.elements],
      [ComponentGroup.user, plan.users],
    ] as const;
    for (const [group, count] of counts) {
      const members = Array.from({ length: count }, (_, number) => this.#member(group, number));
      this.#byGroup.set(group, members);
      this.#members.push(...members);
    }
  }

  /** How many components there are. */
  get size(): number {
    return this.#members.length;
  }

  /** The report of a component at a time since the beginning. */
  report(index: number, nowMs: number): ComponentReport {
    const member = this.#members[index]!, group = componentGroupOf(member.id);
    if (this.#prng.below(CHANGE_EVERY) === 0) this.#live(member, nowMs);
    const duration = (since: number) => BigInt(Math.max(0, Math.round(1000 * (nowMs - since))));
    const talk = (receiver: ComponentId, ppid: number, durationUs?: bigint): ComponentAssociation => {
      return { receiver, durationUs, protocol: 132, ppid };
    };
    const common = {
      sender: member.id,
      isFinal: false,
      uptimeUs: duration(0),
      intervalUs: 1000 * this.#plan.intervalMs,
      location: member.location,
      workload: undefined,
    };
    const { registrars, elements, pools } = this.#plan;
    switch (group) {
      case ComponentGroup.registrar: {
        const status = `${elements}[${Math.floor(elements / registrars)}] PEs in ${pools} Pools, ${
          registrars - 1
        } Peers`;
        const peers = this.#byGroup.get(group)!.filter((peer) => peer !== member);
        return { ...common, status, associations: peers.map(({ id }) => talk(id, Ppid.enrp)) };
      }
      case ComponentGroup.element: {
        const sessions = Math.round(member.workload * 4);
        return {
          ...common,
          status: `${sessions} Session${sessions === 1 ? "" : "s"} in ${poolName(member.pool)}`,
          workload: member.workload,
          associations: [talk(member.registrar, Ppid.asap, duration(0))],
        };
      }
      default: {
        const { element } = member;
        return {
          ...common,
          status: element === undefined
            ? "0 Sessions"
            : `Processed packet #${++member.done} of PE $${hexadecimal(element)}`,
          associations: [
            talk(member.registrar, Ppid.asap, duration(0)),
            ...(element === undefined ? [] : [talk(element, Ppid.fractalGenerator, duration(member.since))]),
          ],
        };
      }
    }
  }

  #member(group: ComponentGroup, number: number): Member {
    const registrars = this.#byGroup.get(ComponentGroup.registrar);
    const object = group === ComponentGroup.user
      ? BigInt(0x5000_0000_0000 + this.#prng.below(0xffff_ffff))
      : 0x1000_0000 * group + this.#prng.below(0x0fff_0000) + number;
    const room = 1 + number % 20, pc = 1 + Math.floor(number / 20);
    const port = group === ComponentGroup.registrar ? 3863 : 30_000 + number;
    return {
      id: componentId(group, object),
      location: `pc${room}-${pc}: 10.${group}.${room}.${pc}${
        group === ComponentGroup.user ? "" : `:${port}`
      }`,
      pool: number % this.#plan.pools,
      registrar: registrars?.[number % registrars.length]?.id ?? componentId(group, 0),
      element: undefined,
      since: 0,
      workload: this.#prng.below(4) / 4,
      done: 0,
    };
  }

  /** Something happens to a component. */
  #live(member: Member, nowMs: number): void {
    switch (componentGroupOf(member.id)) {
      case ComponentGroup.element:
        member.workload = Math.min(1, Math.max(0, member.workload + (this.#prng.below(3) - 1) / 4));
        return;
      case ComponentGroup.user: {
        // Mostly it goes on with the element that it has.
        if (member.element !== undefined && this.#prng.below(20) > 0) return;
        const own = this.#byGroup.get(ComponentGroup.element)!.filter(({ pool }) => pool === member.pool);
        member.element = own[this.#prng.below(own.length)]?.id;
        member.since = nowMs;
      }
    }
  }
}

function poolName(pool: number): string {
  return pool === 0 ? "EchoPool" : pool === 1 ? "FractalGeneratorPool" : `Pool${pool}`;
}

function hexadecimal(id: ComponentId): string {
  return BigInt.asUintN(32, id).toString(16).padStart(8, "0");
}

/**
 * Has all components report to a monitor, spread over the interval as they are in life.
 *
 * @returns what ends it: without a last report, as when all the machines are switched off
 */
export function reportMadeUp(plan: MadeUpPlan, to: { address: string; port: number }): AsyncDisposable {
  const scene = new MadeUpScene(plan);
  const socket = dgram.createSocket(to.address.includes(":") ? "udp6" : "udp4");
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now() - startedAt;
    const due = Math.floor(nowMs * scene.size / plan.intervalMs);
    for (; sent < due; sent++) {
      socket.send(writeComponentReport(scene.report(sent % scene.size, nowMs)), to.port, to.address);
    }
  }, 5);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/**
 * As a process of its own, so that it costs the monitor's process nothing:
 *
 *     deno run -A scripts/benchmarks/made_up_components.ts PORT [COMPONENTS [INTERVAL_MS]]
 *
 * It ends with its standard input, or by Ctrl+C.
 */
if (import.meta.main) {
  const [port = 2960, components = 500, intervalMs = 250] = Deno.args.map(Number);
  await using _scene = reportMadeUp(classroom(components, intervalMs), { address: "127.0.0.1", port });
  const interrupted = new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", resolve));
  const closed = (async () => {
    for await (const _ of Deno.stdin.readable);
  })();
  await Promise.race([interrupted, closed]);
  Deno.exit(0);
}
