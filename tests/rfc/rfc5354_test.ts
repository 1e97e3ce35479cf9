/** RFC 5354: parameters, error causes, message format. Each test: init, act, check. */
import assert from "node:assert/strict";
import { AsapType, readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import { CauseCode, errorFor, poolPolicyOf } from "../../protocol/param/mod.ts";
import type { PoolElement, TransportParameter } from "../../protocol/param/mod.ts";
import { DecodeError, encodeText } from "../../protocol/wire/mod.ts";
import { element, POOL, RegistrarHarness, ROUND_ROBIN } from "../protocol/registrar/harness.ts";
import { message, tlv, u16, u32 } from "./asap_bench.ts";

const HANDLE = tlv(0x0009, POOL);
const IPV4 = tlv(0x0001, [10, 1, 1, 1]);
const IPV6 = tlv(0x0002, [0xfd, ...Array<number>(14).fill(0), 1]);
const POLICY = tlv(0x0008, u32(1));
const UNKNOWN_VALUE = [1, 2, 3, 4];

/** A transport with a port and the 16 bits behind it. */
function transport(type: number, port: number, use: number, ...addresses: number[][]): number[] {
  return tlv(type, [...u16(port), ...u16(use), ...addresses.flat()]);
}

/** A pool element parameter; the transport and policy may be replaced. */
function poolElement(userTransport: number[], policy: number[] = POLICY, rest: number[] = []): number[] {
  return tlv(0x000a, [...u32(0x11223344), ...u32(0), ...u32(90_000), ...userTransport, ...policy, ...rest]);
}

/** The element of a registration with this transport, read. */
function readElement(userTransport: number[], policy: number[] = POLICY, rest: number[] = []): PoolElement {
  const read = readAsap(
    message(AsapType.registration, 0, [HANDLE, poolElement(userTransport, policy, rest)]),
  );
  assert.ok(read.type === "registration");
  return read.element;
}

/** What a registrar answers to a handle resolution that has a parameter in front of the pool's handle. */
function answersTo(parameter: number[]): { answers: AsapMessage[]; harness: RegistrarHarness } {
  const harness = new RegistrarHarness();
  const association = harness.up();
  harness.register(association, element(1));
  const answers = harness.octets(association, message(AsapType.handleResolution, 0, [parameter, HANDLE]));
  return { answers, harness };
}

/** What a registrar answers to a second element that has this instead of the first one's. */
function refusalOf(
  fields: Partial<PoolElement>,
  elementId = 2,
): AsapMessage & { type: "registrationResponse" } {
  const harness = new RegistrarHarness();
  harness.register(harness.up(["10.1.1.1"]), element(1));
  const { userTransport } = element(2);
  const theirs = { ...userTransport, addresses: ["10.1.1.2"] } as TransportParameter;
  const second = harness.up(["10.1.1.2"]);
  const answer = harness.register(second, element(elementId, { userTransport: theirs, ...fields }));
  assert.ok(answer.type === "registrationResponse" && answer.rejected);
  return answer;
}

function cause(code: number, data: Iterable<number> = []): { code: number; data: Uint8Array } {
  return { code, data: Uint8Array.from(data) };
}

// ------------------------------------------------------------------------------------------------ §2, §3: parameters

Deno.test("§2: fields are in network byte order", () => {
  const announce = { type: "serverAnnounce", registrarId: 0x01020304 } as const;

  const octets = writeAsap(announce);

  assert.deepEqual([...octets], [0x0a, 0, 0, 8, 1, 2, 3, 4]);
});

Deno.test("§3: an unknown parameter with action bits 00 stops the message, and nothing is said", () => {
  const unknown = tlv(0x0077, UNKNOWN_VALUE);

  const { answers } = answersTo(unknown);

  assert.deepEqual(answers, []);
});

Deno.test("§3: an unknown parameter with action bits 01 stops the message, and is reported", () => {
  const unknown = tlv(0x4077, UNKNOWN_VALUE);

  const { answers } = answersTo(unknown);

  assert.deepEqual(answers, [{ type: "error", error: [cause(CauseCode.unrecognizedParameter, unknown)] }]);
});

Deno.test("§3: an unknown parameter with action bits 10 is skipped, and nothing is said of it", () => {
  const unknown = tlv(0x8077, UNKNOWN_VALUE);

  const { answers } = answersTo(unknown);

  assert.deepEqual(answers.map(({ type }) => type), ["handleResolutionResponse"]);
});

Deno.test("§3: an unknown parameter with action bits 11 is skipped, and reported", () => {
  const unknown = tlv(0xc077, UNKNOWN_VALUE);

  const { answers } = answersTo(unknown);

  assert.deepEqual(answers.map(({ type }) => type), ["handleResolutionResponse", "error"]);
  assert.deepEqual(answers[1], {
    type: "error",
    error: [cause(CauseCode.unrecognizedParameter, unknown)],
  });
});

Deno.test("§3: action bits count within parameters, too", () => {
  const unknown = tlv(0x8077, UNKNOWN_VALUE);
  const withUnknown = transport(0x0004, 5000, 1, unknown, IPV4);

  const { userTransport } = readElement(withUnknown);

  assert.deepEqual(userTransport.addresses, ["10.1.1.1"]);
});

Deno.test("§3: the length of a parameter counts its header and value, not its padding", () => {
  const resolution = { type: "handleResolution", poolHandle: encodeText("abcde") } as const;

  const octets = writeAsap(resolution);

  assert.deepEqual([...octets.subarray(4)], [0, 9, 0, 9, 97, 98, 99, 100, 101, 0, 0, 0]);
});

Deno.test("§3: padding is of zeros, and of three octets at most", () => {
  const lengths = [1, 2, 3, 4, 5, 6, 7, 8];

  const messages = lengths.map((length) =>
    writeAsap({ type: "handleResolution", poolHandle: new Uint8Array(length).fill(65) })
  );

  for (const [index, octets] of messages.entries()) {
    const padding = octets.subarray(8 + lengths[index]!);
    assert.equal(octets.length % 4, 0);
    assert.ok(padding.length <= 3 && padding.every((octet) => octet === 0));
  }
});

Deno.test("§3: the receiver ignores what the padding says", () => {
  const odd = tlv(0x0009, encodeText("abc"), 0xff);

  const read = readAsap(message(AsapType.endpointKeepAliveAck, 0, [odd, tlv(0x000e, u32(7))]));

  assert.deepEqual(read, { type: "endpointKeepAliveAck", poolHandle: encodeText("abc"), elementId: 7 });
});

Deno.test("§3: a parameter shorter than its header is refused", () => {
  const short = [0x00, 0x09, 0x00, 0x03, 65, 66, 67, 68];

  const read = () => readAsap(message(AsapType.handleResolution, 0, [short]));

  assert.throws(read, DecodeError);
});

Deno.test("§3: a parameter longer than what it stands in is refused", () => {
  const long = [0x00, 0x09, 0x00, 0x20, 65, 66, 67, 68];

  const read = () => readAsap(message(AsapType.handleResolution, 0, [long]));

  assert.throws(read, DecodeError);
});

Deno.test("§2: a parameter counts the padding between the parameters in it", () => {
  const opaque = {
    protocol: "opaque",
    port: 0,
    use: "data",
    addresses: [],
    value: encodeText("abc"),
  } as const;

  const octets = writeAsap({
    type: "registration",
    poolHandle: POOL,
    element: element(1, { userTransport: opaque }),
  });

  const start = 4 + HANDLE.length;
  assert.deepEqual([...octets.subarray(start, start + 4)], [0, 0x0a, ...u16(4 + 12 + 8 + 8)]);
});

// ------------------------------------------------------------------------------------------- §3.1–3.7, 3.16: transports

Deno.test("§3.1, §3.2: an IPv4 address has 4 octets and an IPv6 address 16, nothing else", () => {
  const bad = [tlv(0x0001, [10, 1, 1]), tlv(0x0001, [10, 1, 1, 1, 1]), tlv(0x0002, [10, 1, 1, 1])];

  const reads = bad.map((address) => () => readElement(transport(0x0004, 1, 1, address)));

  for (const read of reads) assert.throws(read, DecodeError);
});

Deno.test("§3.3: a DCCP transport has a service code, one address, and is data only", () => {
  const dccp = tlv(0x0003, [...u16(5000), ...u16(1), ...u32(0x41424344), ...IPV4]);

  const { userTransport } = readElement(dccp);

  assert.deepEqual(userTransport, {
    protocol: "dccp",
    port: 5000,
    use: "data",
    serviceCode: 0x41424344,
    addresses: ["10.1.1.1"],
  });
});

Deno.test("§3.4: an SCTP transport may have IPv4 and IPv6 addresses mixed", () => {
  const mixed = transport(0x0004, 5000, 1, IPV4, IPV6, IPV4);

  const { userTransport } = readElement(mixed);

  assert.deepEqual(userTransport, {
    protocol: "sctp",
    port: 5000,
    use: "data+control",
    addresses: ["10.1.1.1", "fd00::1", "10.1.1.1"],
  });
});

Deno.test("§3.4: an SCTP transport has at least one address", () => {
  const none = transport(0x0004, 5000, 1);

  const read = () => readElement(none);

  assert.throws(read, { reason: "missing-parameter" });
});

Deno.test("§3.4: the transport use is 0 (data only) or 1 (data plus control)", () => {
  const uses = [0, 1].map((use) => readElement(transport(0x0004, 5000, use, IPV4)).userTransport.use);

  const read = () => readElement(transport(0x0004, 5000, 2, IPV4));

  assert.deepEqual(uses, ["data", "data+control"]);
  assert.throws(read, { reason: "bad-value" });
});

for (
  const [name, type, section] of [["TCP", 5, "§3.5"], ["UDP", 6, "§3.6"], ["UDP-Lite", 7, "§3.7"]] as const
) {
  Deno.test(`${section}: a ${name} transport is data only, whatever its reserved field says`, () => {
    const octets = transport(type, 5000, 1, IPV4);

    const { userTransport } = readElement(octets);

    assert.equal(userTransport.use, "data");
  });

  Deno.test(`${section}: a ${name} transport has exactly one address`, () => {
    const bad = [transport(type, 5000, 0), transport(type, 5000, 0, IPV4, IPV6)];

    const reads = bad.map((octets) => () => readElement(octets));

    for (const read of reads) assert.throws(read, DecodeError);
  });
}

Deno.test("§3.5: the reserved field of a TCP transport is sent as zero", () => {
  const tcp = { protocol: "tcp", port: 5000, use: "data", addresses: ["10.1.1.1"] } as const;

  const octets = writeAsap({ type: "serverAnnounce", registrarId: 1, transports: [tcp] });

  assert.deepEqual([...octets.subarray(8)], transport(0x0005, 5000, 0, IPV4));
});

Deno.test("§3.16: an opaque transport is any octets", () => {
  const opaque = tlv(0x0010, [1, 2, 3, 4, 5]);

  const { userTransport } = readElement(opaque);

  assert.ok(userTransport.protocol === "opaque");
  assert.deepEqual([...userTransport.value], [1, 2, 3, 4, 5]);
});

// ------------------------------------------------------------------------------- §3.8–3.11: policy, handle, element

Deno.test("§3.8: a policy of an unknown type is read with its data, since all have one format", () => {
  const policy = tlv(0x0008, [...u32(0x00abcdef), 1, 2, 3, 4]);

  const read = readElement(transport(0x0004, 5000, 1, IPV4), policy);

  assert.equal(read.policy.type, 0x00abcdef);
});

Deno.test("§3.9: a pool handle is any octets, not text only", () => {
  const poolHandle = Uint8Array.of(0, 0xff, 0x80, 10);

  const read = readAsap(writeAsap({ type: "handleResolution", poolHandle }));

  assert.deepEqual(read, { type: "handleResolution", poolHandle });
});

Deno.test("§3.10: a registration life of -1 is endless", () => {
  const harness = new RegistrarHarness({ keepAliveIntervalMs: 2 ** 40 });
  harness.register(harness.up(), element(1, { registrationLifeMs: -1 }));

  harness.run(86_400_000);

  assert.equal(harness.registrar.handlespace.elementCount, 1);
});

Deno.test("§3.10: a registration life is a number with a sign, of milliseconds as with RSPLIB", () => {
  const octets = message(AsapType.registration, 0, [HANDLE, poolElement(transport(0x0004, 5000, 1, IPV4))]);
  const endless = octets.slice();
  endless.set([0xff, 0xff, 0xff, 0xff], 4 + HANDLE.length + 12);

  const lives = [octets, endless].map((data) => {
    const read = readAsap(data);
    assert.ok(read.type === "registration");
    return read.element.registrationLifeMs;
  });

  // The RFC has seconds; reference/rsplib.md §3.5.
  assert.deepEqual(lives, [90_000, -1]);
});

Deno.test("§3.10: an element has a user transport and a policy", () => {
  const without = [poolElement([]), poolElement(transport(0x0004, 5000, 1, IPV4), [])];

  const reads = without.map((parameter) => () =>
    readAsap(message(AsapType.registration, 0, [HANDLE, parameter]))
  );

  for (const read of reads) assert.throws(read, { reason: "missing-parameter" });
});

Deno.test("§3.10: an element has one user transport only: another one at its place is refused", () => {
  const sctp = transport(0x0004, 5000, 1, IPV4);

  const read = () => readElement([...sctp, ...sctp]);

  assert.throws(read, { reason: "missing-parameter" });
});

Deno.test("§3.10: the ASAP transport is an SCTP transport", () => {
  const sctp = transport(0x0004, 5000, 1, IPV4);

  const read = () => readElement(sctp, POLICY, transport(0x0005, 5000, 0, IPV4));

  assert.equal(readElement(sctp, POLICY, sctp).asapTransport?.protocol, "sctp");
  assert.throws(read, DecodeError);
});

Deno.test("§3.10: the home registrar of an element that has none yet is 0", () => {
  const sctp = transport(0x0004, 5000, 1, IPV4);

  const { homeRegistrarId } = readElement(sctp);

  assert.equal(homeRegistrarId, 0);
});

Deno.test("§3.11: the transport of a registrar is an SCTP transport", () => {
  const information = (transport: number[]) => tlv(0x000b, [...u32(5), ...transport]);
  const announce = (part: number[]) => readAsap(message(AsapType.serverAnnounce, 0, [u32(5), part]));

  const read = () => announce(information(transport(0x0005, 3863, 0, IPV4)));

  assert.ok(announce(information(transport(0x0004, 3863, 0, IPV4))));
  assert.throws(read, DecodeError);
});

// ---------------------------------------------------------------------------------------------- §3.12: error causes

Deno.test("§3.12: an operation error has one or more causes, each padded by itself", () => {
  const causes = [...tlv(1, [...u16(0x4077), ...u16(7), 1, 2, 3]), ...tlv(9, [])];

  const read = readAsap(message(AsapType.error, 0, [tlv(0x000c, causes)]));

  assert.deepEqual(read, { type: "error", error: [cause(1, [0x40, 0x77, 0, 7, 1, 2, 3]), cause(9)] });
});

Deno.test("§3.12: the length of a cause does not count its padding", () => {
  const error = [cause(1, [1, 2, 3, 4, 5]), cause(9)];

  const octets = writeAsap({ type: "error", error });

  assert.deepEqual([...octets.subarray(8)], [...tlv(1, [1, 2, 3, 4, 5]), ...tlv(9, [])]);
});

Deno.test("§3.12.2: several unknown parameters are several causes", () => {
  const [first, second] = [tlv(0xc077, [1]), tlv(0xc078, [2])];

  const { answers } = answersTo([...first, ...second]);

  // A cause quotes a parameter with its length, which does not count the padding.
  const quoted = [first, second].map((parameter) => cause(1, parameter.slice(0, 5)));
  assert.deepEqual(answers[1], { type: "error", error: quoted });
});

Deno.test("§3.12.4: an invalid value is reported with the parameter that has it", () => {
  const invalid = transport(0x0004, 5000, 2, IPV4);

  const read = () => readElement(invalid);

  assert.throws(read, (error) => {
    assert.ok(error instanceof DecodeError);
    assert.deepEqual(errorFor(error), [cause(CauseCode.invalidValues, invalid)]);
    return true;
  });
});

Deno.test("§3.12.4: an element with identifier 0 is refused with its parameter", () => {
  const { error } = refusalOf({}, 0);

  assert.equal(error?.[0]?.code, CauseCode.invalidValues);
  assert.deepEqual([...error[0].data.subarray(0, 2)], [0, 0x0a]);
});

Deno.test("§3.12.5: an identifier that another host's element has is refused, without further information", () => {
  const { error } = refusalOf({}, 1);

  assert.deepEqual(error, [cause(CauseCode.nonUniqueElementId)]);
});

Deno.test("§3.12.6: an inconsistent policy is refused with the pool's policy", () => {
  const { error } = refusalOf({ policy: { name: "LeastUsed", type: 0x40000001, load: 0 } });

  assert.equal(error?.[0]?.code, CauseCode.inconsistentPolicy);
  assert.deepEqual(poolPolicyOf(error), ROUND_ROBIN);
});

Deno.test("§3.12.7: a lack of resources is told without further information", () => {
  const harness = new RegistrarHarness({ maxPools: 1 });
  const association = harness.up();
  harness.register(association, element(1));

  const answer = harness.register(association, element(2), encodeText("Another"));

  assert.ok(answer.type === "registrationResponse");
  assert.deepEqual(answer.error, [cause(CauseCode.lackOfResources)]);
});

Deno.test("§3.12.8: an inconsistent transport type is refused with a transport parameter of the pool", () => {
  const { error } = refusalOf({
    userTransport: { protocol: "udp", port: 1, use: "data", addresses: ["10.1.1.2"] },
  });

  const poolTransport = transport(0x0004, 42976, 1, IPV4);
  assert.deepEqual(error, [cause(CauseCode.inconsistentTransportType, poolTransport)]);
});

Deno.test("§3.12.9: an inconsistent transport use is refused, without further information", () => {
  const { error } = refusalOf({
    userTransport: { protocol: "sctp", port: 1, use: "data", addresses: ["10.1.1.2"] },
  });

  assert.deepEqual(error, [cause(CauseCode.inconsistentDataControl)]);
});

Deno.test("§3.12.11: an unknown pool handle is told without further information", () => {
  const harness = new RegistrarHarness();

  const [answer] = harness.say(harness.up(), { type: "handleResolution", poolHandle: POOL });

  assert.ok(answer?.type === "handleResolutionResponse");
  assert.deepEqual(answer.error, [cause(CauseCode.unknownPoolHandle)]);
});

// ------------------------------------------------------------------------------------- §3.13, 3.14: cookie, identifier

Deno.test("§3.13: a cookie is any octets, of any length", () => {
  const cookies = [[], [1], [1, 2, 3, 4, 5]].map((octets) => Uint8Array.from(octets));

  const read = cookies.map((cookie) => readAsap(writeAsap({ type: "cookie", cookie })));

  assert.deepEqual(read, cookies.map((cookie) => ({ type: "cookie", cookie })));
});

Deno.test("§3.14: a PE identifier has 32 bits without a sign", () => {
  const octets = message(AsapType.deregistration, 0, [HANDLE, tlv(0x000e, u32(0xfffffffe))]);

  const read = readAsap(octets);

  assert.ok(read.type === "deregistration");
  assert.equal(read.elementId, 0xfffffffe);
});

Deno.test("§3.14: a PE identifier of another length is refused", () => {
  const bad = [tlv(0x000e, [1, 2]), tlv(0x000e, [1, 2, 3, 4, 5])];

  const reads = bad.map((id) => () => readAsap(message(AsapType.deregistration, 0, [HANDLE, id])));

  for (const read of reads) assert.throws(read, DecodeError);
});

// --------------------------------------------------------------------------------------------------- §4: messages

Deno.test("§4: an unknown message with action bits 00 is discarded, and nothing is said", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();

  const answers = harness.octets(association, message(0x3f, 0, []));

  assert.deepEqual(answers, []);
  assert.ok(!harness.aborted(association));
});

