/** RFC 7829: the potentially failed state, the dormant state, primary path switchover. Each test: init, act, check. */
import assert from "node:assert/strict";
import type { EndpointOptions, PathStatus } from "../../protocol/net.ts";
import {
  accept,
  addressParameters,
  answerHeartbeats,
  Chunk,
  type Established,
  HERE,
  sack,
  type SentPacket,
  THERE,
} from "./bench.ts";

const MAIN = THERE[0]!, OTHER = THERE[1]!;

/** An association with two confirmed paths and no HEARTBEAT under way. */
function twoPaths(endpoint: EndpointOptions = {}): Established {
  const established = accept(
    { endpoint: { heartbeatIntervalMs: 30_000, exposePotentiallyFailed: true, ...endpoint } },
    { parameters: addressParameters([OTHER]) },
  );
  const { bench, tag } = established;
  answerHeartbeats(bench, tag, bench.advance(10));
  for (let i = 0; i < 40 && pathTo(established, OTHER).state === "unconfirmed"; i++) {
    answerHeartbeats(bench, tag, bench.advance(100));
  }
  assert.equal(pathTo(established, OTHER).state, "active");
  bench.events.length = 0;
  return established;
}

function pathTo({ bench, association }: Established, address: string): PathStatus {
  return bench.stack.status(association)!.paths.find((path) => path.address === address)!;
}

function send({ bench, association }: Established, octets = 100): SentPacket[] {
  return bench.execute({ type: "send", association, data: new Uint8Array(octets), ppid: 0 });
}

function destinations(packets: readonly SentPacket[], type: number): string[] {
  return packets.filter(({ chunks }) => chunks.some((one) => one.type === type))
    .map(({ destination }) => destination);
}

function changes({ bench }: Established): string[] {
  return bench.eventsOf("path").map(({ address, change }) => `${address} ${change}`);
}

/** Acknowledges everything that was sent, from an address. */
function acknowledge({ bench, tag, tsn }: Established, count: number, source = MAIN): SentPacket[] {
  const destination = source === MAIN ? HERE[0]! : HERE[1]!;
  return bench.give(tag, [sack(tsn + count - 1)], { source, destination });
}

Deno.test("§3.2, 1: PFMR is 0 unless set: the first time-out makes a path potentially failed", () => {
  const established = twoPaths();

  send(established);
  established.bench.advance(1000);

  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
  assert.equal(pathTo(established, MAIN).errors, 1);
});

Deno.test("§3.2, 1: with PFMR >= PMR a path is inactive before it could be potentially failed", () => {
  const established = twoPaths({ potentiallyFailedMaxRetransmissions: 2, pathMaxRetransmissions: 1 });
  const { bench, tag } = established;

  for (let i = 0; i < 4; i++) {
    send(established);
    const sent = bench.advance(3100);
    answerHeartbeats(bench, tag, sent.filter(({ destination }) => destination === OTHER));
    acknowledge(established, i + 1, OTHER);
  }

  assert.ok(!changes(established).includes(`${MAIN} potentially-failed`));
  assert.equal(changes(established)[0], `${MAIN} unreachable`);
});

Deno.test("§3.2, 2: a path is potentially failed when its error counter exceeds PFMR", () => {
  const established = twoPaths({ potentiallyFailedMaxRetransmissions: 1 });
  const { bench } = established;

  send(established);
  bench.advance(1000);
  const afterOne = pathTo(established, MAIN).state;
  acknowledge(established, 1, OTHER);
  send(established);
  bench.advance(2000);

  assert.equal(afterOne, "active");
  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
});

Deno.test("§3.2, 2: an unanswered HEARTBEAT of an idle path counts as T3 does", () => {
  const established = twoPaths({ heartbeatIntervalMs: 1000 });
  const { bench, tag } = established;

  for (let i = 0; i < 40 && pathTo(established, MAIN).errors === 0; i++) {
    answerHeartbeats(bench, tag, bench.advance(100).filter(({ destination }) => destination === OTHER));
  }

  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
});

Deno.test("§3.2, 3 i: new data goes to an active path while the primary one is potentially failed", () => {
  const established = twoPaths();
  send(established);
  established.bench.advance(1000);

  const sent = send(established);

  assert.deepEqual(destinations(sent, Chunk.data), [OTHER]);
});

Deno.test("§3.2, 3 ii: what has timed out is sent again on an active path, at once", () => {
  const established = twoPaths();

  send(established);
  const sent = established.bench.advance(1000);

  assert.deepEqual(destinations(sent, Chunk.data), [OTHER]);
});

Deno.test("§3.2, 3: choosing a path changes neither its state nor its error counter", () => {
  const established = twoPaths({ heartbeatIntervalMs: 0 });
  const { bench } = established;
  send(established);
  bench.advance(1000); // MAIN fails
  bench.advance(1000); // OTHER fails
  const before = [MAIN, OTHER].map((address) => pathTo(established, address).errors);

  send(established);

  assert.deepEqual([MAIN, OTHER].map((address) => pathTo(established, address).errors), before);
  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
});

