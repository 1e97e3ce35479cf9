/** RFC 4895: authenticated chunks. Each test: init, act, check. The peer's side is computed by the tests themselves. */
import assert from "node:assert/strict";
import { MAX_KEY_VECTOR_OCTETS, MAX_SHARED_KEYS } from "../../protocol/sctp/limits.ts";
import { associationKey } from "../../protocol/sctp/authentication.ts";
import {
  acceptAuthentic,
  AUTH,
  authBench,
  type Authentic,
  authenticated,
  connectAuthentic,
  coveredBy,
  Hmac,
  initAckOf,
  keyOf,
  offerParameters,
  Parameter,
  peerVector,
  RANDOM,
  stackVector,
} from "./auth_bench.ts";
import {
  accept,
  Bench,
  Chunk,
  chunk,
  chunksOf,
  connect,
  data,
  ENDPOINT,
  init,
  onlyChunk,
  read,
  sack,
  THERE,
  THERE_PORT,
  THERE_TAG,
  THERE_TSN,
  tlvs,
} from "./bench.ts";

const CONNECT = {
  type: "connect",
  request: 1,
  addresses: [THERE[0]!],
  port: THERE_PORT,
  encapsulationPort: 0,
} as const;

/** The stack wants chunks of a type authenticated. */
function want(type: number): (bench: Bench) => void {
  return ({ stack }) => stack.setOption(ENDPOINT, "auth_chunk", { chunk: type }, {}, 0);
}

/** An association in which the stack wants chunks of a type authenticated. */
function wanting(type: number): Authentic {
  return acceptAuthentic({ prepare: want(type) });
}

function setKey({ stack }: Bench, keynumber: number, key: readonly number[], association?: number): void {
  const target = association === undefined ? {} : { association };
  stack.setOption(ENDPOINT, "auth_key", { keynumber, key: "0x" + Uint8Array.from(key).toHex() }, target, 0);
}

function option(
  { stack }: Bench,
  name: "auth_active_key" | "auth_deactivate_key" | "auth_delete_key",
  keynumber: number,
  association: number,
): void {
  stack.setOption(ENDPOINT, name, { keynumber }, { association }, 0);
}

function parametersOf(value: Uint8Array): Map<number, Uint8Array> {
  return new Map(tlvs(value, 16).map((one) => [one.type, one.value]));
}

// ---------------------------------------------------------------------------------------------- §3: the parameters

Deno.test("§3.1, §6.1: an endpoint that authenticates sends one RANDOM of 32 octets, in INIT and INIT ACK", () => {
  const asked = onlyChunk(authBench().execute(CONNECT), Chunk.init);
  const answered = initAckOf(authBench());

  for (const { value } of [asked, answered]) {
    const randoms = tlvs(value, 16).filter(({ type }) => type === Parameter.random);
    assert.deepEqual(randoms.map((one) => one.value.length), [32]);
  }
});

Deno.test("§6.1: the random number is another one for each association", () => {
  const bench = authBench();

  const one = parametersOf(initAckOf(bench).value), other = parametersOf(initAckOf(bench).value);

  assert.notDeepEqual(one.get(Parameter.random), other.get(Parameter.random));
});

Deno.test("§3.2: the list of chunks is left out when it is empty", () => {
  const { value } = initAckOf(authBench());

  assert.equal(parametersOf(value).has(Parameter.chunks), false);
});

Deno.test("§3.2, RFC 5061 §4.2.7: with dynamic addresses ASCONF and ASCONF-ACK are listed", () => {
  const { value } = initAckOf(authBench({ endpoint: { dynamicAddresses: true } }));

  assert.deepEqual([...parametersOf(value).get(Parameter.chunks)!].sort(), [128, 193]);
});

Deno.test("§3.3, §6.1: HMAC-ALGO is sent, and SHA-1 is in it", () => {
  const { value } = initAckOf(authBench());
  const algorithms = parametersOf(value).get(Parameter.hmacs)!;

  assert.deepEqual([read(algorithms, 0, 2), read(algorithms, 2, 2)], [Hmac.sha256, Hmac.sha1]);
});

Deno.test("§3: an endpoint that does not authenticate sends none of the parameters", () => {
  const { value } = onlyChunk(new Bench().give(0, [init(Chunk.init, { parameters: offerParameters() })]), 2);
  const found = parametersOf(value);

  assert.ok(![Parameter.random, Parameter.chunks, Parameter.hmacs].some((type) => found.has(type)));
});

