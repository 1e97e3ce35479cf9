/** Extensions of SCTP between the embedded stack and the kernel's, each side once as the one that asks. */
import assert from "node:assert/strict";
import type { AssociationId } from "../../protocol/net.ts";
import { assertSameOctets, pattern, type Peer } from "../transport/peer.ts";
import {
  GUEST,
  HOST,
  type HostAndGuest,
  type HostAndGuestOptions,
  setCable,
  withHostAndGuest,
} from "./host_and_guest.ts";

/** One end of the association. */
interface End {
  readonly peer: Peer;
  readonly association: AssociationId;
}

/** The same test with either side as the one that acts. */
function eachWay(
  name: string,
  options: HostAndGuestOptions,
  body: (here: End, there: End, pair: HostAndGuest) => Promise<void>,
): void {
  for (const actor of ["embedded", "kernel"] as const) {
    Deno.test(`embedded and kernel, ${name}: the ${actor} side asks`, () =>
      withHostAndGuest(options, async (pair) => {
        const embedded = { peer: pair.embedded, association: pair.atEmbedded.association };
        const kernel = { peer: pair.kernel, association: pair.atKernel.association };
        if (actor === "embedded") await body(embedded, kernel, pair);
        else await body(kernel, embedded, pair);
      }));
  }
}

/** Sends a message and gives back its SSN as the other side got it. */
async function ssnOf(from: End, to: End, stream: number): Promise<number> {
  from.peer.send(from.association, pattern(10, stream), 0x7e57_0003, stream);
  const message = await to.peer.message(to.association);
  assert.equal(message.stream, stream);
  return message.ssn;
}

const ONE_NETWORK = { embedded: { addresses: [HOST[0]!] }, kernel: { addresses: [GUEST[0]!] } };

eachWay("streams are reset in either direction", {}, async (here, there) => {
  assert.deepEqual([await ssnOf(here, there, 1), await ssnOf(here, there, 1)], [0, 1]);
  assert.deepEqual([await ssnOf(there, here, 2), await ssnOf(there, here, 2)], [0, 1]);
  const { association } = here;
  here.peer.execute({ type: "resetStreams", association, direction: "outgoing", streams: [1] });
  const own = await here.peer.next("streamsReset"), peers = await there.peer.next("streamsReset");
  assert.deepEqual([own.direction, own.streams, own.outcome], ["outgoing", [1], "performed"]);
  assert.deepEqual([peers.direction, peers.streams, peers.outcome], ["incoming", [1], "performed"]);
  assert.deepEqual([await ssnOf(here, there, 1), await ssnOf(here, there, 3)], [0, 0]);
  here.peer.execute({ type: "resetStreams", association, direction: "incoming", streams: [2] });
  const asked = await here.peer.next("streamsReset");
  assert.deepEqual([asked.direction, asked.streams, asked.outcome], ["incoming", [2], "performed"]);
  assert.equal(await ssnOf(there, here, 2), 0);
});

eachWay("streams are added", { both: { outboundStreams: 3 } }, async (here, there) => {
  here.peer.execute({ type: "addStreams", association: here.association, outbound: 4, inbound: 0 });
  const own = await here.peer.next("streamsAdded"), peers = await there.peer.next("streamsAdded");
  assert.deepEqual([own.outcome, own.outboundStreams, own.inboundStreams], ["performed", 7, 3]);
  assert.deepEqual([peers.outboundStreams, peers.inboundStreams], [3, 7]);
  assert.equal(await ssnOf(here, there, 6), 0);
  here.peer.execute({ type: "addStreams", association: here.association, outbound: 0, inbound: 2 });
  assert.equal((await here.peer.next("streamsAdded")).inboundStreams, 5);
  await there.peer.next("streamsAdded", ({ outboundStreams }) => outboundStreams === 5);
  assert.equal(await ssnOf(there, here, 4), 0);
});

