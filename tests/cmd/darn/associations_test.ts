import assert from "node:assert/strict";
import { Associations } from "../../../cmd/darn/associations.ts";
import type { AssociationUp, Endpoint } from "../../../protocol/net.ts";

const endpoint = { port: 1 } as unknown as Endpoint;
const up = (association: number): AssociationUp => ({
  type: "up",
  association,
  request: undefined,
  peerAddresses: ["10.1.0.2"],
  peerPort: 9,
  outboundStreams: 1,
  inboundStreams: 1,
});
const down = (association: number) =>
  ({
    type: "down",
    association,
    request: undefined,
    reason: "shutdown",
    origin: "peer",
    cause: undefined,
  }) as const;

Deno.test("associations are numbered in the order of their coming, and numbers are not used again", () => {
  const associations = new Associations();
  assert.equal(associations.isUntouched, true);
  assert.equal(associations.take(up(700), endpoint)?.number, 1);
  assert.equal(associations.take(up(500), endpoint)?.number, 2);
  associations.take(down(500), endpoint);
  assert.equal(associations.take(up(600), endpoint)?.number, 3);
  assert.deepEqual(associations.all.map(({ id }) => id), [700, 600]);
});

Deno.test("commands are about the newest association until another one is chosen, and again when that has ended", () => {
  const associations = new Associations();
  for (const id of [1, 2, 3]) associations.take(up(id), endpoint);
  assert.equal(associations.current?.number, 3);
  assert.equal(associations.choose(1), true);
  assert.equal(associations.choose(9), false);
  assert.equal(associations.current?.number, 1);
  associations.take(down(1), endpoint);
  assert.equal(associations.current?.number, 3);
  associations.take({ type: "peerShutdown", association: 3 }, endpoint);
  assert.equal(associations.current?.number, 2);
});

Deno.test("associations follow addresses, streams, counts and the send buffer", () => {
  const associations = new Associations();
  associations.take(up(5), endpoint);
  associations.take({ type: "path", association: 5, address: "10.2.0.2", change: "added" }, endpoint);
  associations.take({ type: "path", association: 5, address: "10.1.0.2", change: "removed" }, endpoint);
  associations.take({ type: "blocked", association: 5 }, endpoint);
  associations.take(
    { type: "streamsAdded", association: 5, inboundStreams: 3, outboundStreams: 4, outcome: "performed" },
    endpoint,
  );
  const data = new Uint8Array(10);
  associations.take(
    { type: "message", association: 5, stream: 0, ssn: 0, tsn: 0, ppid: 0, unordered: false, data },
    endpoint,
  );
  const { peerAddresses, blocked, inboundStreams, outboundStreams, received } = associations.current!;
  assert.deepEqual(peerAddresses, ["10.2.0.2"]);
  assert.deepEqual([blocked, inboundStreams, outboundStreams], [true, 3, 4]);
  assert.deepEqual(received, { messages: 1, octets: 10 });
});

Deno.test("the answer to a connect that failed belongs to no association", () => {
  const associations = new Associations();
  assert.equal(associations.take({ ...down(0), request: 1, reason: "refused" }, endpoint), undefined);
});
