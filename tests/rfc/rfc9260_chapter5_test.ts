/** RFC 9260 chapter 5: setting an association up. Each test: init, act, check. */
import assert from "node:assert/strict";
import {
  accept,
  addressParameters,
  be,
  Bench,
  type BenchOptions,
  Cause,
  Chunk,
  chunk,
  chunksOf,
  confirmPaths,
  connect,
  data,
  ENDPOINT,
  type Established,
  type GiveOptions,
  HERE,
  init,
  type InitFields,
  onlyChunk,
  read,
  sack,
  type SentPacket,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlv,
  tlvChunk,
  tlvs,
  tsnOf,
} from "./bench.ts";

const CONNECT = {
  type: "connect",
  request: 1,
  addresses: [THERE[0]!],
  port: THERE_PORT,
  encapsulationPort: 0,
} as const;

/** INIT and INIT ACK; the tag and cookie that came with it. */
function askCookie(
  bench: Bench,
  fields: InitFields = {},
  from: GiveOptions = {},
): { tag: number; tsn: number; cookie: Uint8Array } {
  const answer = onlyChunk(bench.give(0, [init(Chunk.init, fields)], from), Chunk.initAck);
  return {
    tag: read(answer.value, 0, 4),
    tsn: read(answer.value, 12, 4),
    cookie: tlvs(answer.value, 16).find(({ type }) => type === 7)!.value,
  };
}

/** The attempt of the stack has got its INIT ACK: state COOKIE-ECHOED. */
function echoed(
  options: BenchOptions = {},
  fields: InitFields = {},
): { bench: Bench; tag: number; tsn: number; sent: SentPacket[] } {
  const bench = new Bench(options);
  const first = onlyChunk(bench.execute(CONNECT), Chunk.init);
  const tag = read(first.value, 0, 4), tsn = read(first.value, 12, 4);
  const parameters = [...(fields.parameters ?? []), ...tlv(7, [9, 9, 9, 9])];
  const sent = bench.give(tag, [init(Chunk.initAck, { ...fields, parameters })]);
  onlyChunk(sent, Chunk.cookieEcho);
  return { bench, tag, tsn, sent };
}

/** What stands for the state of the only association. */
function stateOf(bench: Bench, association = 1): string {
  return JSON.stringify([bench.stack.status(association), bench.stack.nextTimeout()]);
}

const ELSEWHERE: GiveOptions = { source: THERE[1]!, destination: HERE[1]! };

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

// ------------------------------------------------------------------------------------- COOKIE ECHO on its way (§5.1.4)

// §5.1.4 lets DATA go along with our COOKIE ECHO (MAY). Users of this stack cannot have any by then: an association has a
// name for them, which `send` needs, when it is up. What peers send along is taken.

Deno.test("§5.1.4, §6: DATA behind a COOKIE ECHO is taken, and acknowledged behind the COOKIE ACK", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie), data({ tsn: THERE_TSN })]);

  assert.equal(answers[0]!.chunks[0]!.type, Chunk.cookieAck);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§5.1.5: DATA behind a COOKIE ECHO that is not ours is discarded with it", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench);

  const answers = bench.give(tag, [
    chunk(Chunk.cookieEcho, 0, cookie.with(8, cookie[8]! ^ 1)),
    data({ tsn: THERE_TSN }),
  ]);

  assert.equal(answers.length, 0);
  assert.equal(bench.events.length, 0);
});

Deno.test("§5.4: a COOKIE ECHO to an unconfirmed address shares its packet with a HEARTBEAT that has a nonce", () => {
  const { bench, tag } = echoed({}, { parameters: addressParameters([THERE[1]!]) });

  const second = bench.advance(1000), third = bench.advance(2000);

  assert.deepEqual(second.map(({ destination }) => destination), [THERE[1]]);
  assert.deepEqual(second[0]!.chunks.map(({ type }) => type), [Chunk.cookieEcho, Chunk.heartbeat]);
  assert.deepEqual(third.map(({ destination }) => destination), [THERE[0]]);
  assert.deepEqual(third[0]!.chunks.map(({ type }) => type), [Chunk.cookieEcho]);
  const nonce = second[0]!.chunks[1]!.value;
  bench.give(tag, [chunk(Chunk.cookieAck, 0, []), chunk(Chunk.heartbeatAck, 0, nonce)], ELSEWHERE);
  assert.equal(bench.eventsOf("up").length, 1);
  assert.deepEqual(bench.eventsOf("path").map(({ address, change }) => [address, change]), [
    [THERE[1], "confirmed"],
  ]);
});

