/** RFC 7053: SACK-IMMEDIATELY. Each test: init, act, check. */
import assert from "node:assert/strict";
import { accept, Chunk, chunksOf, data, onlyChunk, readSack, sack, THERE_TSN } from "./bench.ts";
import { acceptInterleaved, iData, sendMessage } from "./data_bench.ts";

const IMMEDIATE = 8;

Deno.test("§4: the application sets the I bit of a message", () => {
  const established = accept();

  const with_ = onlyChunk(sendMessage(established, { sackImmediately: true }), Chunk.data);
  const without = onlyChunk(sendMessage(established), Chunk.data);

  assert.equal(with_.flags & IMMEDIATE, IMMEDIATE);
  assert.equal(without.flags & IMMEDIATE, 0);
});

Deno.test("§4: of a fragmented message only the last fragment has the I bit", () => {
  const established = accept();

  const chunks = chunksOf(sendMessage(established, { octets: 4000, sackImmediately: true }), Chunk.data);

  assert.ok(chunks.length > 2);
  assert.deepEqual(chunks.map(({ flags }) => (flags & IMMEDIATE) !== 0), [
    ...Array(chunks.length - 1).fill(false),
    true,
  ]);
});

Deno.test("§5.1.1: a probe of a window that has no room asks for a SACK at once", () => {
  const established = accept({}, { window: 1500 });
  const { bench, tag, tsn } = established;
  sendMessage(established, { octets: 1000 });
  bench.give(tag, [sack(tsn, [], 0)]);

  const probe = [...sendMessage(established), ...bench.advance(2000)];

  assert.equal(chunksOf(probe, Chunk.data)[0]!.flags & IMMEDIATE, IMMEDIATE);
});

Deno.test("§5.1.2: the last message before a SHUTDOWN asks for a SACK at once", () => {
  const established = accept({}, { window: 1500 });
  const { bench, tag, tsn, association } = established;
  sendMessage(established, { octets: 1400 });
  sendMessage(established, { octets: 1000 });
  bench.execute({ type: "shutdown", association });

  const sent = bench.give(tag, [sack(tsn, [], 5000)]);

  assert.equal(onlyChunk(sent, Chunk.data).flags & IMMEDIATE, IMMEDIATE);
});

Deno.test("§4: what fills a send buffer that is to drain within a time asks for a SACK at once, as its user waits", () => {
  const sendBuffer = 1000;
  const inTime = accept({ endpoint: { sendBuffer, sendBufferMs: 2000 } });
  const whenever = accept({ endpoint: { sendBuffer } });

  const [room, last, more] = [900, 200, 10].map((octets) =>
    onlyChunk(sendMessage(inTime, { octets }), Chunk.data)
  );
  const full = onlyChunk(sendMessage(whenever, { octets: 1100 }), Chunk.data);

  assert.deepEqual([room, last, more, full].map((chunk) => chunk!.flags & IMMEDIATE), [
    0,
    IMMEDIATE,
    IMMEDIATE,
    0,
  ]);
});

Deno.test("§5.2: a chunk with the I bit is acknowledged at once, DATA and I-DATA alike", () => {
  const plain = accept();
  const interleaved = acceptInterleaved();

  const first = plain.bench.give(plain.tag, [data({ tsn: THERE_TSN, flags: 3 | IMMEDIATE })]);
  const second = interleaved.bench.give(interleaved.tag, [iData({ tsn: THERE_TSN, flags: 3 | IMMEDIATE })]);

  assert.equal(readSack(onlyChunk(first, Chunk.sack)).cumulative, THERE_TSN);
  assert.equal(readSack(onlyChunk(second, Chunk.sack)).cumulative, THERE_TSN);
});

Deno.test("§5.2: a chunk without the I bit waits for the delay", () => {
  const { bench, tag } = accept();
  bench.give(tag, [data({ tsn: THERE_TSN })]);
  bench.advance(1000);

  const sent = bench.give(tag, [data({ tsn: THERE_TSN + 1, ssn: 1 })]);

  assert.equal(chunksOf(sent, Chunk.sack).length, 0);
  assert.equal(chunksOf(bench.advance(200), Chunk.sack).length, 1);
});