Deno.test("§6.1: a random number of another length ends the association with Protocol Violation", () => {
  const parameters = offerParameters({ random: RANDOM.slice(1) });
  const listener = authBench(), initiator = authBench();
  const tag = read(onlyChunk(initiator.execute(CONNECT), Chunk.init).value, 0, 4);

  const refused = listener.give(0, [init(Chunk.init, { parameters })]);
  const aborted = initiator.give(tag, [
    init(Chunk.initAck, { parameters: [...parameters, 0, 7, 0, 8, 1, 2, 3, 4] }),
  ]);

  for (const sent of [refused, aborted]) assert.equal(read(onlyChunk(sent, Chunk.abort).value, 0, 2), 13);
  assert.equal(initiator.eventsOf("down")[0]!.reason, "refused");
});

Deno.test("§6.1: a peer without HMAC-ALGO or without an algorithm that is known here does not authenticate", () => {
  const without = accept({ endpoint: { authentication: true } }, { parameters: [] });
  const unknown = accept({ endpoint: { authentication: true } }, {
    parameters: offerParameters({ hmacs: [2, 77] }),
  });

  for (const { bench, association } of [without, unknown]) {
    assert.deepEqual(bench.eventsOf("authentication"), [
      { type: "authentication", association, indication: "no-authentication", keyId: 0 },
    ]);
  }
});

// ----------------------------------------------------------------------------------------------- §6.1: the keys

Deno.test("§6.1: the key is the shared key, the smaller vector, the larger vector, as numbers", () => {
  const octets = (...numbers: number[]) => Uint8Array.from(numbers);
  const cases: [number[], number[], number[]][] = [
    [[1, 2], [1, 3], [9, 1, 2, 1, 3]],
    [[1, 3], [1, 2], [9, 1, 2, 1, 3]],
    [[1, 0, 0], [2, 0], [9, 2, 0, 1, 0, 0]],
    [[0, 0, 5], [4], [9, 4, 0, 0, 5]],
    [[0, 5], [5], [9, 5, 0, 5]],
    [[5], [0, 5], [9, 5, 0, 5]],
    [[7, 7], [7, 7], [9, 7, 7, 7, 7]],
  ];

  for (const [one, other, expected] of cases) {
    assert.deepEqual(
      associationKey(octets(9), { local: octets(...one), peer: octets(...other) }),
      octets(...expected),
    );
    assert.deepEqual(keyOf([9], one, other), octets(...expected));
  }
});

Deno.test("§6.1: the key vector leaves padding out and keeps the order RANDOM, CHUNKS, HMAC-ALGO", () => {
  const { bench, tag, key } = acceptAuthentic({ offer: { chunks: [Chunk.sack, 9, 77] } }); // a list that needs padding

  const sent = bench.give(tag, [data({ tsn: THERE_TSN, flags: 11 })]);

  assert.deepEqual(coveredBy(sent[0]!, key), [Chunk.sack]);
});

Deno.test("§6.1: what stands in the parameters enters the key as it was sent", () => {
  const offer = { chunks: [Chunk.sack, Chunk.sack, Chunk.init], hmacs: [500, Hmac.sha256, Hmac.sha1] };
  const { bench, tag, key } = connectAuthentic({ offer });

  const sent = bench.give(tag, [data({ tsn: THERE_TSN, flags: 11 })]);

  assert.deepEqual(coveredBy(sent[0]!, key), [Chunk.sack]);
});

Deno.test("§6.1: the peer's first algorithm that is known here is used", () => {
  for (const hmacs of [[Hmac.sha1, Hmac.sha256], [Hmac.sha256, Hmac.sha1], [4, Hmac.sha1]]) {
    const { bench, tag, key } = acceptAuthentic({ offer: { chunks: [Chunk.sack], hmacs } });

    const sent = bench.give(tag, [data({ tsn: THERE_TSN, flags: 11 })]);

    const hmacId = hmacs.find((id) => id !== 4)!;
    assert.deepEqual(coveredBy(sent[0]!, key, { hmacId }), [Chunk.sack]);
  }
});

