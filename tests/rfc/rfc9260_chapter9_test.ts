/** RFC 9260 chapter 9: the end of an association. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  be,
  Cause,
  Chunk,
  chunk,
  chunksOf,
  connect,
  data,
  type Established,
  init,
  onlyChunk,
  read,
  readSack,
  sack,
  type SentPacket,
  THERE_TAG,
  THERE_TSN,
  tlvs,
} from "./bench.ts";

function send({ bench, association }: Established, octets = 100): SentPacket[] {
  return bench.execute({ type: "send", association, data: new Uint8Array(octets), ppid: 0 });
}

function shutdown({ bench, association }: Established): SentPacket[] {
  return bench.execute({ type: "shutdown", association });
}

Deno.test("§9.1: an ABORT goes out once, under the peer's tag, with cause 12 and the reason", () => {
  const { bench, association } = accept();

  const sent = bench.execute({ type: "abort", association, reason: "bye" });

  assert.equal(sent.length, 1);
  assert.equal(sent[0]!.tag, THERE_TAG);
  const abort = onlyChunk(sent, Chunk.abort);
  assert.equal(abort.flags, 0);
  const causes = tlvs(abort.value, 0);
  assert.equal(causes[0]?.type, Cause.userInitiatedAbort);
  assert.deepEqual([...causes[0].value], [0x62, 0x79, 0x65]);
  const [down] = bench.eventsOf("down");
  assert.equal(down?.reason, "aborted");
  assert.equal(down.origin, "local");
});

Deno.test("§9.1: an ABORT leaves no timer, and what was not acknowledged is reported", () => {
  const established = accept({}, { window: 1500 });
  send(established, 1000);
  send(established, 1000);

  established.bench.execute({ type: "abort", association: established.association });

  assert.deepEqual(established.bench.eventsOf("sendFailed").map(({ sent }) => sent), [true, false]);
  assert.equal(established.bench.events.at(-1)?.type, "down");
  assert.equal(established.bench.stack.nextTimeout(), undefined);
});

Deno.test("§9.2: SHUTDOWN waits until all data is acknowledged, and says what has been received", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  bench.give(tag, [data({ tsn: THERE_TSN })]);
  send(established);

  const early = chunksOf(shutdown(established), Chunk.shutdown);
  const sent = bench.give(tag, [sack(tsn)]);

  assert.equal(early.length, 0);
  assert.equal(read(onlyChunk(sent, Chunk.shutdown).value, 0, 4), THERE_TSN);
});

Deno.test("§9.2: after SHUTDOWN was asked for, no new data is taken", () => {
  const established = accept();
  send(established);
  shutdown(established);

  const sent = send(established);

  assert.equal(chunksOf(sent, Chunk.data).length, 0);
  assert.equal(established.bench.eventsOf("sendFailed").length, 1);
});

Deno.test("§9.2: SHUTDOWN ACK is answered with SHUTDOWN COMPLETE, and all is gone", () => {
  const established = accept();
  const { bench, tag } = established;
  shutdown(established);

  const sent = bench.give(tag, [chunk(Chunk.shutdownAck, 0, [])]);

  assert.equal(onlyChunk(sent, Chunk.shutdownComplete).flags, 0);
  assert.equal(sent[0]!.tag, THERE_TAG);
  const [down] = bench.eventsOf("down");
  assert.equal(down?.reason, "shutdown");
  assert.equal(down.origin, "local");
  assert.equal(bench.stack.nextTimeout(), undefined);
  assert.equal(bench.stack.status(established.association), undefined);
});

Deno.test("§9.2: SHUTDOWN is repeated with growing time-outs, Association.Max.Retrans times", () => {
  const established = accept({ endpoint: { associationMaxRetransmissions: 3, heartbeatIntervalMs: 0 } });

  const sent = [...shutdown(established), ...established.bench.advance(600_000)];

  const times = sent.filter(({ chunks }) => chunks[0]!.type === Chunk.shutdown).map(({ at }) => at);
  assert.deepEqual(times, [0, 1000, 3000, 7000]);
  assert.equal(established.bench.eventsOf("down")[0]?.reason, "timeout");
});

Deno.test("§9.2: DATA after SHUTDOWN is acknowledged at once, with another SHUTDOWN", () => {
  const established = accept();
  const { bench, tag } = established;
  shutdown(established);

  const sent = bench.give(tag, [data({ tsn: THERE_TSN })]);

  assert.equal(read(onlyChunk(sent, Chunk.shutdown).value, 0, 4), THERE_TSN);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§9.2: DATA with a gap after SHUTDOWN gets a SACK that tells of the gap", () => {
  const established = accept();
  const { bench, tag } = established;
  shutdown(established);

  const sent = bench.give(tag, [data({ tsn: THERE_TSN + 1, ssn: 1 })]);

  assert.deepEqual(readSack(onlyChunk(sent, Chunk.sack)).gaps, [[2, 2]]);
});

Deno.test("§9.2: a SHUTDOWN is answered with SHUTDOWN ACK when there is no data left", () => {
  const { bench, tag, tsn } = accept();

  const sent = bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);

  onlyChunk(sent, Chunk.shutdownAck);
  assert.equal(bench.eventsOf("peerShutdown").length, 1);
});

Deno.test("§9.2: after a SHUTDOWN what is queued still goes out, then SHUTDOWN ACK", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  send(established);

  const early = bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);
  const again = bench.advance(3000);
  const sent = bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn))]);

  assert.equal(chunksOf(early, Chunk.shutdownAck).length, 0);
  assert.ok(chunksOf(again, Chunk.data).length >= 1);
  onlyChunk(sent, Chunk.shutdownAck);
});

Deno.test("§9.2: the cumulative TSN of a SHUTDOWN acknowledges", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  send(established);

  const sent = bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn))]);

  onlyChunk(sent, Chunk.shutdownAck);
  assert.equal(bench.eventsOf("sendFailed").length, 0);
});

Deno.test("§9.2: after a SHUTDOWN from the peer no new data is taken", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  send(established);
  bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);

  const sent = send(established);

  assert.equal(chunksOf(sent, Chunk.data).length, 0);
  assert.equal(bench.eventsOf("sendFailed").length, 1);
});

Deno.test("§9.2: SHUTDOWN ACK is repeated until SHUTDOWN COMPLETE comes", () => {
  const { bench, tag, tsn } = accept();
  bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);

  const again = bench.advance(1000);
  bench.give(tag, [chunk(Chunk.shutdownComplete, 0, [])]);

  onlyChunk(again, Chunk.shutdownAck);
  const [down] = bench.eventsOf("down");
  assert.equal(down?.reason, "shutdown");
  assert.equal(down.origin, "peer");
  assert.deepEqual(bench.advance(60_000), []);
});

Deno.test("§9.2: SHUTDOWN ACK is given up after Association.Max.Retrans times", () => {
  const { bench, tag, tsn } = accept({
    endpoint: { associationMaxRetransmissions: 2, heartbeatIntervalMs: 0 },
  });

  bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);
  bench.advance(600_000);

  assert.equal(bench.eventsOf("down").length, 1);
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§9.2: SHUTDOWNs that cross are both answered with SHUTDOWN ACK", () => {
  const established = accept();
  const { bench, tag, tsn } = established;
  shutdown(established);

  const sent = bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);
  const end = bench.give(tag, [chunk(Chunk.shutdownAck, 0, [])]);

  onlyChunk(sent, Chunk.shutdownAck);
  onlyChunk(end, Chunk.shutdownComplete);
  assert.equal(bench.eventsOf("down")[0]?.reason, "shutdown");
});

Deno.test("§9.2: an INIT that crosses a SHUTDOWN ACK is answered with SHUTDOWN ACK again", () => {
  const { bench, tag, tsn } = accept();
  bench.give(tag, [chunk(Chunk.shutdown, 0, be(4, tsn - 1))]);

  const sent = bench.give(0, [init(Chunk.init)]);

  onlyChunk(sent, Chunk.shutdownAck);
  assert.equal(chunksOf(sent, Chunk.initAck).length, 0);
});

Deno.test("§9.2: a SHUTDOWN ACK out of turn does not end an association that has data to send", () => {
  const established = connect();
  send(established);

  established.bench.give(established.tag, [chunk(Chunk.shutdownAck, 0, [])]);

  assert.notEqual(established.bench.eventsOf("down")[0]?.reason, "shutdown");
});

Deno.test("§9: closing an endpoint shuts its associations down, and aborts what is left after the linger time", () => {
  const { bench } = accept({ endpoint: { heartbeatIntervalMs: 0 } });

  bench.stack.close(5, 1500, bench.now);
  const sent = [...bench.collect(), ...bench.advance(10_000)];

  assert.ok(chunksOf(sent, Chunk.shutdown).length >= 1);
  const abort = sent.find(({ chunks }) => chunks.some(({ type }) => type === Chunk.abort));
  assert.equal(abort?.at, 1500);
  assert.ok(bench.closed);
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§9: an endpoint that closes takes no new association", () => {
  const { bench } = accept();

  bench.stack.close(5, 1500, bench.now);
  bench.collect();
  const sent = bench.give(0, [init(Chunk.init, { tag: 99 })], { sourcePort: 1234 });

  assert.equal(chunksOf(sent, Chunk.initAck).length, 0);
});

Deno.test("§9: closing an idle endpoint is over at once", () => {
  const { bench, tag } = accept();
  bench.give(tag, [chunk(Chunk.abort, 0, [])]);

  bench.stack.close(5, 2000, bench.now);
  bench.collect();
  bench.advance(0);

  assert.ok(bench.closed);
});
