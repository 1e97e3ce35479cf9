/** What a monitor shows of a pool on several PCs: who comes, works, changes sides, dies, and leaves. */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import { labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";
import { play } from "./registrar_scene.ts";
import type { Scene } from "./registrar_scene.ts";

/** tcpdump wants to be root for all the world. */
const possible = Deno.uid() === 0 && await labIsPossible();

/** Far more than anything takes. */
const DEADLINE_MS = 180_000;

/** Who dies is missed soon, where no ICMP tells of it; who stands still for some seconds is not. */
const REGISTRAR = [
  ...["-peerheartbeatcycle=1000", "-peermaxtimelastheard=10000", "-peermaxtimenoresponse=10000"],
  ...["-endpointkeepalivetransmissioninterval=1000", "-endpointkeepalivetimeoutinterval=10000"],
];

const LINE = /\{"time":.*\}\n/g;

/** Reports to PC 1, where the monitor is. */
const REPORTING = ["-cspserver=10.1.0.1", "-cspinterval=500"] as const;

/** What `rsp cspmonitor -json` says of a component; see `componentObject()`. */
interface Shown {
  readonly event: "appeared" | "changed" | "restarted" | "left";
  readonly time: string;
  readonly reason?: "ended" | "silent";
  readonly group: "PR" | "PE" | "PU";
  readonly object: string;
  readonly location: string;
  readonly status: string;
  readonly source: string;
  readonly age: number;
  readonly workload?: number;
  readonly associations: readonly {
    readonly group: string;
    readonly object: string;
    readonly ppid: number;
  }[];
}

/** A monitor at work, whose lines are read one after another. */
class Watch {
  readonly #monitor: Program;
  /** What it has said last of those that are there. */
  readonly #present = new Map<string, Shown>();
  #read = 0;

  constructor(monitor: Program) {
    this.#monitor = monitor;
  }

  /** A component that is, or the next one that becomes, as wanted. */
  async sees(what: string, wanted: (shown: Shown) => boolean): Promise<Shown> {
    const [found] = await this.seesAll({ [what]: wanted });
    return found!;
  }

  /**
   * Several of them, whichever comes first: components that come into the state together are shown in any order.
   *
   * @returns them in the order of the names
   */
  async seesAll(wanted: Readonly<Record<string, (shown: Shown) => boolean>>): Promise<Shown[]> {
    const from = this.#read, deadline = performance.now() + DEADLINE_MS;
    const found = new Map<string, Shown>();
    const look = (shown: Shown) => {
      const name = Object.keys(wanted).find((one) => !found.has(one) && wanted[one]!(shown));
      if (name !== undefined) found.set(name, shown);
    };
    this.#present.forEach(look);
    while (found.size < Object.keys(wanted).length) {
      const shown = await this.#next(deadline);
      if (shown === undefined) {
        const missing = Object.keys(wanted).filter((name) => !found.has(name));
        throw new Error(`The monitor never showed ${missing}, but:\n${this.#monitor.output.slice(from)}`);
      }
      look(shown);
    }
    return Object.keys(wanted).map((name) => found.get(name)!);
  }

  /** The next line; undefined = none came in time. */
  async #next(deadline: number): Promise<Shown | undefined> {
    LINE.lastIndex = this.#read;
    const rest = Math.max(0, deadline - performance.now());
    // What is there already takes no time, however much it is.
    const line = LINE.exec(this.#monitor.output) ??
      await this.#monitor.says(LINE, rest, this.#read).catch(() => null);
    if (line === null) return undefined;
    this.#read = line.index + line[0].length;
    const shown = JSON.parse(line[0]) as Shown;
    if (shown.event === "left") this.#present.delete(shown.object);
    else this.#present.set(shown.object, shown);
    return shown;
  }
}

/** Whether a component has an association with another one of this kind and, if it is given, ID. */
function isWith({ associations }: Shown, group: string, object?: string): boolean {
  return associations.some((one) => one.group === group && (object === undefined || one.object === object));
}

function hex(number: number): string {
  return `0x${number.toString(16).padStart(8, "0")}`;
}

Deno.test({
  name:
    "cspmonitor shows two registrars, servers and users on three PCs: takeover, failover, silence and ends",
  ignore: !possible,
  fn: () =>
    play({ name: "cspmonitor", pcs: 3 }, async (scene: Scene) => {
      const monitor = scene.lab.pc(1).rsp("cspmonitor", "-json", "-updateinterval=100");
      await monitor.says(/"event":"listening"/);
      const watch = new Watch(monitor);

      // Registrars appear, and find each other.
      const [first, second] = ([[1, 0x11, 1000], [2, 0x22, 40_000]] as const).map(([pc, id, mentorMs]) => {
        const itself = [`-identifier=${hex(id)}`, `-mentordiscoverytimeout=${mentorMs}`];
        return scene.rsp(pc, "registrar", ...itself, ...REGISTRAR, ...REPORTING);
      }) as [Program, Program];
      await watch.sees("registrar 1 with 2", ({ group, object, ...shown }) => {
        return object === hex(0x11) && isWith({ group, object, ...shown }, "PR", hex(0x22));
      });

      // A server with two services is two elements; another one serves the same pools.
      const servers = [2, 3].map((pc) => scene.rsp(pc, "server", "-echo", "-pingpong", ...REPORTING));
      const elements = new Map<string, string>();
      for (let count = 0; count < 4; count++) {
        const { object, location } = await watch.sees(`element ${count + 1}`, ({ group, object }) => {
          return group === "PE" && !elements.has(object);
        });
        assert.match(location, /: 10\.\d\.0\.[23]:\d+/);
        elements.set(object, /10\.\d\.0\.([23]):/.exec(location)?.[1] ?? "");
      }
      assert.deepEqual([...elements.values()].sort(), ["2", "2", "3", "3"]);
      await watch.sees("four elements at registrar 2", ({ object, status }) => {
        return object === hex(0x22) && /^4\[\d\] PEs in 2 Pools, 1 Peer$/.test(status);
      });

      // A user works with an element.
      const user = scene.rsp(3, "pingpongclient", "-interval=50", "-timeout=500", ...REPORTING);
      const working = await watch.sees("the user at work", (shown) => {
        return shown.group === "PU" && isWith(shown, "PE") && /^Reply #/.test(shown.status);
      });
      const serving = working.associations.find(({ group }) => group === "PE")!.object;

      // Its server is killed: the user goes on with another element, and the dead ones are taken off when they are silent.
      const dead = elements.get(serving) === "2" ? 0 : 1;
      servers[dead]!.signal("SIGKILL");
      const isDead = ({ object }: Shown) => elements.get(object) === elements.get(serving);
      const [moved, ...gone] = await watch.seesAll({
        "the failover": (shown) => {
          return shown.group === "PU" && isWith(shown, "PE") && !isWith(shown, "PE", serving);
        },
        "the silence of a dead element": (shown) => shown.event === "left" && isDead(shown),
        "the silence of the other one": (shown) => shown.event === "left" && isDead(shown),
      });
      const successor = moved!.associations.find(({ group }) => group === "PE")!.object;
      assert.notEqual(elements.get(successor), elements.get(serving), "it is on the other PC");
      assert.equal(new Set(gone.map(({ object }) => object)).size, 2);
      for (const { reason, age } of gone) {
        assert.equal(reason, "silent");
        assert.ok(age >= 5, `silent for ${age} s, which were ten intervals of 500 ms`);
      }

      // A registrar is killed: its elements and users go to the other one.
      const other = servers[1 - dead]!;
      const survivors = [...elements].filter(([, pc]) => pc !== elements.get(serving)).map(([object]) =>
        object
      );
      first.signal("SIGKILL");
      const [silent] = await watch.seesAll({
        "the silence of registrar 1": ({ event, object }) => event === "left" && object === hex(0x11),
        "the takeover by registrar 2": ({ object, status }) => {
          return object === hex(0x22) && status === "2[2] PEs in 2 Pools, 0 Peers";
        },
      });
      assert.equal(silent!.reason, "silent");
      for (const survivor of survivors) {
        await watch.sees(`${survivor} with registrar 2`, ({ group, object, ...shown }) => {
          return object === survivor && isWith({ group, object, ...shown }, "PR", hex(0x22));
        });
      }

      // Ctrl+C: they leave at once.
      const ended = async (program: Program, ...objects: readonly string[]) => {
        assert.equal(await program.interrupt(), 0, program.output);
        const ends = objects.map((wanted) => {
          return [`the end of ${wanted}`, ({ event, object }: Shown) =>
            event === "left" && object === wanted] as const;
        });
        const left = await watch.seesAll(Object.fromEntries(ends));
        assert.deepEqual(
          left.map(({ reason }) =>
            reason
          ),
          objects.map(() => "ended"),
        );
      };
      await ended(user, working.object);
      await ended(other, ...survivors);
      await ended(second, hex(0x22));

      assert.equal(await monitor.interrupt(), 0, monitor.output);
    }, async (_wire, recording) => {
      assert.ok((await packets(recording, "componentstatusprotocol")).length > 20);
      assert.deepEqual(await packets(recording, "udp.dstport == 2960 and !componentstatusprotocol"), []);
      assert.deepEqual(await packets(recording, "componentstatusprotocol and _ws.malformed"), []);
    }),
});