Deno.test("§6.1: INITs that cross have one random number a side", () => {
  const bench = authBench();
  const ours = onlyChunk(bench.execute(CONNECT), Chunk.init);

  const answer = onlyChunk(
    bench.give(0, [init(Chunk.init, { parameters: offerParameters() })]),
    Chunk.initAck,
  );

  assert.deepEqual(stackVector(answer.value), stackVector(ours.value));
});

// ------------------------------------------------------------------------------------------------- §6.2: sending

Deno.test("§6.2: chunks that the peer has asked for go behind an AUTH chunk", () => {
  const authentic = acceptAuthentic({ offer: { chunks: [Chunk.data] } });
  const { bench, association, key } = authentic;

  const sent = bench.execute({ type: "send", association, data: new Uint8Array(10), ppid: 0 });

  assert.deepEqual(sent.map((one) => coveredBy(one, key)), [[Chunk.data]]);
});

Deno.test("§6.2: chunks that it has not asked for go without", () => {
  const { bench, association } = acceptAuthentic({ offer: { chunks: [Chunk.heartbeat] } });

  const sent = bench.execute({ type: "send", association, data: new Uint8Array(10), ppid: 0 });

  assert.equal(chunksOf(sent, AUTH).length, 0);
});

Deno.test("§6.2: a list that names INIT, INIT ACK, SHUTDOWN COMPLETE or AUTH is taken without these (§3.2)", () => {
  const { bench, tag, association, key } = acceptAuthentic({
    offer: { chunks: [1, 2, 14, 15, Chunk.abort] },
  });
  bench.execute({ type: "shutdown", association });

  const sent = bench.give(tag, [chunk(Chunk.shutdownAck, 0, [])]);

  onlyChunk(sent, Chunk.shutdownComplete);
  assert.equal(chunksOf(sent, AUTH).length, 0);
  assert.ok(key.length > 0);
});

Deno.test("§6.2: the HMAC covers the padding of the chunks, too", () => {
  const { bench, association, key } = acceptAuthentic({ offer: { chunks: [Chunk.data] } });

  const sent = bench.execute({ type: "send", association, data: new Uint8Array(13).fill(255), ppid: 0 });

  assert.equal(sent[0]!.octets.length, 12 + 40 + 32);
  assert.deepEqual(coveredBy(sent[0]!, key), [Chunk.data]);
});

Deno.test("§6.2: a packet with its AUTH chunk fits into the path MTU, and every packet has one", () => {
  const { bench, association, key, tag, tsn } = acceptAuthentic({ offer: { chunks: [Chunk.data] } });

  let sent = bench.execute({ type: "send", association, data: new Uint8Array(20_000), ppid: 0 });
  const all = [...sent];
  for (let round = 0; round < 10 && sent.length > 0; round++) {
    sent = bench.give(tag, [sack(tsn + chunksOf(all, Chunk.data).length - 1)]);
    all.push(...sent);
  }

  assert.ok(all.every(({ octets }) => octets.length + 20 <= 1500));
  assert.equal(all[0]!.octets.length + 20, 1500);
  assert.ok(all.every((one) => coveredBy(one, key).includes(Chunk.data)));
  assert.equal(chunksOf(all, Chunk.data).reduce((sum, { value }) => sum + value.length - 12, 0), 20_000);
});

Deno.test("§6.2: an ABORT goes authenticated to a peer that asks for it", () => {
  const { bench, association, key } = acceptAuthentic({ offer: { chunks: [Chunk.abort] } });

  const sent = bench.execute({ type: "abort", association });

  assert.deepEqual(sent.map((one) => coveredBy(one, key)), [[Chunk.abort]]);
});

Deno.test("§6.2: COOKIE ECHO goes behind the AUTH chunk, first and second in the packet", () => {
  const bench = authBench();
  const asked = onlyChunk(bench.execute(CONNECT), Chunk.init);
  const offer = { chunks: [Chunk.cookieEcho] };
  const parameters = [...offerParameters(offer), 0, 7, 0, 8, 1, 2, 3, 4];

  const sent = bench.give(read(asked.value, 0, 4), [init(Chunk.initAck, { parameters })]);

  const key = keyOf([], stackVector(asked.value), peerVector(offer));
  assert.deepEqual(sent[0]!.chunks.map(({ type }) => type), [AUTH, Chunk.cookieEcho]);
  assert.deepEqual(coveredBy(sent[0]!, key), [Chunk.cookieEcho]);
});

