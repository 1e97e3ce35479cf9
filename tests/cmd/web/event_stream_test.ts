/** What waits for a page that reads slowly. */
import assert from "node:assert/strict";
import { EventStream, MAX_WAITING_OCTETS } from "../../../cmd/web/event_stream.ts";

const MEBIBYTE = 1 << 20;

/** A stream with a page that reads an event when it is told to. */
function open(): {
  readonly stream: EventStream;
  read(): Promise<string>;
  readonly ends: unknown[];
  fail(): void;
} {
  let snapshots = 0, fails = false;
  const ends: unknown[] = [];
  const stream = new EventStream({
    snapshot() {
      if (fails) throw new Error("no snapshot");
      return new TextEncoder().encode(`snapshot ${++snapshots}`);
    },
    onEnd: (problem) => ends.push(problem),
  });
  const reader = stream.body.getReader();
  const read = async () => {
    const { value, done } = await reader.read();
    return done ? "end" : new TextDecoder().decode(value).slice(0, 20);
  };
  return { stream, read, ends, fail: () => fails = true };
}

function event(name: string, octets = name.length): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(octets).fill(0x20);
  new TextEncoder().encodeInto(name, made);
  return made;
}

Deno.test("EventStream gives the snapshot, then every event in order, whoever waits for whom", async () => {
  const { stream, read } = open();
  assert.equal(await read(), "snapshot 1");
  stream.send(event("one"));
  stream.send(event("two"));
  assert.deepEqual([await read(), await read()], ["one", "two"]);
  const waiting = read();
  stream.send(event("three"));
  assert.equal(await waiting, "three");
  assert.equal(stream.waitingOctets, 0);
});

Deno.test("EventStream counts what waits, and not what was read", async () => {
  const { stream, read } = open();
  await read();
  for (let round = 0; round < 20; round++) {
    // There is always something left, so nothing but the count says that there is room.
    stream.send(event(`a${round}`, MEBIBYTE));
    stream.send(event(`b${round}`, MEBIBYTE));
    if (round > 0) assert.match(await read(), new RegExp(`^b${round - 1} `));
    assert.match(await read(), new RegExp(`^a${round} `));
    assert.equal(stream.waitingOctets, MEBIBYTE);
  }
});

Deno.test("EventStream keeps so much and no more, and gives a snapshot instead", async () => {
  const { stream, read } = open();
  await read();
  for (let count = 0; count < MAX_WAITING_OCTETS / MEBIBYTE; count++) stream.send(event("kept", MEBIBYTE));
  assert.equal(stream.waitingOctets, MAX_WAITING_OCTETS);
  stream.send(event("!"));
  assert.equal(stream.waitingOctets, 0, "what nobody will read is not kept");
  stream.send(event("lost"));
  assert.equal(await read(), "snapshot 2");
  stream.send(event("new"));
  assert.equal(await read(), "new");
});

Deno.test("EventStream knows a page that reads nothing", async () => {
  const { stream, read } = open();
  assert.equal(stream.look(), false, "at first it may be slow");
  assert.equal(stream.look(), true);
  await read();
  assert.equal(stream.look(), false, "nothing waits");
  assert.equal(stream.look(), false);
  stream.send(event("one"));
  stream.send(event("two"));
  assert.equal(stream.look(), false);
  await read();
  assert.equal(stream.look(), false, "it reads, if slowly");
  assert.equal(stream.look(), true);
});

Deno.test("EventStream ends when it is closed, and takes nothing more", async () => {
  const { stream, read } = open();
  await read();
  const waiting = read();
  stream.close();
  stream.send(event("late"));
  assert.deepEqual([await waiting, await read()], ["end", "end"]);
  stream.close();
  stream.abort(new Error("too late"));
});

Deno.test("EventStream gives what waits before it ends", async () => {
  const { stream, read } = open();
  await read();
  const waiting = read();
  stream.send(event("one"));
  stream.send(event("two"));
  stream.close();
  assert.deepEqual([await waiting, await read(), await read()], ["one", "two", "end"]);
});

Deno.test("EventStream breaks off when a new snapshot cannot be made, and tells why", async () => {
  const { stream, read, ends, fail } = open();
  fail();
  assert.equal(await read(), "snapshot 1");
  stream.send(event("much", MAX_WAITING_OCTETS + 1));
  await assert.rejects(read(), /no snapshot/);
  assert.match(String(ends[0]), /no snapshot/);
});

Deno.test("EventStream tells when the page goes", async () => {
  const ends: unknown[] = [];
  const stream = new EventStream({ snapshot: () => event("all"), onEnd: (problem) => ends.push(problem) });
  const reader = stream.body.getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(ends, [undefined]);
  stream.send(event("late"));
  assert.equal(stream.waitingOctets, 0);
});