Deno.test("§5.4: a COOKIE ECHO that leaves no room for the HEARTBEAT goes to confirmed addresses only", () => {
  const bench = new Bench();
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);
  const parameters = [...addressParameters([THERE[1]!]), ...tlv(7, new Uint8Array(1400))];

  const sent = bench.give(tag, [init(Chunk.initAck, { parameters })]);
  sent.push(...bench.advance(10_000));

  assert.ok(sent.length >= 3);
  for (const { destination, chunks } of sent) {
    assert.equal(destination, THERE[0]);
    assert.deepEqual(chunks.map(({ type }) => type), [Chunk.cookieEcho]);
  }
});

Deno.test("§5.4: an ERROR that goes along with the COOKIE ECHO does not go to an unconfirmed address", () => {
  const parameters = [...addressParameters([THERE[1]!]), ...tlv(0xc0ff, [1, 2, 3, 4])];
  const { bench, sent } = echoed({}, { parameters });

  const again = bench.advance(1000);

  assert.equal(chunksOf(sent, Chunk.error).length, 1);
  assert.equal(again[0]!.destination, THERE[1]);
  assert.equal(chunksOf(again, Chunk.error).length, 0);
});

Deno.test("§6.4, §5.4: the COOKIE ACK goes to where the COOKIE ECHO came from, with a HEARTBEAT if that is unconfirmed", () => {
  const bench = new Bench();
  const { tag, cookie } = askCookie(bench, { parameters: addressParameters([THERE[1]!]) });

  const [answer, ...others] = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)], ELSEWHERE);

  assert.deepEqual([answer?.destination, answer?.source], [THERE[1], HERE[1]]);
  assert.deepEqual(answer?.chunks.map(({ type }) => type), [Chunk.cookieAck, Chunk.heartbeat]);
  assert.equal(chunksOf(others, Chunk.cookieAck).length, 0);
  const { association } = bench.eventsOf("up")[0]!;
  const sent = bench.execute({ type: "send", association, data: new Uint8Array(5), ppid: 0 });
  assert.deepEqual(
    sent.map(({ destination }) => destination),
    [THERE[0]],
    "data goes where the INIT ACK went",
  );
});

// --------------------------------------------------------------------------------------------------- INIT (§5.2.1, §5.2.2)

Deno.test("§5.1.2 D: an INIT that lists an address of an association belongs to it, wherever it comes from", () => {
  const { bench, association } = accept();
  const before = stateOf(bench, association);

  const answers = bench.give(
    0,
    [init(Chunk.init, { tag: 77, parameters: addressParameters([THERE[0]!]) })],
    ELSEWHERE,
  );

  const [cause] = tlvs(onlyChunk(answers, Chunk.abort).value, 0);
  assert.deepEqual([answers[0]!.tag, answers[0]!.destination], [77, THERE[1]]);
  assert.equal(cause?.type, Cause.restartNewAddresses);
  assert.equal(stateOf(bench, association), before);
});

Deno.test("§5.1.2 D: an address that a peer has listed and not confirmed keeps nobody out", () => {
  const { bench } = accept({}, { parameters: addressParameters(["10.1.0.77"]) });

  const answers = bench.give(
    0,
    [init(Chunk.init, { tag: 77, parameters: addressParameters(["10.1.0.77"]) })],
    {
      source: "10.1.0.78",
    },
  );

  onlyChunk(answers, Chunk.initAck);
});

Deno.test("§5.2.1: in COOKIE-WAIT an INIT is answered with what our own INIT has said, and T1-init goes on", () => {
  const bench = new Bench();
  const own = onlyChunk(bench.execute(CONNECT), Chunk.init).value;

  const answers = bench.give(0, [init(Chunk.init)]);
  const later = bench.advance(1000);

  const { value } = onlyChunk(answers, Chunk.initAck);
  assert.deepEqual(value.slice(0, 16), own.slice(0, 16), "tag, window, streams and TSN");
  assert.deepEqual([answers[0]!.tag, answers[0]!.destination], [THERE_TAG, THERE[0]]);
  assert.ok(tlvs(value, 16).some(({ type }) => type === 7));
  assert.deepEqual(onlyChunk(later, Chunk.init).value, own);
  assert.equal(bench.stack.status(1)?.state, "cookie-wait");
});