// ----------------------------------------------------------------------------------------------- §6.3: receiving

Deno.test("§6.3: chunks that are to be authenticated are discarded silently without an AUTH chunk", () => {
  const authentic = wanting(Chunk.data);
  const { bench, tag } = authentic;

  const sent = bench.give(tag, [data({ tsn: THERE_TSN })]);

  assert.deepEqual(sent, []);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.3: they are taken behind one, by either algorithm", () => {
  for (const hmacId of [Hmac.sha1, Hmac.sha256]) {
    const { bench, tag, key } = wanting(Chunk.data);

    bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN, data: [1, 2, 3] })], { hmacId }));

    assert.equal(bench.eventsOf("message").length, 1);
  }
});

Deno.test("§6.3: chunks in front of the AUTH chunk are not authenticated by it", () => {
  const { bench, tag, key } = wanting(Chunk.data);

  bench.give(tag, [data({ tsn: THERE_TSN }), ...authenticated(key, [data({ tsn: THERE_TSN + 1 })])]);

  assert.deepEqual(bench.eventsOf("message").map(({ tsn }) => tsn), [THERE_TSN + 1]);
  assert.equal(bench.stack.counters.dataChunksReceived, 1);
});

Deno.test("§6.3: other chunks are taken with and without it", () => {
  const { bench, tag, key } = wanting(Chunk.heartbeat);

  bench.give(tag, [data({ tsn: THERE_TSN })]);
  bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN + 1, ssn: 1 })]));

  assert.equal(bench.eventsOf("message").length, 2);
});

Deno.test("§6.3: with a wrong HMAC all that follows is discarded silently, whatever it is", () => {
  const { bench, tag, key } = wanting(Chunk.heartbeat);
  const right = authenticated(key, [data({ tsn: THERE_TSN })]);
  const attempts = [8, 20, 39].map((at) => {
    const forged = right.map((one) => one.slice());
    forged[0]![at]! ^= 1;
    return forged;
  });
  const changed = right.map((one) => one.slice());
  changed[1]![17]! ^= 1;

  for (const forged of [...attempts, changed]) assert.deepEqual(bench.give(tag, forged), []);

  assert.equal(bench.eventsOf("message").length, 0);
  assert.equal(bench.stack.counters.unauthenticated, 4);
});

Deno.test("§6.3: an HMAC that is cut short is wrong", () => {
  const { bench, tag, key } = wanting(Chunk.heartbeat);
  const right = authenticated(key, [data({ tsn: THERE_TSN })]);
  for (let octets = 0; octets < 32; octets += 4) {
    const cut = right[0]!.slice(0, 8 + octets);
    cut[3] = cut.length;

    assert.deepEqual(bench.give(tag, [cut, right[1]!]), []);
  }
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.3, §4.1: an algorithm that was not offered: discarded, and ERROR 0x0105 names it", () => {
  const { bench, tag } = wanting(Chunk.heartbeat);

  const sent = bench.give(tag, [chunk(AUTH, 0, [0, 0, 0, 2, 1, 2, 3, 4]), data({ tsn: THERE_TSN })]);

  assert.deepEqual([...onlyChunk(sent, Chunk.error).value], [0x01, 0x05, 0, 6, 0, 2]);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.3: a shared key identifier that is not there: discarded silently", () => {
  const { bench, tag, key } = wanting(Chunk.data);

  const sent = bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN })], { keyId: 1 }));

  assert.deepEqual(sent, []);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§5.1: a second AUTH chunk ends the packet", () => {
  const { bench, tag, key } = wanting(Chunk.data);
  const inner = authenticated(key, [data({ tsn: THERE_TSN })]);

  bench.give(tag, authenticated(key, inner));

  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.3: an ABORT without AUTH does not end an association that wants it authenticated", () => {
  const { bench, tag, key } = wanting(Chunk.abort);

  bench.give(tag, [chunk(Chunk.abort, 0, [])]);
  assert.equal(bench.eventsOf("down").length, 0);
  bench.give(THERE_TAG, [chunk(Chunk.abort, 1, [])]); // nor does one with the peer's own tag
  assert.equal(bench.eventsOf("down").length, 0);

  bench.give(tag, authenticated(key, [chunk(Chunk.abort, 0, [])]));
  assert.equal(bench.eventsOf("down").length, 1);
});