eachWay("the association is reset", {}, async (here, there) => {
  for (const [from, to] of [[here, there], [there, here]] as const) await ssnOf(from, to, 4);
  here.peer.execute({ type: "resetAssociation", association: here.association });
  const own = await here.peer.next("associationReset"), peers = await there.peer.next("associationReset");
  assert.deepEqual([own.outcome, peers.outcome], ["performed", "performed"]);
  assert.deepEqual([own.localTsn, own.peerTsn], [peers.peerTsn, peers.localTsn]);
  for (const [from, to] of [[here, there], [there, here]] as const) {
    assert.equal(await ssnOf(from, to, 4), 0);
  }
  const long = pattern(100_000, 5);
  here.peer.send(here.association, long, 0x7e57_0003);
  assertSameOctets((await there.peer.message(there.association)).data, long);
});

/**
 * The longest message of which there is one I-DATA chunk. Linux numbers the fragments behind the first from 0, where RFC 8260
 * §2.1 numbers the first as 0 and the next as 1: longer messages do not get through between it and any other stack.
 */
const ONE_CHUNK = 1300;

for (const carrier of ["raw", "UDP"] as const) {
  eachWay(
    `messages are interleaved, ${carrier}`,
    { carrier, both: { interleaving: true }, settings: { intl_enable: 1 } },
    async (here, there, { embedded, atEmbedded }) => {
      assert.equal(embedded.endpoint.status(atEmbedded.association)?.extensions?.interleaving, true);
      for (let i = 0; i < 8; i++) {
        here.peer.send(here.association, pattern(1_000 + i, i), 0x7e57_0300 + i, i % 4, i % 3 === 2);
      }
      for (let i = 0; i < 8; i++) {
        const { data, ppid } = await there.peer.message(there.association);
        assertSameOctets(data, pattern(1_000 + ppid - 0x7e57_0300, ppid - 0x7e57_0300));
      }
      here.peer.execute({
        type: "resetStreams",
        association: here.association,
        direction: "outgoing",
        streams: [],
      });
      assert.equal((await here.peer.next("streamsReset")).outcome, "performed");
      assert.equal(await ssnOf(here, there, 1), 0);
    },
  );
}

for (const [name, interleaving] of [["FORWARD TSN", false], ["I-FORWARD TSN", true]] as const) {
  eachWay(`abandoned messages are passed over (${name})`, {
    ...ONE_NETWORK,
    both: {
      ...{ interleaving, pathMaxRetransmissions: 2, rto: { initialMs: 200, minMs: 200, maxMs: 400 } },
      associationMaxRetransmissions: 100, // however late the cable is put in again
    },
    settings: interleaving ? { intl_enable: 1 } : {},
  }, async (here, there, { embedded, atEmbedded }) => {
    // Linux lists I-DATA and not I-FORWARD-TSN (RFC 8260 §2.3.1), but uses it: towards Linux all messages are reliable then.
    const gives = !interleaving || here.peer !== embedded;
    assert.equal(
      embedded.endpoint.status(atEmbedded.association)?.extensions?.partialReliability,
      !interleaving,
    );
    await ssnOf(here, there, 1);
    try {
      await setCable("out");
      for (let i = 0; i < 12; i++) {
        here.peer.execute({
          type: "send",
          association: here.association,
          data: pattern(ONE_CHUNK, i),
          ppid: 0x7e57_0100 + i,
          stream: i % 3,
          unordered: i % 4 === 3,
          reliability: { policy: "ttl", lifetimeMs: 150 },
        });
      }
      if (gives) assert.equal((await here.peer.next("sendFailed")).failure, "abandoned");
      else await here.peer.next("path", ({ change }) => change === "unreachable");
    } finally {
      await setCable("in");
    }
    for (let i = 0; i < 6; i++) {
      here.peer.send(here.association, pattern(ONE_CHUNK, i), 0x7e57_0200 + i, i % 3);
    }
    const found = new Set<number>();
    const allOfThese = () => [0, 1, 2, 3, 4, 5].every((i) => found.has(0x7e57_0200 + i));
    while (gives ? !allOfThese() : found.size < 18) { // an unordered one may be the last to arrive
      const { ppid, data } = await there.peer.message(there.association);
      assertSameOctets(data, pattern(ONE_CHUNK, ppid & 0xff));
      found.add(ppid);
    }
    if (gives) assert.ok(found.size < 18, `${found.size} of 18 messages have arrived`);
  });
}

const LATE = { initialMs: 30_000, minMs: 30_000, maxMs: 60_000 };