Deno.test("§4, §3.12.3: an unknown message with action bits 01 is reported, all of it", () => {
  const harness = new RegistrarHarness();
  const octets = message(0x7f, 0x80, [UNKNOWN_VALUE]);

  const answers = harness.octets(harness.up(), octets);

  assert.deepEqual(answers, [{ type: "error", error: [cause(CauseCode.unrecognizedMessage, octets)] }]);
});

Deno.test("§4: message types whose action bits are reserved are discarded, as RSPLIB discards all", () => {
  const harness = new RegistrarHarness();
  const association = harness.up();

  const answers = [0x80, 0xc0, 0xff].flatMap((type) => harness.octets(association, message(type, 0, [])));

  // reference/rsplib.md §3.2
  assert.deepEqual(answers, []);
});

Deno.test("§4: flags that are not defined are ignored", () => {
  const flags = 0xff;

  const read = readAsap(message(AsapType.deregistration, flags, [HANDLE, tlv(0x000e, u32(7))]));

  assert.deepEqual(read, { type: "deregistration", poolHandle: POOL, elementId: 7 });
});

Deno.test("§4: flags that are not defined are sent as zero", () => {
  const messages: AsapMessage[] = [
    { type: "registrationResponse", rejected: true, poolHandle: POOL, elementId: 1 },
    { type: "endpointKeepAlive", home: true, registrarId: 1, poolHandle: POOL },
    { type: "deregistration", poolHandle: POOL, elementId: 1 },
  ];

  const flags = messages.map((sent) => writeAsap(sent)[1]);

  assert.deepEqual(flags, [1, 1, 0]);
});

