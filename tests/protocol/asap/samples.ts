import type { AsapMessage } from "../../../protocol/asap/message.ts";
import { encodeText } from "../../../protocol/wire/text.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { fromHex, type Sample } from "../param/codec_checks.ts";

const echoPool = encodeText("EchoPool");
const testPool = encodeText("TestPool");

const element: PoolElement = {
  elementId: 0x11223344,
  homeRegistrarId: 0,
  registrationLifeMs: 90000,
  userTransport: { protocol: "sctp", port: 42976, use: "data+control", addresses: ["10.1.1.1"] },
  policy: { name: "RoundRobin", type: 1 },
};

/** Messages that RSPLIB 3.4.4 was seen to send or to accept. */
export const RSPLIB_SAMPLES: readonly Sample<AsapMessage>[] = [
  {
    name: "an announce",
    hex: "0a000008 c2818128",
    value: { type: "serverAnnounce", registrarId: 0xc2818128 },
  },
  {
    name: "a registration",
    hex:
      `01000038 0009000c 4563686f506f6f6c 000a0028 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101
      00080008 00000001`,
    value: { type: "registration", poolHandle: echoPool, element },
  },
  {
    name: "a registration response",
    hex: "03000018 0009000c 4563686f506f6f6c 000e0008 11223344",
    value: { type: "registrationResponse", rejected: false, poolHandle: echoPool, elementId: 0x11223344 },
  },
  {
    name: "a rejection without cause data",
    hex: "03010020 0009000c 54657374506f6f6c 000e0008 00001002 000c0008 00050004",
    value: {
      type: "registrationResponse",
      rejected: true,
      poolHandle: testPool,
      elementId: 0x1002,
      error: [{ code: 5, data: new Uint8Array() }],
    },
  },
  {
    name: "a deregistration",
    hex: "02000018 0009000c 4563686f506f6f6c 000e0008 11223344",
    value: { type: "deregistration", poolHandle: echoPool, elementId: 0x11223344 },
  },
  {
    name: "a deregistration response",
    hex: "04000018 0009000c 4563686f506f6f6c 000e0008 11223344",
    value: { type: "deregistrationResponse", poolHandle: echoPool, elementId: 0x11223344 },
  },
  {
    name: "a handle resolution",
    hex: "05000018 0009000c 4563686f506f6f6c 803f0008 00000001",
    value: { type: "handleResolution", poolHandle: echoPool, items: 1 },
  },
  {
    name: "a handle resolution with padding",
    hex: "0500001c 0009000f 44617974696d65506f6f6c00 803f0008 00000001",
    value: { type: "handleResolution", poolHandle: encodeText("DaytimePool"), items: 1 },
  },
  {
    name: "a handle resolution response",
    hex:
      `06000040 0009000c 4563686f506f6f6c 00080008 00000001 000a0028 11223344 c2818128 00015f90 00040010 a7e00001
      00010008 0a010101 00080008 00000001`,
    value: {
      type: "handleResolutionResponse",
      poolHandle: echoPool,
      policy: { name: "RoundRobin", type: 1 },
      elements: [{ ...element, homeRegistrarId: 0xc2818128 }],
    },
  },
  {
    name: "a failed handle resolution",
    hex: "06000014 00090008 4e6f7065 000c0008 00090004",
    value: {
      type: "handleResolutionResponse",
      poolHandle: encodeText("Nope"),
      elements: [],
      error: [{ code: 9, data: new Uint8Array() }],
    },
  },
  {
    name: "a keep-alive",
    hex: "0700001c c2818128 0009000c 4563686f506f6f6c 000e0008 11223344",
    value: {
      type: "endpointKeepAlive",
      home: false,
      registrarId: 0xc2818128,
      poolHandle: echoPool,
      elementId: 0x11223344,
    },
  },
  {
    name: "a takeover keep-alive",
    hex: "0701001c 00003333 0009000c 4563686f506f6f6c 000e0008 abcd0001",
    value: {
      type: "endpointKeepAlive",
      home: true,
      registrarId: 0x3333,
      poolHandle: echoPool,
      elementId: 0xabcd0001,
    },
  },
  {
    name: "a keep-alive ack",
    hex: "08000018 0009000c 4563686f506f6f6c 000e0008 11223344",
    value: { type: "endpointKeepAliveAck", poolHandle: echoPool, elementId: 0x11223344 },
  },
  {
    name: "an endpoint unreachable",
    hex: "09000018 0009000c 54657374506f6f6c 000e0008 00001001",
    value: { type: "endpointUnreachable", poolHandle: testPool, elementId: 0x1001 },
  },
  {
    name: "a cookie",
    hex: "0b000018 000d0014 3c50502d5444313e 0000000000000005",
    value: { type: "cookie", cookie: fromHex("3c50502d5444313e 0000000000000005") },
  },
  {
    name: "a cookie echo",
    hex: "0c000018 000d0014 3c50502d5444313e 0000000000000005",
    value: { type: "cookieEcho", cookie: fromHex("3c50502d5444313e 0000000000000005") },
  },
  {
    name: "an error about an unknown parameter",
    hex: "0e000014 000c0010 0001000c 40770008 61626364",
    value: { type: "error", error: [{ code: 1, data: fromHex("40770008 61626364") }] },
  },
  {
    name: "an error about an invalid parameter with padding",
    hex: "0e000014 000c000f 0003000b 00090007 4f6464 00",
    value: { type: "error", error: [{ code: 3, data: fromHex("00090007 4f6464") }] },
  },
];