Deno.test("§5.2.1: in COOKIE-WAIT the INIT ACK goes only to an address that the user named and the INIT lists", () => {
  const bench = new Bench();
  bench.execute(CONNECT);

  const listed = bench.give(0, [init(Chunk.init, { parameters: addressParameters([THERE[0]!]) })], ELSEWHERE);

  assert.deepEqual(listed.map(({ destination }) => destination), [THERE[0]]);
});

Deno.test("§5.2.1: in COOKIE-ECHOED an INIT is answered with the same tag and TSN, and T1-cookie goes on", () => {
  const { bench, tag, tsn } = echoed();
  const before = stateOf(bench);

  const { value } = onlyChunk(bench.give(0, [init(Chunk.init, { tag: 77 })]), Chunk.initAck);

  assert.deepEqual([read(value, 0, 4), read(value, 12, 4)], [tag, tsn]);
  assert.equal(stateOf(bench), before);
  assert.equal(chunksOf(bench.advance(1000), Chunk.cookieEcho).length, 1);
});

Deno.test("§5.2.1: in COOKIE-ECHOED an INIT with new addresses is refused, and the association comes up as it was", () => {
  const { bench, tag } = echoed();
  const before = stateOf(bench);

  const answers = bench.give(0, [
    init(Chunk.init, { tag: 77, parameters: addressParameters([THERE[1]!]) }),
  ]);

  const [cause] = tlvs(onlyChunk(answers, Chunk.abort).value, 0);
  assert.equal(answers[0]!.tag, 77);
  assert.equal(cause?.type, Cause.restartNewAddresses);
  assert.deepEqual(cause.value, Uint8Array.from(addressParameters([THERE[1]!])));
  assert.equal(stateOf(bench), before);
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);
  assert.deepEqual(bench.eventsOf("up")[0]?.peerAddresses, [THERE[0]]);
});

// The ABORT is a SHOULD. Here it would carry the tag of the association that our COOKIE ECHO is about to complete.
Deno.test("§5.2.1: such an INIT of the attempt whose INIT ACK we have answered is discarded without an ABORT", () => {
  const { bench, tag } = echoed();

  const answers = bench.give(0, [init(Chunk.init, { parameters: addressParameters([THERE[1]!]) })]);

  assert.equal(answers.length, 0);
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);
  assert.equal(bench.eventsOf("up").length, 1);
});

Deno.test("§5.2.1: options that change after the INIT do not change what the association has said in it", () => {
  const bench = new Bench({ endpoint: { outboundStreams: 5, maxInboundStreams: 6 } });
  const own = onlyChunk(bench.execute(CONNECT), Chunk.init).value;
  bench.stack.setOption(ENDPOINT, "initmsg", { num_ostreams: 9, max_instreams: 9 }, {}, bench.now);

  const crossing = onlyChunk(bench.give(0, [init(Chunk.init)]), Chunk.initAck).value;
  bench.give(read(own, 0, 4), [init(Chunk.initAck, { parameters: tlv(7, [9, 9, 9, 9]) })]);
  bench.give(read(own, 0, 4), [chunk(Chunk.cookieAck, 0, [])]);

  assert.deepEqual(crossing.slice(0, 16), own.slice(0, 16));
  const [up] = bench.eventsOf("up");
  assert.deepEqual([up?.outboundStreams, up?.inboundStreams], [5, 6]);
});

/** Associations in all the states of §5.2.2. */
const LIVING: Readonly<Record<string, () => Established>> = {
  "established": () => accept(),
  "shutdown-pending": () => {
    const living = accept();
    living.bench.execute({ type: "send", association: living.association, data: Uint8Array.of(1), ppid: 0 });
    living.bench.execute({ type: "shutdown", association: living.association });
    return living;
  },
  "shutdown-sent": () => {
    const living = accept();
    living.bench.execute({ type: "shutdown", association: living.association });
    return living;
  },
  "shutdown-received": () => {
    const living = accept();
    living.bench.execute({ type: "send", association: living.association, data: Uint8Array.of(1), ppid: 0 });
    living.bench.give(living.tag, [chunk(Chunk.shutdown, 0, be(4, THERE_TSN - 1))]);
    return living;
  },
};