Deno.test("§6.3: a COOKIE ECHO that is to be authenticated makes no association without AUTH, or with a wrong one", () => {
  const bench = authBench({ prepare: want(Chunk.cookieEcho) });
  const { value, cookie } = initAckOf(bench);
  const tag = read(value, 0, 4), echo = chunk(Chunk.cookieEcho, 0, cookie);
  const key = keyOf([], stackVector(value), peerVector());
  const wrong = authenticated(key, [echo]);
  wrong[0]![10]! ^= 1;

  assert.deepEqual(bench.give(tag, [echo]), []);
  assert.deepEqual(bench.give(tag, wrong), []);
  assert.equal(bench.eventsOf("up").length, 0);

  onlyChunk(bench.give(tag, authenticated(key, [echo, data({ tsn: THERE_TSN })])), Chunk.cookieAck);
  assert.equal(bench.eventsOf("up").length, 1);
  assert.equal(bench.eventsOf("message").length, 1); // and the chunks after it are processed
});

Deno.test("§6.3: a restart without the key of the old association does not succeed where COOKIE ECHO needs AUTH", () => {
  const authentic = wanting(Chunk.cookieEcho);
  const { bench, tag, key } = authentic;
  const restart = () => {
    const { value, cookie } = initAckOf(bench, { tag: 0x77777777 });
    return { value, echo: chunk(Chunk.cookieEcho, 0, cookie), tag: read(value, 0, 4) };
  };
  const first = restart();
  const newKey = keyOf([], stackVector(first.value), peerVector());

  bench.give(first.tag, authenticated(newKey, [first.echo]));
  assert.equal(bench.eventsOf("restarted").length, 0);

  const second = restart();
  onlyChunk(bench.give(second.tag, authenticated(key, [second.echo])), Chunk.cookieAck);
  assert.equal(bench.eventsOf("restarted").length, 1);
  assert.notEqual(second.tag, tag);
});

Deno.test("§6.3: after a restart both sides use the new association key", () => {
  const { bench } = wanting(Chunk.data);
  const { value, cookie } = initAckOf(bench, { tag: 0x77777777 });
  const key = keyOf([], stackVector(value), peerVector()), tag = read(value, 0, 4);

  bench.give(tag, [chunk(Chunk.cookieEcho, 0, cookie)]);
  bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN })]));

  assert.equal(bench.eventsOf("restarted").length, 1);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("§6.3: a packet out of the blue is answered without taking its AUTH chunk into account", () => {
  const bench = authBench();
  const stranger = (
    type: number,
  ) => [chunk(AUTH, 0, [0, 0, 0, 3, ...Array<number>(32).fill(7)]), chunk(type, 0, [])];

  assert.deepEqual(bench.give(77, stranger(Chunk.abort)), []);
  onlyChunk(bench.give(77, stranger(Chunk.shutdownAck)), Chunk.shutdownComplete);
  onlyChunk(bench.give(77, [...stranger(Chunk.heartbeat)]), Chunk.abort);
});

Deno.test("§6.3: to an endpoint that does not authenticate AUTH is unknown and ends the packet (RFC 9260 §3.2)", () => {
  const { bench, tag } = connect();

  const sent = bench.give(tag, authenticated(new Uint8Array(4), [data({ tsn: THERE_TSN })]));

  assert.deepEqual(sent, []);
  assert.equal(bench.eventsOf("message").length, 0);
});

Deno.test("§6.3: the cookie holds no shared key", () => {
  const secret = [0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe];
  const bench = authBench({ prepare: (prepared) => setKey(prepared, 1, secret) });

  const { cookie } = initAckOf(bench, { tag: 0x77777777 });

  assert.ok(!cookie.toHex().includes(Uint8Array.from(secret).toHex()));
});

// ------------------------------------------------------------------------------------- keys (RFC 6458 §8.1, §8.3)

Deno.test("§6.1, RFC 6458 §8.3: with a shared key both sides derive the key from it", () => {
  const secret = [1, 2, 3, 4, 5];
  const { bench, tag, association, vectors } = acceptAuthentic({
    offer: { chunks: [Chunk.data] },
    prepare: (bench) => {
      want(Chunk.data)(bench);
      setKey(bench, 7, secret);
    },
  });
  option(bench, "auth_active_key", 7, association);
  const key = keyOf(secret, ...vectors);

  const sent = bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 });
  bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN })], { keyId: 7 }));

  assert.deepEqual(coveredBy(sent[0]!, key, { keyId: 7 }), [Chunk.data]);
  assert.equal(bench.eventsOf("message").length, 1);
});

