/**
 * Two endpoints that set up an association with each other at about the same time, over a network that delivers in any
 * order: a search over all orders of their packets, with the second attempt beginning at any point, and with one packet lost
 * or doubled or late (RFC 9260 §5.2).
 */
import assert from "node:assert/strict";
import type { PacketMeta, PacketTransmit } from "../../../protocol/net.ts";
import { Host, World } from "./harness.ts";

const PORT = 9901;

/** Choices of one run that the search goes through; those behind it are the first of each. */
const DEPTH = 6;

/** Packets that a run may lose, or see twice, and seconds that it may let pass in between. */
const MISHAPS = 1;

/** Steps of one run: a handshake that needs more has gone wrong. */
const MAX_STEPS = 60;

interface Letter {
  readonly packet: Uint8Array;
  readonly meta: PacketMeta;
  readonly to: Host;
}

interface Run {
  readonly world: World;
  readonly hosts: readonly [Host, Host];
  readonly flying: Letter[];
}

function begin(): Run {
  const world = new World(1);
  const one = world.host(["10.1.0.1"]), other = world.host(["10.1.0.2"]);
  for (const host of [one, other]) host.open(1, { port: PORT, listen: true, heartbeatIntervalMs: 0 });
  const flying: Letter[] = [];
  world.filter = (packet, transmit: PacketTransmit, sender) => {
    if (transmit.udpPort !== 0) return false; // plain SCTP is enough here
    const to = sender === one ? other : one;
    const meta = { source: sender.addresses[0]!, destination: to.addresses[0]!, udpPort: 0 };
    flying.push({ packet, meta, to });
    return false; // it is carried by the search
  };
  return { world, hosts: [one, other], flying };
}

/**
 * One run: each choice delivers, loses or doubles one of the packets under way, begins the second attempt, or waits.
 *
 * @param choices which one each time; the number of those possible is noted in `widths`
 */
function play(choices: readonly number[], widths: number[]): Run {
  const run = begin();
  const { world, hosts: [one, other], flying } = run;
  one.execute(1, { type: "connect", request: 1, addresses: other.addresses, port: PORT });
  world.flush();
  let asked = false, mishaps = 0;
  for (let step = 0; flying.length > 0 || !asked; step++) {
    assert.ok(step < MAX_STEPS, `the handshake ends: ${choices.join()}`);
    const moves: (() => void)[] = flying.map((_, at) => () => {
      const [letter] = flying.splice(at, 1);
      world.inject(letter!.to, letter!.packet, letter!.meta);
    });
    if (!asked) {
      moves.push(() => {
        asked = true;
        other.execute(1, { type: "connect", request: 2, addresses: one.addresses, port: PORT });
        world.flush();
      });
    }
    if (mishaps < MISHAPS) {
      const mishap = (move: () => void) => () => {
        mishaps++;
        move();
      };
      flying.forEach((letter, at) => {
        moves.push(mishap(() => flying.splice(at, 1)));
        moves.push(mishap(() => world.inject(letter.to, letter.packet, letter.meta)));
      });
      moves.push(mishap(() => world.pass(1000))); // timers expire
    }
    widths[step] = moves.length;
    moves[choices[step] ?? 0]!();
  }
  return run;
}

/** Both agree on one association, and it carries data both ways. */
function check({ world, hosts, flying }: Run, choices: readonly number[]): void {
  const name = `order ${choices.join()}`;
  world.filter = (_packet, { udpPort }) => udpPort === 0;
  world.pass(60_000); // whatever is missing is repeated
  assert.equal(flying.length, 0);
  const ids = hosts.map((host) => {
    const ups = host.of(1, "up");
    assert.equal(ups.length, 1, `${name}: one association`);
    assert.equal(host.of(1, "restarted").length, 0, `${name}: no restart`);
    return ups[0]!.association;
  });
  const [one, other] = hosts.map((host, i) => host.stack.status(ids[i]!));
  assert.deepEqual([one?.state, other?.state], ["established", "established"], name);
  assert.deepEqual([one?.localTag, one?.peerTag], [other?.peerTag, other?.localTag], `${name}: tags`);
  hosts.forEach((host, i) => {
    host.execute(1, { type: "send", association: ids[i]!, data: Uint8Array.of(i), ppid: 0 });
  });
  world.pass(10_000);
  for (const host of hosts) assert.equal(host.of(1, "message").length, 1, `${name}: data`);
}

Deno.test("two handshakes that cross make one association, in whatever order their packets come", () => {
  let runs = 0;
  const choices: number[] = [];
  for (let more = true; more; runs++) {
    assert.ok(runs < 20_000, "the search ends");
    const widths: number[] = [];
    check(play(choices, widths), choices);
    while (choices.length < Math.min(DEPTH, widths.length)) choices.push(0);
    choices.length = Math.min(choices.length, widths.length);
    more = false;
    for (let at = choices.length - 1; at >= 0 && !more; at--) {
      if (choices[at]! + 1 < widths[at]!) {
        choices[at]!++;
        choices.length = at + 1;
        more = true;
      }
    }
  }
  assert.ok(runs > 500, `${runs} orders`);
});
