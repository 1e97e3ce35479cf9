import assert from "node:assert/strict";
import { writeFractalCookie } from "../../protocol/app/fractal/cookie.ts";
import { type FractalParameter, writeFractal } from "../../protocol/app/fractal/messages.ts";
import { AsapType } from "../../protocol/asap/message.ts";
import { writeAsap } from "../../protocol/asap/write.ts";
import { EnrpType } from "../../protocol/enrp/message.ts";
import { writeEnrp } from "../../protocol/enrp/write.ts";
import { Ppid } from "../../protocol/net.ts";
import type { TransportParameter } from "../../protocol/param/transport.ts";
import { encodeText } from "../../protocol/wire/text.ts";
import { type MessageToWrite, readPcap, sctpDataChunks, sctpMessages, writePcap } from "../pcap.ts";
import * as asap from "../protocol/asap/samples.ts";
import * as enrp from "../protocol/enrp/samples.ts";
import { POLICIES } from "../protocol/param/policies.ts";
import { tshark } from "./tshark.ts";

const poolHandle = encodeText("EchoPool");
const sctp: TransportParameter = {
  protocol: "sctp",
  port: 4711,
  use: "data+control",
  addresses: ["10.1.0.1", "fd01::1"],
};

/** One of each protocol, the SCTP one without "control". */
const TRANSPORTS: readonly TransportParameter[] = [
  { ...sctp, use: "data" },
  { protocol: "tcp", port: 4711, use: "data", addresses: ["10.1.0.1"] },
  { protocol: "udp", port: 4711, use: "data", addresses: ["fd01::1"] },
  { protocol: "udp-lite", port: 4711, use: "data", addresses: ["10.1.0.1"] },
  { protocol: "dccp", port: 4711, use: "data", serviceCode: 0x12345678, addresses: ["10.1.0.1"] },
];

/** RSPLIB's rejection, which tshark calls malformed with good reason: the cause lacks the pool's policy. */
const WITHOUT_CAUSE_DATA = "a rejection without cause data";

const element = { elementId: 1, homeRegistrarId: 2, registrationLifeMs: 90000 };
const parameter: FractalParameter = {
  type: "parameter",
  width: 200,
  height: 100,
  maxIterations: 1000,
  algorithm: 2,
  c1Real: -1.5,
  c1Imag: 1.5,
  c2Real: 1.5,
  c2Imag: -1.5,
  n: 1234,
};

const asapMessages: Uint8Array[] = [
  ...[...asap.RSPLIB_SAMPLES, ...asap.RFC_SAMPLES].filter(({ name }) => name !== WITHOUT_CAUSE_DATA)
    .map(({ value }) => writeAsap(value)),
  ...POLICIES.map((policy) =>
    writeAsap({ type: "registration", poolHandle, element: { ...element, userTransport: sctp, policy } })
  ),
  ...TRANSPORTS.map((userTransport) =>
    writeAsap({
      type: "registration",
      poolHandle,
      element: { ...element, userTransport, policy: { name: "RoundRobin", type: 1 } },
    })
  ),
  writeAsap({ type: "cookie", cookie: writeFractalCookie({ parameter, currentX: 17, currentY: 4 }) }),
];
const enrpMessages = [...enrp.RSPLIB_SAMPLES, ...enrp.RFC_SAMPLES].map(({ value }) => writeEnrp(value));
const fractalMessages = [
  writeFractal(parameter),
  writeFractal({ type: "data", startX: 0, startY: 0, values: new Uint32Array(324).fill(1000) }),
  writeFractal({ type: "end" }),
];

const MESSAGES: readonly MessageToWrite[] = [
  ...asapMessages.map((data) => ({ ppid: Ppid.asap, data })),
  ...enrpMessages.map((data) => ({ ppid: Ppid.enrp, data })),
  ...fractalMessages.map((data) => ({ ppid: Ppid.fractalGenerator, data })),
  { udpPort: 3863, data: writeAsap({ type: "serverAnnounce", registrarId: 0xc2818128 }) },
  { udpPort: 9901, data: writeEnrp(enrp.RSPLIB_SAMPLES[0]!.value) },
];

/** What is wrong with a packet, in tshark's eyes. */
const WRONG = '_ws.malformed or _ws.expert.severity >= "Warning" or sctp.checksum.status == "Bad"';

/** Runs a test on a capture of messages. */
async function withCapture(octets: Uint8Array, check: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, octets);
    await check(path);
  } finally {
    await Deno.remove(path);
  }
}

function wrongFrames(path: string): Promise<string[]> {
  return tshark(path, "-o", "sctp.checksum:CRC 32c", "-Y", WRONG, "-T", "fields", "-e", "frame.number");
}

Deno.test("tshark finds nothing wrong in one of each of our messages", () =>
  withCapture(writePcap(MESSAGES), async (path) => {
    assert.deepEqual(await wrongFrames(path), []);

    const fields = ["asap.message_type", "enrp.message_type", "fractalgeneratorprotocol.message_type"];
    const lines = await tshark(path, "-T", "fields", ...fields.flatMap((field) => ["-e", field]));
    const columns = lines.map((line) => line.split("\t"));
    const types = fields.map((_, i) =>
      new Set(columns.map((column) => column[i]!).filter((text) => text !== "").map(Number))
    );
    assert.deepEqual(types, [
      new Set(Object.values(AsapType)),
      new Set(Object.values(EnrpType)),
      new Set([1, 2]),
    ]);
  }));

Deno.test("tshark finds a wrong checksum and RSPLIB's rejection without the pool's policy", () => {
  const rejection = asap.RSPLIB_SAMPLES.find(({ name }) => name === WITHOUT_CAUSE_DATA);
  assert.ok(rejection !== undefined);
  const data = writeAsap(rejection.value);
  const file = writePcap([MESSAGES[0]!, { ppid: Ppid.asap, data }, MESSAGES[1]!]);
  file[file.length - 1]! ^= 1;
  return withCapture(file, async (path) => assert.deepEqual(await wrongFrames(path), ["2", "3"]));
});

Deno.test("what writePcap() writes, readPcap() reads", () => {
  const messages = sctpMessages(sctpDataChunks(readPcap(writePcap(MESSAGES))));
  assert.deepEqual(
    messages.map(({ ppid, data }) => ({ ppid, data })),
    MESSAGES.filter((message) => "ppid" in message),
  );
});
