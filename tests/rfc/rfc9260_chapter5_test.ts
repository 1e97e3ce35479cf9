/** RFC 9260 chapter 5: setting an association up. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  addressParameters,
  be,
  Bench,
  Cause,
  Chunk,
  chunk,
  chunksOf,
  connect,
  data,
  HERE,
  init,
  onlyChunk,
  read,
  type SentPacket,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
  tlvs,
} from "./bench.ts";

const CONNECT = {
  type: "connect",
  request: 1,
  addresses: [THERE[0]!],
  port: THERE_PORT,
  encapsulationPort: 0,
} as const;

/** INIT and INIT ACK; the tag and cookie that came with it. */
function askCookie(bench: Bench): { tag: number; cookie: Uint8Array } {
  const answer = onlyChunk(bench.give(0, [init(Chunk.init)]), Chunk.initAck);
  return {
    tag: read(answer.value, 0, 4),
    cookie: tlvs(answer.value, 16).find(({ type }) => type === 7)!.value,
  };
}

Deno.test("§5.1: the INIT ACK goes to where the INIT came from, under the INIT's tag", () => {
  const bench = new Bench();

  const answers = bench.give(0, [init(Chunk.init)], { source: THERE[1]!, destination: HERE[1]! });

  assert.equal(answers.length, 1);
  assert.equal(answers[0]!.destination, THERE[1]);
  assert.equal(answers[0]!.tag, THERE_TAG);
});

Deno.test("§5.1: the whole way up for the side that asks", () => {
  const { bench } = connect();

  const up = bench.eventsOf("up")[0]!;

  assert.equal(up.request, 1);
  assert.equal(up.peerPort, THERE_PORT);
  assert.deepEqual(up.peerAddresses, [THERE[0]]);
});

Deno.test("§5.1: the whole way up for the side that is asked", () => {
  const { bench } = accept();

  const up = bench.eventsOf("up")[0]!;

  assert.equal(up.request, undefined);
  assert.equal(up.peerPort, THERE_PORT);
});

Deno.test("§5.1: an INIT to an endpoint that does not listen is answered with ABORT under its tag", () => {
  const bench = new Bench({ endpoint: { listen: false } });

  const answers = bench.give(0, [init(Chunk.init)]);

  assert.equal(onlyChunk(answers, Chunk.abort).flags, 0);
  assert.equal(answers[0]!.tag, THERE_TAG);
});

Deno.test("§5.1 A: an INIT is repeated, same tag and TSN, after time-outs that double", () => {
  const bench = new Bench({ endpoint: { maxInitRetransmissions: 4 } });

  const sent: SentPacket[] = [...bench.execute(CONNECT), ...bench.advance(600_000)];

  const inits = sent.filter(({ chunks }) => chunks[0]!.type === Chunk.init);
  assert.deepEqual(inits.map(({ at }) => at), [0, 1000, 3000, 7000, 15_000]);
  assert.equal(new Set(inits.map(({ octets }) => octets.toHex())).size, 1);
});

Deno.test("§5.1 A: after Max.Init.Retransmits the attempt is given up", () => {
  const bench = new Bench({ endpoint: { maxInitRetransmissions: 2 } });

  bench.execute(CONNECT);
  bench.advance(6999);
  assert.equal(bench.eventsOf("down").length, 0);
  bench.advance(1);

  const [down] = bench.eventsOf("down");
  assert.equal(down?.request, 1);
  assert.equal(down.reason, "timeout");
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§5.1 C: a COOKIE ECHO is repeated until it is acknowledged", () => {
  const bench = new Bench();
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);
  const first = bench.give(tag, [init(Chunk.initAck, { parameters: tlv(7, [9, 9, 9, 9]) })]);

  const again = bench.advance(1000);
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);

  assert.deepEqual(onlyChunk(again, Chunk.cookieEcho).value, onlyChunk(first, Chunk.cookieEcho).value);
  assert.equal(again[0]!.tag, THERE_TAG);
  assert.equal(bench.eventsOf("up").length, 1);
  assert.equal(chunksOf(bench.advance(20_000), Chunk.cookieEcho).length, 0);
});

Deno.test("§5.1: an ABORT as the answer to an INIT is a refusal", () => {
  const bench = new Bench();
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);

  bench.give(tag, [chunk(Chunk.abort, 0, [])]);

  assert.equal(bench.eventsOf("down")[0]?.reason, "refused");
  assert.equal(bench.stack.nextTimeout(), undefined);
});