const AUTHENTICATED: HostAndGuestOptions = {
  both: { authentication: true },
  settings: { auth_enable: 1 },
  prepare: ({ embedded, kernel }) => {
    for (const { endpoint } of [embedded, kernel]) {
      endpoint.setOption("auth_chunk", { chunk: 0 }); // DATA
      for (const keynumber of [0, 5]) endpoint.setOption("auth_key", { keynumber, key: "0x010203" });
    }
  },
};

for (const from of ["embedded", "kernel"] as const) {
  eachWay(
    `DATA is authenticated, ${from} connects`,
    { ...AUTHENTICATED, from },
    async (here, there, pair) => {
      const { embedded, atEmbedded, remote, atKernel } = pair;
      assert.equal(embedded.endpoint.status(atEmbedded.association)?.extensions?.authentication, true);
      assert.equal((await remote.statusOf(atKernel.association))?.extensions?.authentication, true);
      for (const authKeyId of [5, 0]) {
        here.peer.execute({
          type: "send",
          association: here.association,
          data: pattern(20_000, authKeyId),
          ppid: 0x7e57_0004,
          authKeyId,
        });
        assertSameOctets((await there.peer.message(there.association)).data, pattern(20_000, authKeyId));
      }
      assert.equal(
        (await there.peer.next("authentication", ({ keyId }) => keyId === 5)).indication,
        "new-key",
      );
    },
  );
}

eachWay("addresses come and go", {
  both: { authentication: true, dynamicAddresses: true },
  ...ONE_NETWORK,
  settings: { auth_enable: 1, addip_enable: 1 },
}, async (here, there, { embedded }) => {
  const [first, , added] = here.peer === embedded ? HOST : GUEST;
  assert.ok(first !== undefined && added !== undefined);
  here.peer.endpoint.addAddress(added);
  await there.peer.next("path", ({ address, change }) => address === added && change === "added");
  await there.peer.next("path", ({ address, change }) => address === added && change === "confirmed");
  await ssnOf(there, here, 1);
  here.peer.endpoint.setPeerPrimary(here.association, added);
  await there.peer.next("path", ({ address, change }) => address === added && change === "made-primary");
  await ssnOf(there, here, 1);
  here.peer.endpoint.removeAddress(first);
  await there.peer.next("path", ({ address, change }) => address === first && change === "removed");
  for (let i = 2; i < 5; i++) await ssnOf(there, here, i);
  here.peer.execute({ type: "shutdown", association: here.association });
  assert.equal((await there.peer.down(there.association)).reason, "shutdown");
});

Deno.test("embedded and kernel: adaptation indications cross", () =>
  withHostAndGuest(
    { embedded: { adaptation: 0x1234_5678 }, kernel: { adaptation: 0x9abc_def0 } },
    async (pair) => {
      assert.equal((await pair.embedded.next("adaptation")).indication, 0x9abc_def0);
      assert.equal((await pair.kernel.next("adaptation")).indication, 0x1234_5678);
    },
  ));

Deno.test("embedded and kernel: what one side has counted the other has, too", () =>
  // A time-out would send again what is only late.
  withHostAndGuest(
    { both: { heartbeatIntervalMs: 0, rto: LATE } },
    async ({ embedded, kernel, remote, ...pair }) => {
      for (let i = 0; i < 30; i++) {
        embedded.send(pair.atEmbedded.association, pattern(4000, i), 0x7e57_0006, 0, i % 3 === 0);
        kernel.send(pair.atKernel.association, pattern(3000, i), 0x7e57_0006, 0, i % 5 === 0);
      }
      for (let i = 0; i < 30; i++) {
        await kernel.message(pair.atKernel.association);
        await embedded.message(pair.atEmbedded.association);
      }
      const here = embedded.endpoint.statistics(pair.atEmbedded.association);
      const there = await remote.statisticsOf(pair.atKernel.association);
      assert.ok(here !== undefined && there !== undefined);
      assert.equal(here.orderedChunksSent, there.orderedChunksReceived);
      assert.equal(here.unorderedChunksSent, there.unorderedChunksReceived);
      assert.equal(there.orderedChunksSent, here.orderedChunksReceived);
      assert.equal(there.unorderedChunksSent, here.unorderedChunksReceived);
      assert.deepEqual([here.retransmittedChunks, there.retransmittedChunks], [0, 0]);
    },
  ));