Deno.test("§3.2, 4 i: when no path is active, data goes to the potentially failed one with the fewest errors", () => {
  const established = twoPaths();
  const { bench, association } = established;
  send(established);
  const sent = bench.advance(1000 + 2000 + 4000 + 100);

  const data = sent.filter(({ chunks }) => chunks.some(({ type }) => type === Chunk.data));

  assert.ok(data.length >= 3);
  assert.deepEqual(data.slice(0, 2).map(({ destination }) => destination), [OTHER, MAIN]);
  assert.ok(bench.stack.status(association)!.paths.every(({ state }) => state === "potentially-failed"));
});

Deno.test("§3.2, 5: a potentially failed path gets a HEARTBEAT an RTO, whatever HB.interval is", () => {
  const established = twoPaths({ heartbeatIntervalMs: 3_600_000 });
  const { bench } = established;

  send(established);
  const first = bench.advance(1000);
  acknowledge(established, 1, OTHER);
  const later = bench.advance(2000 + 4000);

  assert.deepEqual(destinations(first, Chunk.heartbeat), [MAIN]);
  const times = later.filter(({ destination }) => destination === MAIN).map(({ at }) => at - first[0]!.at);
  assert.deepEqual(times, [2000, 6000]);
});

Deno.test("§3.2, 5: a path whose HEARTBEATs are switched off gets none when it is potentially failed", () => {
  const established = twoPaths({ heartbeatIntervalMs: 0 });

  send(established);
  const sent = established.bench.advance(1000);
  acknowledge(established, 1, OTHER);
  sent.push(...established.bench.advance(60_000));

  assert.deepEqual(destinations(sent, Chunk.heartbeat), []);
  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
});

Deno.test("§3.2, 6: an unanswered HEARTBEAT adds an error and doubles the time-out", () => {
  const established = twoPaths();
  const { bench } = established;
  send(established);
  bench.advance(1000);
  acknowledge(established, 1, OTHER);
  const { errors, rtoMs } = pathTo(established, MAIN);

  const sent = bench.advance(rtoMs);

  assert.equal(pathTo(established, MAIN).errors, errors! + 1);
  assert.equal(pathTo(established, MAIN).rtoMs, 2 * rtoMs);
  assert.deepEqual(destinations(sent, Chunk.heartbeat), [MAIN]);
});

Deno.test("§3.2, 6: while data is under way on a potentially failed path, its T3 counts and the HEARTBEAT does not", () => {
  const established = accept({ endpoint: { heartbeatIntervalMs: 30_000 } });

  send(established);
  established.bench.advance(1000 + 2000 + 4000);

  assert.equal(pathTo(established, MAIN).errors, 3);
});

Deno.test("§3.2, 7: a HEARTBEAT ACK clears the error counter and the path is active again", () => {
  const established = twoPaths();
  const { bench, tag } = established;
  send(established);
  const sent = bench.advance(1000);
  acknowledge(established, 1, OTHER);

  answerHeartbeats(bench, tag, sent);

  assert.equal(pathTo(established, MAIN).state, "active");
  assert.equal(pathTo(established, MAIN).errors, 0);
  assert.deepEqual(destinations(send(established), Chunk.data), [MAIN]);
});

Deno.test("§3.2, 7: data on a path that has come back begins with the window that the time-out left", () => {
  const established = twoPaths();
  const { bench, tag } = established;
  send(established);
  const sent = bench.advance(1000);
  acknowledge(established, 1, OTHER);
  answerHeartbeats(bench, tag, sent);

  const data = destinations(send(established, 20_000), Chunk.data);

  assert.ok(pathTo(established, MAIN).cwnd <= 1500);
  assert.deepEqual(data, [MAIN]);
});

Deno.test("§3.2, 8: PMR - PFMR time-outs more make the path inactive, and the user hears of it", () => {
  const established = twoPaths({ pathMaxRetransmissions: 2 });
  const { bench } = established;
  send(established);
  bench.advance(1000);
  acknowledge(established, 1, OTHER);

  const probes = bench.advance(2000 + 4000);
  const later = bench.advance(20_000);

  assert.deepEqual(changes(established), [`${MAIN} potentially-failed`, `${MAIN} unreachable`]);
  assert.equal(pathTo(established, MAIN).state, "inactive");
  assert.deepEqual(destinations(probes, Chunk.heartbeat), [MAIN]);
  assert.deepEqual(later.filter(({ destination }) => destination === MAIN), []); // HB.interval from here on
});

Deno.test("§3.2, 9: the acknowledgement of data that went to two paths clears neither's errors", () => {
  const established = twoPaths();
  send(established);
  established.bench.advance(1000);

  acknowledge(established, 1, MAIN);

  assert.equal(pathTo(established, MAIN).state, "potentially-failed");
  assert.equal(pathTo(established, MAIN).errors, 1);
});