Deno.test("RFC 6458 §6.1.8: the first use of another key by the peer is told, once", () => {
  const { bench, tag, association, vectors } = wanting(Chunk.heartbeat);
  setKey(bench, 9, [1], association);
  const key = keyOf([1], ...vectors);

  bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN })], { keyId: 9 }));
  bench.give(tag, authenticated(key, [data({ tsn: THERE_TSN + 1, ssn: 1 })], { keyId: 9 }));

  assert.deepEqual(bench.eventsOf("authentication"), [
    { type: "authentication", association, indication: "new-key", keyId: 9 },
  ]);
});

Deno.test("RFC 6458 §5.3.8: each message goes with its key, and a packet has the messages of one key", () => {
  const { bench, association, vectors } = acceptAuthentic({ offer: { chunks: [Chunk.data] } });
  setKey(bench, 1, [1], association);
  setKey(bench, 2, [2], association);
  const message = (authKeyId: number | undefined) => ({
    type: "send" as const,
    association,
    data: new Uint8Array(8),
    ppid: 0,
    ...(authKeyId === undefined ? {} : { authKeyId }),
  });

  for (const keyId of [1, 1, 2, undefined]) bench.stack.execute(ENDPOINT, message(keyId), 0);
  const sent = bench.collect();

  const keys = [[1], [2], []].map((shared) => keyOf(shared, ...vectors));
  assert.deepEqual(coveredBy(sent[0]!, keys[0]!, { keyId: 1 }), [Chunk.data, Chunk.data]);
  assert.deepEqual(coveredBy(sent[1]!, keys[1]!, { keyId: 2 }), [Chunk.data]);
  assert.deepEqual(coveredBy(sent[2]!, keys[2]!), [Chunk.data]);
});

Deno.test("RFC 6458 §8.3.4: a deactivated key sends nothing new; free-key comes when its last message is acknowledged", () => {
  const { bench, association, tag, tsn } = acceptAuthentic({ offer: { chunks: [Chunk.data] } });
  const send = (
    authKeyId: number,
  ) => ({ type: "send", association, data: new Uint8Array(8), ppid: 0, authKeyId } as const);
  setKey(bench, 1, [1], association);
  bench.execute(send(1));

  option(bench, "auth_deactivate_key", 1, association);
  bench.execute(send(1));
  assert.equal(bench.eventsOf("sendFailed").length, 1);
  assert.equal(bench.eventsOf("authentication").length, 0);

  bench.give(tag, [sack(tsn)]);
  assert.deepEqual(bench.eventsOf("authentication"), [
    { type: "authentication", association, indication: "free-key", keyId: 1 },
  ]);
});

Deno.test("RFC 6458 §8.3.2-5: keys that are not there or are active cannot be used, deactivated or deleted", () => {
  const { bench, association } = acceptAuthentic();
  setKey(bench, 1, [1], association);

  for (const name of ["auth_active_key", "auth_deactivate_key", "auth_delete_key"] as const) {
    assert.throws(() => option(bench, name, 5, association), { code: "EINVAL" });
  }
  assert.throws(() => option(bench, "auth_delete_key", 0, association), { code: "EINVAL" });
  option(bench, "auth_active_key", 1, association);
  option(bench, "auth_delete_key", 0, association);
  assert.deepEqual(bench.stack.getOption(ENDPOINT, "auth_active_key", { association }), { keynumber: 1 });
});

Deno.test("RFC 6458 §8.3.5: a key is not deleted as long as a message may have to be sent with it", () => {
  const { bench, association, tag, tsn } = acceptAuthentic({ offer: { chunks: [Chunk.data] } });
  setKey(bench, 1, [1], association);
  bench.execute({ type: "send", association, data: new Uint8Array(8), ppid: 0, authKeyId: 1 });

  assert.throws(() => option(bench, "auth_delete_key", 1, association), { code: "EINVAL" });
  bench.give(tag, [sack(tsn)]);

  assert.doesNotThrow(() => option(bench, "auth_delete_key", 1, association));
});