for (const [state, make] of Object.entries(LIVING)) {
  Deno.test(`§5.2.2: in ${state} an INIT gets an INIT ACK with a new tag, and changes nothing`, () => {
    const { bench, association, tag } = make();
    const before = stateOf(bench, association);

    const answers = bench.give(0, [init(Chunk.init, { tag: 77 })]);

    const { value } = onlyChunk(answers, Chunk.initAck);
    assert.equal(bench.stack.status(association)?.state, state);
    assert.equal(answers[0]!.tag, 77);
    assert.notEqual(read(value, 0, 4), tag);
    assert.equal(stateOf(bench, association), before);
  });

  Deno.test(`§5.2.2: in ${state} an INIT with new addresses gets an ABORT that lists them, and changes nothing`, () => {
    const { bench, association } = make();
    const before = stateOf(bench, association);

    const answers = bench.give(0, [
      init(Chunk.init, { tag: 77, parameters: addressParameters([THERE[1]!]) }),
    ]);

    const [cause] = tlvs(onlyChunk(answers, Chunk.abort).value, 0);
    assert.deepEqual([answers.length, answers[0]!.tag], [1, 77]);
    assert.equal(cause?.type, Cause.restartNewAddresses);
    assert.deepEqual(cause.value, Uint8Array.from(addressParameters([THERE[1]!])));
    assert.equal(stateOf(bench, association), before);
  });

  Deno.test(`§5.2.4 A: in ${state} a peer that has restarted is taken, and all begins anew`, () => {
    const { bench, association } = make();
    const { tag, tsn, cookie } = askCookie(bench, { tag: 77, tsn: 5000 });

    const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
    bench.give(tag, [data({ tsn: 5000 })]);
    const sent = bench.execute({ type: "send", association, data: new Uint8Array(10), ppid: 0 });

    onlyChunk(answers, Chunk.cookieAck);
    assert.equal(answers[0]!.tag, 77);
    assert.deepEqual(bench.eventsOf("restarted").map((event) => event.association), [association]);
    assert.equal(bench.eventsOf("down").length, 0);
    assert.equal(bench.stack.status(association)?.state, "established");
    assert.equal(bench.eventsOf("message").length, 1);
    assert.equal(tsnOf(onlyChunk(sent, Chunk.data)), tsn);
  });
}

Deno.test("§5.2.2: other parameters of the INIT ACK are those of the association", () => {
  const { bench } = accept({ endpoint: { outboundStreams: 5, maxInboundStreams: 6 } });
  bench.stack.setOption(ENDPOINT, "initmsg", { num_ostreams: 9, max_instreams: 9 }, {}, bench.now);

  const { value } = onlyChunk(bench.give(0, [init(Chunk.init, { tag: 77 })]), Chunk.initAck);

  assert.deepEqual([read(value, 8, 2), read(value, 10, 2)], [5, 6]);
});

Deno.test("§5.2.2: a restart with fewer addresses is no restart with new ones", () => {
  const { bench } = accept({}, { parameters: addressParameters([THERE[1]!]) });
  const { tag, cookie } = askCookie(bench, { tag: 77 });

  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  assert.equal(bench.eventsOf("restarted").length, 1);
});

Deno.test("§5.2.4 A: after a restart packets come from the addresses that the endpoint has by now, as the INIT ACK says", () => {
  const endpoint = { addresses: HERE, heartbeatIntervalMs: 1000 };
  const living = accept({ endpoint }, { parameters: addressParameters([THERE[1]!]) });
  confirmPaths(living);
  const { bench, association } = living;
  bench.stack.removeAddress(ENDPOINT, HERE[1]!, bench.now);
  const { tag, cookie } = askCookie(bench, { tag: 77, parameters: addressParameters([THERE[1]!]) });
  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  const sent = bench.advance(10_000);

  assert.equal(bench.eventsOf("restarted").length, 1);
  assert.ok(sent.some(({ destination }) => destination === THERE[1]));
  assert.ok(sent.every(({ source }) => source === HERE[0]));
  assert.ok(bench.stack.status(association)!.paths.every(({ localAddress }) => localAddress === HERE[0]));
});

Deno.test("§5.2.3: in COOKIE-ECHOED another INIT ACK is discarded", () => {
  const { bench, tag } = echoed();
  const before = stateOf(bench);

  const answers = bench.give(tag, [init(Chunk.initAck, { tag: 99, parameters: tlv(7, [8, 8, 8, 8]) })]);

  assert.equal(answers.length, 0);
  assert.equal(stateOf(bench), before);
});