Deno.test("§4: a message whose length does not count the padding of its end is read", () => {
  const odd = tlv(0x0009, encodeText("abc"));

  const read = readAsap(message(AsapType.handleResolution, 0, [odd], 4 + 7));

  assert.deepEqual(read, { type: "handleResolution", poolHandle: encodeText("abc") });
});

Deno.test("§4: a message is a multiple of four octets; its length counts the padding, as RSPLIB's does", () => {
  const octets = writeAsap({ type: "handleResolution", poolHandle: encodeText("abc") });

  // The RFC does not count it; reference/rsplib.md §3.2 has what is understood.
  assert.equal(octets.length % 4, 0);
  assert.deepEqual([...octets.subarray(2, 4)], u16(octets.length));
});

Deno.test("§4: the padding of a message is ignored", () => {
  const odd = tlv(0x0009, encodeText("abc"), 0xee);

  const read = readAsap(message(AsapType.handleResolution, 0, [odd], 4 + 7));

  assert.deepEqual(read, { type: "handleResolution", poolHandle: encodeText("abc") });
});

Deno.test("§4: a message that says it is shorter than its header, or longer than it is, is refused", () => {
  const lengths = [0, 3, 4 + HANDLE.length + 4];

  const reads = lengths.map((length) => () =>
    readAsap(message(AsapType.handleResolution, 0, [HANDLE], length))
  );

  for (const read of reads) assert.throws(read, DecodeError);
});