Deno.test("RFC 6458 §8.1.18, §8.2.5-6: the lists can be read, and hold what both sides have said", () => {
  const offer = { chunks: [Chunk.abort, Chunk.sack] };
  const { bench, association } = acceptAuthentic({ offer, prepare: want(Chunk.data) });
  const read = (name: "local_auth_chunks" | "peer_auth_chunks" | "hmac_ident") =>
    bench.stack.getOption(ENDPOINT, name, { association });

  assert.deepEqual(read("local_auth_chunks"), { chunks: [Chunk.data] });
  assert.deepEqual(read("peer_auth_chunks"), { chunks: [Chunk.abort, Chunk.sack] });
  assert.deepEqual(read("hmac_ident"), { idents: [Hmac.sha256, Hmac.sha1] });
});

Deno.test("§3.2, RFC 6458 §8.3.1: INIT, INIT ACK, SHUTDOWN COMPLETE and AUTH cannot be asked for", () => {
  for (const type of [1, 2, 14, 15, 256, -1]) {
    assert.throws(() => want(type)(authBench()), { code: "EINVAL" });
  }
});

Deno.test("§6.1, RFC 6458 §8.1.17: SHA-1 must stay among the algorithms, and unknown ones are refused", () => {
  const { stack } = authBench();

  for (const idents of [[], [Hmac.sha256], [Hmac.sha1, 2]]) {
    assert.throws(() => stack.setOption(ENDPOINT, "hmac_ident", { idents }, {}, 0), { code: "EINVAL" });
  }
  stack.setOption(ENDPOINT, "hmac_ident", { idents: [Hmac.sha1] }, {}, 0);
  assert.deepEqual(stack.getOption(ENDPOINT, "hmac_ident", {}), { idents: [Hmac.sha1] });
});

Deno.test("RFC 6458 §8.3: without authentication the options say so", () => {
  assert.throws(() => setKey(new Bench(), 1, [1]), { code: "EACCES" });
});

// ----------------------------------------------------------------------------------- limits, and what proves nothing

Deno.test("limit: a peer whose key vector is longer than the cookie may be does not authenticate", () => {
  const vector = (octets: number) => ({ offer: { chunks: Array<number>(octets).fill(0x80) } });
  const agreed = (octets: number) => {
    const bench = authBench();
    const { value, cookie } = initAckOf(bench, vector(octets));
    bench.give(read(value, 0, 4), [chunk(Chunk.cookieEcho, 0, cookie)]);
    const [up] = bench.eventsOf("up");
    return bench.stack.status(up!.association)!.extensions!.authentication;
  };

  assert.deepEqual([300, MAX_KEY_VECTOR_OCTETS].map(agreed), [true, false]);
});

Deno.test("limit: an endpoint has so many shared keys; one that is there can still be changed", () => {
  const bench = authBench();
  for (let i = 1; i < MAX_SHARED_KEYS; i++) setKey(bench, i, [i & 255]);

  assert.throws(() => setKey(bench, MAX_SHARED_KEYS, [1]), { code: "ENOBUFS" });
  assert.doesNotThrow(() => setKey(bench, 1, [2]));
});

Deno.test("§6.3: where ABORT needs AUTH, ICMP does not end the association either; where it does not, it does", () => {
  const downs = [wanting(Chunk.abort), acceptAuthentic()].map(({ bench, association }) => {
    const [sent] = bench.execute({ type: "send", association, data: new Uint8Array(4), ppid: 0 });
    bench.giveError({
      destination: THERE[0]!,
      udpPort: 0,
      kind: "protocol-unreachable",
      mtu: undefined,
      packet: sent!.octets.slice(0, 28),
      localPort: 0,
    });
    return bench.eventsOf("down").map(({ reason }) => reason);
  });

  assert.deepEqual(downs, [[], ["refused"]]);
});

Deno.test("§6.3: DATA and SACK that break the protocol end nothing without AUTH, where all three need it", () => {
  const { bench, tag, tsn, key } = acceptAuthentic({
    prepare: (one) => [Chunk.abort, Chunk.data, Chunk.sack].forEach((type) => want(type)(one)),
  });

  bench.give(tag, [sack(tsn + 100)]);
  bench.give(tag, [data({ tsn: THERE_TSN, data: [] })]);
  assert.deepEqual(bench.eventsOf("down"), []);

  bench.give(tag, authenticated(key, [sack(tsn + 100)]));
  assert.equal(bench.eventsOf("down").length, 1);
});