// ------------------------------------------------------------------------------------------- COOKIE ECHO, table 12 (§5.2.4)

Deno.test("§5.2.4 (2): a cookie for a living association that fails its check is discarded", () => {
  const { bench, association } = accept();
  const { tag, cookie } = askCookie(bench, { tag: 77 });
  const before = stateOf(bench, association);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie.with(20, cookie[20]! ^ 1))]);

  assert.equal(answers.length, 0);
  assert.equal(stateOf(bench, association), before);
});

Deno.test("§5.2.4 (3): a stale cookie whose tags are not the association's gets an ERROR, its DATA is discarded", () => {
  const { bench, association } = accept({ endpoint: { cookieLifeMs: 1000, heartbeatIntervalMs: 0 } });
  const { tag, cookie } = askCookie(bench, { tag: 77 });
  bench.advance(1001);
  const before = stateOf(bench, association);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie), data({ tsn: THERE_TSN })]);

  assert.equal(tlvs(onlyChunk(answers, Chunk.error).value, 0)[0]?.type, Cause.staleCookie);
  assert.equal(bench.eventsOf("message").length, 0);
  assert.equal(stateOf(bench, association), before);
});

Deno.test("§5.2.4 (3): a cookie whose tags are the association's is good, however old it is", () => {
  const bench = new Bench({ endpoint: { cookieLifeMs: 1000 } });
  const { tag, cookie } = askCookie(bench);
  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
  bench.advance(5000);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  onlyChunk(answers, Chunk.cookieAck);
});

Deno.test("§5.2.4 A: congestion control begins anew with a peer that has restarted", () => {
  const { bench, association, tag: old, tsn } = accept();
  bench.execute({ type: "send", association, data: new Uint8Array(50_000), ppid: 0 });
  for (let i = 0; i < 20; i++) bench.give(old, [sack(tsn + i)]);
  const grown = bench.stack.status(association)!.paths[0]!.cwnd;
  const { tag, cookie } = askCookie(bench, { tag: 77 });

  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  const { cwnd: congestionWindow } = bench.stack.status(association)!.paths[0]!;
  assert.ok(congestionWindow < grown && congestionWindow <= 4404, `${congestionWindow} after ${grown}`);
  assert.equal(bench.eventsOf("sendFailed").length, 1);
});

Deno.test("§5.2.4 A: in SHUTDOWN-ACK-SENT there is no restart but SHUTDOWN ACK and ERROR", () => {
  const { bench, association, tag: old } = accept();
  const { tag, cookie } = askCookie(bench, { tag: 77 });
  bench.give(old, [chunk(Chunk.shutdown, 0, be(4, THERE_TSN - 1))]);
  assert.equal(bench.stack.status(association)?.state, "shutdown-ack-sent");

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  assert.ok(chunksOf(answers, Chunk.shutdownAck).length >= 1);
  assert.equal(tlvs(onlyChunk(answers, Chunk.error).value, 0)[0]?.type, Cause.cookieInShutdown);
  assert.equal(bench.eventsOf("restarted").length, 0);
  assert.equal(chunksOf(answers, Chunk.cookieAck).length, 0);
});

Deno.test("§5.2.4 B: in COOKIE-WAIT the peer's cookie for our tag makes the association (M, 0)", () => {
  const bench = new Bench();
  bench.execute(CONNECT);
  const { tag, cookie } = askCookie(bench);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  onlyChunk(answers, Chunk.cookieAck);
  assert.equal(answers[0]!.tag, THERE_TAG);
  assert.deepEqual(bench.eventsOf("up").map(({ request }) => request), [1]);
  assert.equal(chunksOf(bench.advance(20_000), Chunk.init).length, 0, "T1-init is stopped");
});

Deno.test("§5.2.4 B: in COOKIE-ECHOED the peer's new tag is taken, and T1-cookie stops (M, X)", () => {
  const { bench, tag } = echoed();
  const { cookie } = askCookie(bench, { tag: 77, tsn: 5000 });

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie), data({ tsn: 5000 })]);

  onlyChunk(answers, Chunk.cookieAck);
  assert.equal(answers[0]!.tag, 77);
  assert.deepEqual(bench.eventsOf("up").map(({ request }) => request), [1]);
  assert.equal(bench.eventsOf("message").length, 1);
  assert.equal(chunksOf(bench.advance(20_000), Chunk.cookieEcho).length, 0);
});