/** Messages of RFC 5352 that RSPLIB does not send. */
export const RFC_SAMPLES: readonly Sample<AsapMessage>[] = [
  {
    name: "a keep-alive without RSPLIB's PE identifier",
    hex: "07000014 c2818128 0009000c 4563686f506f6f6c",
    value: { type: "endpointKeepAlive", home: false, registrarId: 0xc2818128, poolHandle: echoPool },
  },
  {
    name: "a handle resolution with S bit and no option",
    hex: "05010010 0009000c 4563686f506f6f6c",
    value: { type: "handleResolution", subscribe: true, poolHandle: echoPool },
  },
  {
    name: "an update of a subscribed pool without a policy",
    hex:
      `06010038 0009000c 4563686f506f6f6c 000a0028 11223344 00000000 00015f90 00040010 a7e00001 00010008 0a010101
      00080008 00000001`,
    value: {
      type: "handleResolutionResponse",
      acceptUpdates: true,
      poolHandle: echoPool,
      elements: [element],
    },
  },
  {
    name: "a rejection with the pool's policy",
    hex: "03010028 0009000c 54657374506f6f6c 000e0008 00001002 000c0010 0005000c 00080008 00000001",
    value: {
      type: "registrationResponse",
      rejected: true,
      poolHandle: testPool,
      elementId: 0x1002,
      error: [{ code: 5, data: fromHex("00080008 00000001") }],
    },
  },
  {
    name: "a deregistration response with an error",
    hex: "04000020 0009000c 4563686f506f6f6c 000e0008 11223344 000c0008 00090004",
    value: {
      type: "deregistrationResponse",
      poolHandle: echoPool,
      elementId: 0x11223344,
      error: [{ code: 9, data: new Uint8Array() }],
    },
  },
  {
    name: "an announce with transports and server information",
    hex: `0a000054 c2818128 00040024 0f170001 00010008 0a010101 00020014 fd010000000000000000000000000001
      000b0028 c2818128 00040020 0f170000 00010008 0a010101 00010008 0a020101 00010008 0a030101`,
    value: {
      type: "serverAnnounce",
      registrarId: 0xc2818128,
      transports: [{ protocol: "sctp", port: 3863, use: "data+control", addresses: ["10.1.1.1", "fd01::1"] }],
      serverInformation: {
        registrarId: 0xc2818128,
        transport: {
          protocol: "sctp",
          port: 3863,
          use: "data",
          addresses: ["10.1.1.1", "10.2.1.1", "10.3.1.1"],
        },
      },
    },
  },
  {
    name: "a business card",
    hex:
      `0d000040 0009000c 4563686f506f6f6c 00080008 00000001 000a0028 11223344 00000000 00015f90 00040010 a7e00001
      00010008 0a010101 00080008 00000001`,
    value: {
      type: "businessCard",
      poolHandle: echoPool,
      policy: { name: "RoundRobin", type: 1 },
      elements: [element],
    },
  },
  {
    name: "a cookie with padding",
    hex: "0b00000c 000d0007 61626300",
    value: { type: "cookie", cookie: fromHex("616263") },
  },
  {
    name: "an error with two causes",
    hex: "0e000020 000c001b 0001000b 407a0007 616263 00 0009000b 00090007 4f6464 00",
    value: {
      type: "error",
      error: [{ code: 1, data: fromHex("407a0007 616263") }, { code: 9, data: fromHex("00090007 4f6464") }],
    },
  },
];
