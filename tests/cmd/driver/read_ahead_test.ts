import assert from "node:assert/strict";
import { ReadAhead } from "../../../cmd/driver/read_ahead.ts";

const FILE = Uint8Array.from({ length: 10 }, (_, index) => index);

/** A file in memory that notes where it is read, and lets a read end only when it is told to, if it is to wait. */
class Source {
  readonly positions: number[] = [];
  underWay = 0;
  mostUnderWay = 0;
  hold: Promise<void> | undefined;

  readonly read = async (into: Uint8Array, position: number): Promise<number> => {
    this.positions.push(position);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
    await this.hold;
    this.underWay--;
    const octets = FILE.subarray(position, position + into.length);
    into.set(octets);
    return octets.length;
  };
}

Deno.test("ReadAhead has read the next block before it is asked for", async () => {
  const source = new Source(), ahead = new ReadAhead(source.read);
  const blocks: number[][] = [];
  for (let position = 0;;) {
    const octets = await ahead.at(position, 4);
    position += octets.length;
    if (octets.length === 0) break;
    assert.deepEqual(source.positions.at(-1), position, "it is under way already");
    blocks.push([...octets]);
  }
  assert.deepEqual(blocks, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
  assert.deepEqual(source.positions, [0, 4, 8, 10], "each block is read once, and nothing behind the end");
  await ahead.close();
});

Deno.test("ReadAhead gives what it has read in parts to who asks for less, and goes on behind it", async () => {
  const source = new Source(), ahead = new ReadAhead(source.read);
  const blocks: number[][] = [];
  let position = 0;
  for (const maxBytes of [4, 1, 2, 3, 4]) {
    const octets = await ahead.at(position, maxBytes);
    position += octets.length;
    blocks.push([...octets]);
  }
  assert.deepEqual(blocks, [[0, 1, 2, 3], [4], [5, 6], [7], [8, 9]]);
  assert.deepEqual(source.positions, [0, 4, 8, 10], "nothing is read twice");
  await ahead.close();
});

Deno.test("ReadAhead leaves octets alone until the next ones are asked for", async () => {
  const ahead = new ReadAhead(new Source().read);
  const first = await ahead.at(0, 4);
  for (let turn = 0; turn < 10; turn++) await undefined; // the next block is there
  assert.deepEqual([...first], [0, 1, 2, 3]);
  await ahead.close();
});

Deno.test("ReadAhead begins anew at another place, with one read at a time", async () => {
  const source = new Source(), ahead = new ReadAhead(source.read);
  await ahead.at(0, 4);
  const gate = Promise.withResolvers<void>();
  source.hold = gate.promise;
  const answers = [ahead.at(4, 4), ahead.at(0, 4)].map((answer) => answer.then((octets) => [...octets]));
  gate.resolve();
  assert.deepEqual(await Promise.all(answers), [[4, 5, 6, 7], [0, 1, 2, 3]]);
  assert.equal(source.mostUnderWay, 1);
  await ahead.close();
});

Deno.test("ReadAhead tells a failure to who asks for the octets, and reads nothing once it is closed", async () => {
  const reads: number[] = [];
  const ahead = new ReadAhead((_into, position) => {
    reads.push(position);
    return position === 0 ? Promise.resolve(4) : Promise.reject(new Error("the disk is gone"));
  });
  await ahead.at(0, 4);
  await assert.rejects(ahead.at(4, 4), /the disk is gone/);
  await ahead.close();
  await assert.doesNotReject(ahead.at(0, 4));
  assert.deepEqual(reads, [0, 4, 0]);
});