Deno.test("§5.2.4 B: in ESTABLISHED the peer's new tag is taken, and the state stays (M, X)", () => {
  const { bench, tag } = echoed();
  const { cookie } = askCookie(bench, { tag: 77 });
  bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
  const sent = bench.execute({ type: "send", association: 1, data: new Uint8Array(10), ppid: 0 });

  assert.equal(answers[0]!.tag, 77);
  onlyChunk(answers, Chunk.cookieAck);
  assert.deepEqual(sent.map(({ tag }) => tag), [77]);
  assert.equal(bench.eventsOf("up").length, 1);
});

Deno.test("§5.2.4 C: our own cookie that comes late is discarded, state and timers stay (X, M, 0, 0)", () => {
  const bench = new Bench();
  const late = askCookie(bench);
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);
  bench.give(tag, [init(Chunk.initAck, { parameters: tlv(7, [9, 9, 9, 9]) })]);
  const before = stateOf(bench);

  const answers = bench.give(late.tag, [chunk(Chunk.cookieEcho, 0, late.cookie)]);

  assert.equal(answers.length, 0);
  assert.equal(stateOf(bench), before);
});

Deno.test("§5.2.4 D: in COOKIE-ECHOED a cookie with both tags brings ESTABLISHED, and T1-cookie stops (M, M)", () => {
  const { bench, tag } = echoed();
  const { cookie } = askCookie(bench);

  const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

  onlyChunk(answers, Chunk.cookieAck);
  assert.deepEqual(bench.eventsOf("up").map(({ request }) => request), [1]);
  assert.equal(chunksOf(bench.advance(20_000), Chunk.cookieEcho).length, 0);
});

Deno.test("§5.2.4: cookies of no row of table 12 are discarded", () => {
  const cases: Record<string, () => { bench: Bench; tag: number; cookie: Uint8Array }> = {
    "X, X without tie-tags": () => {
      const bench = new Bench();
      const early = askCookie(bench, { tag: 77 });
      const { tag, cookie } = askCookie(bench);
      bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
      return { bench, ...early };
    },
    "X, X with tie-tags of an association that is gone": () => {
      const { bench } = accept();
      const early = askCookie(bench, { tag: 77 });
      const { tag, cookie } = askCookie(bench, { tag: 78 });
      bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
      return { bench, ...early };
    },
    "X, M with tie-tags": () => {
      const { bench } = accept();
      return { bench, ...askCookie(bench) };
    },
    "X, 0": () => {
      const bench = new Bench();
      const early = askCookie(bench);
      bench.execute(CONNECT);
      return { bench, ...early };
    },
  };
  for (const [name, make] of Object.entries(cases)) {
    const { bench, tag, cookie } = make();
    const before = [stateOf(bench), bench.events.length];

    const answers = bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);

    assert.equal(answers.length, 0, name);
    assert.deepEqual([stateOf(bench), bench.events.length], before, name);
  }
});

Deno.test("§5.2.5: in COOKIE-WAIT a COOKIE ACK is discarded", () => {
  const bench = new Bench();
  const tag = read(onlyChunk(bench.execute(CONNECT), Chunk.init).value, 0, 4);
  const before = stateOf(bench);

  const answers = bench.give(tag, [chunk(Chunk.cookieAck, 0, [])]);

  assert.equal(answers.length, 0);
  assert.equal(stateOf(bench), before);
});

Deno.test("§5.2.6: a stale cookie error outside of COOKIE-ECHOED is discarded in silence", () => {
  const { bench, tag } = connect();
  const before = [stateOf(bench), bench.events.length];

  const answers = bench.give(tag, [tlvChunk(Chunk.error, 0, tlv(Cause.staleCookie, be(4, 1000)))]);

  assert.equal(answers.length, 0);
  assert.deepEqual([stateOf(bench), bench.events.length], before);
});

Deno.test("§5.2.6 (3): the new INIT asks for the round trip and a second more, and has the same tag", () => {
  const { bench, tag } = echoed();
  bench.advance(400);

  const answers = bench.give(tag, [tlvChunk(Chunk.error, 0, tlv(Cause.staleCookie, be(4, 900_000_000)))]);

  const { value } = onlyChunk(answers, Chunk.init);
  const preservative = tlvs(value, 16).find(({ type }) => type === 9)!;
  assert.equal(read(preservative.value, 0, 4), 1400);
  assert.equal(read(value, 0, 4), tag);
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