Deno.test("§5.1.1: the number of streams is the smaller of what one offers and the other takes", () => {
  const { bench } = accept({ endpoint: { outboundStreams: 20, maxInboundStreams: 5 } }, {
    outbound: 8,
    inbound: 7,
  });

  const up = bench.eventsOf("up")[0]!;

  assert.equal(up.outboundStreams, 7);
  assert.equal(up.inboundStreams, 5);
});

Deno.test("§5.1.2: INIT and INIT ACK list the addresses of a multi-homed endpoint, but not its loopback", () => {
  const bench = new Bench();

  const chunks = [
    onlyChunk(bench.give(0, [init(Chunk.init)]), Chunk.initAck),
    onlyChunk(bench.execute(CONNECT), Chunk.init),
  ];

  for (const { value } of chunks) {
    const listed = tlvs(value, 16).filter(({ type }) => type === 5).map((parameter) =>
      parameter.value.join(".")
    );
    assert.deepEqual(listed.sort(), [...HERE]);
  }
});

Deno.test("§5.1.2: the peer's addresses are those listed and the one the INIT came from", () => {
  const { bench } = accept({}, { parameters: addressParameters([THERE[1]!]) });

  assert.deepEqual([...bench.eventsOf("up")[0]!.peerAddresses].sort(), [...THERE]);
});

Deno.test("§5.1.2: a listed loopback or multicast address of a peer on another host is not used", () => {
  const { bench } = accept({}, { parameters: addressParameters(["127.0.0.1", "224.0.0.1", THERE[1]!]) });

  assert.deepEqual([...bench.eventsOf("up")[0]!.peerAddresses].sort(), [...THERE]);
});

Deno.test("§5.1.3: nothing is remembered and no timer runs after an INIT ACK", () => {
  const bench = new Bench();

  bench.give(0, [init(Chunk.init)]);

  assert.equal(bench.stack.nextTimeout(), undefined);
  assert.equal(bench.events.length, 0);
});

Deno.test("§5.1.4: a COOKIE ECHO is answered with COOKIE ACK under the peer's tag", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  onlyChunk(answers, Chunk.cookieAck);
  assert.equal(answers[0]!.tag, THERE_TAG);
});

Deno.test("§5.1.5: a cookie with any octet changed is discarded", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  let accepted = 0;
  for (let i = 0; i < cookie.length; i++) {
    const forged = cookie.slice();
    forged[i]! ^= 0x10;
    accepted += bench.give(tag, [chunk(Chunk.cookieEcho, 0, forged)]).length;
  }

  assert.equal(accepted, 0);
  assert.equal(bench.eventsOf("up").length, 0);
});

Deno.test("§5.1.5: a cookie that is cut short or made longer is discarded", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  const answers = [0, 1, 4, 31, 32, 33, cookie.length - 1].flatMap((length) =>
    bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie.slice(0, length))])
  );
  answers.push(...bench.give(tag, [chunk(Chunk.cookieEcho, 0, [...cookie, 0])]));

  assert.equal(answers.length, 0);
});

Deno.test("§5.1.5: a cookie under another tag or from another port is discarded", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  const answers = [
    ...bench.give(tag ^ 1, [chunk(Chunk.cookieEcho, 0, cookie)]),
    ...bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)], { sourcePort: THERE_PORT + 1 }),
  ];

  assert.equal(chunksOf(answers, Chunk.cookieAck).length, 0);
  assert.equal(bench.eventsOf("up").length, 0);
});

Deno.test("§5.1.5: a stale cookie is answered with ERROR, cause 3 and by how much", () => {
  const bench = new Bench({ endpoint: { cookieLifeMs: 5000 } });
  const { tag, cookie } = askCookie(bench);
  bench.advance(6000);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  const causes = tlvs(onlyChunk(answers, Chunk.error).value, 0);
  assert.equal(causes[0]?.type, Cause.staleCookie);
  assert.equal(read(causes[0].value, 0, 4), 1_000_000); // microseconds
  assert.equal(answers[0]!.tag, THERE_TAG);
  assert.equal(bench.eventsOf("up").length, 0);
});