Deno.test("§3.2, 10: the acknowledgement of data that went to one path only makes it active again", () => {
  const established = accept({ endpoint: { exposePotentiallyFailed: true } });
  send(established);
  established.bench.advance(1000);
  const before = pathTo(established, MAIN).state;

  acknowledge(established, 1);

  assert.equal(before, "potentially-failed");
  assert.equal(pathTo(established, MAIN).state, "active");
});

Deno.test("§3.2, 10: so does one that was late, for data that was not sent again yet", () => {
  const established = accept({ endpoint: { heartbeatIntervalMs: 0 } });
  const { bench, tag, tsn } = established;
  for (let i = 0; i < 3; i++) send(established, 1400);
  bench.advance(1000); // the window is one packet now: the first is sent again, the others wait

  bench.give(tag, [sack(tsn - 1, [[2, 2]])]);

  assert.equal(pathTo(established, MAIN).errors, 0);
});

Deno.test("§3.2, 12: the user hears of both transitions", () => {
  const established = twoPaths();
  const { bench, tag } = established;

  send(established);
  answerHeartbeats(bench, tag, bench.advance(1000));

  assert.deepEqual(changes(established), [`${MAIN} potentially-failed`, `${MAIN} available`]);
});

Deno.test("§3.2, 12: a user who does not want to know sees an active path all the time", () => {
  const established = twoPaths({ exposePotentiallyFailed: false });
  const { bench, tag } = established;

  send(established);
  const sent = bench.advance(1000);
  const state = pathTo(established, MAIN).state;
  answerHeartbeats(bench, tag, sent);

  assert.equal(state, "active");
  assert.deepEqual(changes(established), []);
});

Deno.test("§4.1, 1: when all paths are inactive data still goes to one of them", () => {
  const established = twoPaths({ pathMaxRetransmissions: 0, associationMaxRetransmissions: 10 });
  const { bench, association } = established;
  send(established);
  bench.advance(1000 + 1000);
  const states = bench.stack.status(association)!.paths.map(({ state }) => state);

  const sent = bench.advance(10_000);

  assert.deepEqual(states, ["inactive", "inactive"]);
  assert.ok(destinations(sent, Chunk.data).length >= 1);
});

Deno.test("§4.1, 2: an inactive path stays so when data is sent to it", () => {
  const established = twoPaths({ pathMaxRetransmissions: 0, heartbeatIntervalMs: 0 });
  const { bench } = established;
  send(established);
  bench.advance(1000 + 1000);

  const [used] = destinations(bench.advance(4000), Chunk.data);

  assert.equal(pathTo(established, used!).state, "inactive");
  assert.ok(pathTo(established, used!).errors! >= 1);
});

Deno.test("§4.1, 3: errors are counted beyond PMR, and data goes where they are fewest", () => {
  const established = twoPaths({ pathMaxRetransmissions: 0, heartbeatIntervalMs: 0 });
  const { bench, association } = established;

  send(established);
  const sent = bench.advance(1000 + 1000 + 2000 + 2000 + 4000);

  assert.deepEqual(destinations(sent, Chunk.data).slice(0, 4), [OTHER, MAIN, OTHER, MAIN]);
  assert.ok(bench.stack.status(association)!.paths.every(({ errors }) => errors! > 1));
});

Deno.test("§5, 1: a PSMR below PFMR is rejected", () => {
  assert.throws(
    () =>
      accept({
        endpoint: { potentiallyFailedMaxRetransmissions: 2, primarySwitchoverMaxRetransmissions: 1 },
      }),
    /Cannot switch the primary path/,
  );
});

Deno.test("§5, 2 and 4: above PSMR the path that data takes becomes the primary one", () => {
  const established = twoPaths({ primarySwitchoverMaxRetransmissions: 0 });
  const { bench, tag } = established;

  send(established);
  const sent = bench.advance(1000);
  answerHeartbeats(bench, tag, sent);

  assert.ok(changes(established).includes(`${OTHER} made-primary`));
  assert.equal(pathTo(established, OTHER).primary, true);
  assert.deepEqual(destinations(send(established), Chunk.data), [OTHER]); // MAIN works again, but is not asked for
});

Deno.test("§5, 3: the old primary path is used again when the new one fails", () => {
  const established = twoPaths({ primarySwitchoverMaxRetransmissions: 0 });
  const { bench, tag } = established;
  send(established);
  answerHeartbeats(bench, tag, bench.advance(1000));
  acknowledge(established, 1, OTHER);

  send(established);
  const sent = bench.advance(1000);

  assert.deepEqual(destinations(sent, Chunk.data), [MAIN]);
});

Deno.test("§5, 6: without PSMR data goes back to the primary path", () => {
  const established = twoPaths();
  const { bench, tag } = established;
  send(established);
  answerHeartbeats(bench, tag, bench.advance(1000));

  assert.ok(!changes(established).some((change) => change.endsWith("made-primary")));
  assert.deepEqual(destinations(send(established), Chunk.data), [MAIN]);
});