Deno.test("§5.2.3: an unexpected INIT ACK is ignored", () => {
  const { bench, tag } = connect();

  const answers = bench.give(tag, [init(Chunk.initAck, { tag: 99, parameters: tlv(7, [1, 2, 3, 4]) })]);

  assert.equal(answers.length, 0);
  assert.equal(bench.eventsOf("down").length, 0);
});

Deno.test("§5.2.4 D: a COOKIE ECHO that comes again is acknowledged again, and that is all", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);
  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
  bench.give(tag, [data({ tsn: THERE_TSN })]);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  onlyChunk(answers, Chunk.cookieAck);
  assert.equal(bench.eventsOf("up").length, 1);
  bench.give(tag, [data({ tsn: THERE_TSN + 1, ssn: 1 })]);
  assert.equal(bench.eventsOf("message").length, 2);
});

Deno.test("§5.2.5: a COOKIE ACK outside of COOKIE-ECHOED is ignored", () => {
  const { bench, tag } = accept();

  const answers = bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);

  assert.equal(answers.length, 0);
  assert.equal(bench.eventsOf("up").length, 1);
});

Deno.test("§5.2.6: a stale cookie error leads to a new INIT or to the end of the attempt", () => {
  const bench = new Bench();
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);
  bench.give(tag, [init(Chunk.initAck, { parameters: tlv(7, [9, 9, 9, 9]) })]);

  const answers = bench.give(tag, [tlvChunk(Chunk.error, 0, tlv(Cause.staleCookie, be(4, 1000)))]);

  assert.ok(chunksOf(answers, Chunk.init).length === 1 || bench.eventsOf("down").length === 1);
});

Deno.test("§5.3.1: every association gets a tag of its own, and never zero", () => {
  const bench = new Bench();

  const tags = Array.from({ length: 200 }, (_, i) => {
    const answers = bench.give(0, [init(Chunk.init)], { sourcePort: 10_000 + i });
    return read(onlyChunk(answers, Chunk.initAck).value, 0, 4);
  });

  assert.equal(new Set(tags).size, 200);
  assert.ok(!tags.includes(0));
});

Deno.test("§5.4: an address that is not confirmed gets HEARTBEATs with a nonce, and no DATA", () => {
  const { bench, tag, association } = accept({}, { parameters: addressParameters([THERE[1]!]) });

  const sent = bench.advance(3000);
  sent.push(...bench.execute({ type: "send", association, data: new Uint8Array(20_000), ppid: 0 }));

  const probes = sent.filter(({ destination }) => destination === THERE[1]);
  assert.ok(probes.length >= 1);
  for (const probe of probes) {
    assert.deepEqual(probe.chunks.map(({ type }) => type), [Chunk.heartbeat]);
    assert.ok(probe.chunks[0]!.value.length >= 12, "the nonce has room");
    assert.equal(probe.source, HERE[1]);
  }
  assert.ok(tag !== 0);
});

Deno.test("§5.4: the HEARTBEAT ACK confirms the address", () => {
  const { bench, tag } = accept({}, { parameters: addressParameters([THERE[1]!]) });
  const probe = bench.advance(3000).findLast(({ destination }) => destination === THERE[1])!;

  bench.give(tag, [chunk(Chunk.heartbeatAck, 0, probe.chunks[0]!.value)], {
    source: THERE[1]!,
    destination: HERE[1]!,
  });

  assert.ok(
    bench.eventsOf("path").some(({ address, change }) => address === THERE[1] && change === "confirmed"),
  );
});

Deno.test("§5.4: a HEARTBEAT ACK without the nonce confirms nothing", () => {
  const { bench, tag } = accept({}, { parameters: addressParameters([THERE[1]!]) });
  const probe = bench.advance(3000).findLast(({ destination }) => destination === THERE[1])!;
  const { value } = probe.chunks[0]!;

  const all = value.map((octet, i) => i < 4 ? octet : octet ^ 0xff);
  const one = Array.from({ length: value.length - 4 }, (_, at) => value.with(4 + at, value[4 + at]! ^ 1));
  for (const forged of [all, ...one]) {
    bench.give(tag, [chunk(Chunk.heartbeatAck, 0, forged)], { source: THERE[1]!, destination: HERE[1]! });
  }

  assert.ok(
    !bench.eventsOf("path").some(({ address, change }) => address === THERE[1] && change === "confirmed"),
  );
});
