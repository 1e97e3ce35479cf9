import type { EnrpMessage } from "../../../protocol/enrp/message.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText } from "../../../protocol/wire/text.ts";
import type { Sample } from "../param/codec_checks.ts";

const echoPool = encodeText("EchoPool");

const echoElement: PoolElement = {
  elementId: 0x11223344,
  homeRegistrarId: 0xc2818128,
  registrationLifeMs: 90000,
  userTransport: { protocol: "sctp", port: 42976, use: "data+control", addresses: ["10.1.1.1"] },
  policy: { name: "RoundRobin", type: 1 },
  asapTransport: { protocol: "sctp", port: 44257, use: "data", addresses: ["10.1.1.1"] },
};

/** Messages that RSPLIB 3.4.4 was seen to send or to accept. */
export const RSPLIB_SAMPLES: readonly Sample<EnrpMessage>[] = [
  {
    name: "a presence by multicast",
    hex: `0100005c c2818128 00000000 000f0006 ffff0000 000b0048 c2818128 00040040 2f800000 00010008 7f000001
      00020014 00000000000000000000000000000001 00010008 0a010101 00020014 fe80000000000000d0b086fffe36b01d`,
    value: {
      type: "presence",
      senderId: 0xc2818128,
      receiverId: 0,
      replyRequired: false,
      checksum: 0xffff,
      serverInformation: {
        registrarId: 0xc2818128,
        transport: {
          protocol: "sctp",
          port: 12160,
          use: "data",
          addresses: ["127.0.0.1", "::1", "10.1.1.1", "fe80::d0b0:86ff:fe36:b01d"],
        },
      },
    },
  },
  {
    name: "a presence on an association",
    hex: "0101002c 00003333 00001111 000f0006 ffff0000 000b0018 00003333 00040010 138b0000 00010008 0a010101",
    value: {
      type: "presence",
      senderId: 0x3333,
      receiverId: 0x1111,
      replyRequired: true,
      checksum: 0xffff,
      serverInformation: {
        registrarId: 0x3333,
        transport: { protocol: "sctp", port: 5003, use: "data", addresses: ["10.1.1.1"] },
      },
    },
  },
  {
    name: "a list request",
    hex: "0500000c c2818128 e7bbf4ba",
    value: { type: "listRequest", senderId: 0xc2818128, receiverId: 0xe7bbf4ba },
  },
  {
    name: "a list response",
    hex: "06000024 c2818128 e7bbf4ba 000b0018 e7bbf4ba 00040010 cc1e0000 00010008 0a010101",
    value: {
      type: "listResponse",
      senderId: 0xc2818128,
      receiverId: 0xe7bbf4ba,
      rejected: false,
      servers: [{
        registrarId: 0xe7bbf4ba,
        transport: { protocol: "sctp", port: 52254, use: "data", addresses: ["10.1.1.1"] },
      }],
    },
  },
  {
    name: "an empty list response",
    hex: "0600000c c2818128 e7bbf4ba",
    value: {
      type: "listResponse",
      senderId: 0xc2818128,
      receiverId: 0xe7bbf4ba,
      rejected: false,
      servers: [],
    },
  },
  {
    name: "a handle table request for all",
    hex: "0200000c 00003333 00001111",
    value: { type: "handleTableRequest", senderId: 0x3333, receiverId: 0x1111, ownChildrenOnly: false },
  },
  {
    name: "a handle table request for own children",
    hex: "0201000c 00002222 00003333",
    value: { type: "handleTableRequest", senderId: 0x2222, receiverId: 0x3333, ownChildrenOnly: true },
  },
  {
    name: "a handle table response",
    hex:
      `03000050 c2818128 e7bbf4ba 0009000c 4563686f506f6f6c 000a0038 11223344 c2818128 00015f90 00040010 a7e00001
      00010008 0a010101 00080008 00000001 00040010 ace10000 00010008 0a010101`,
    value: {
      type: "handleTableResponse",
      senderId: 0xc2818128,
      receiverId: 0xe7bbf4ba,
      rejected: false,
      more: false,
      pools: [{ poolHandle: echoPool, elements: [echoElement] }],
    },
  },
  {
    name: "a rejected handle table response",
    hex: "0301000c 00001111 00000077",
    value: {
      type: "handleTableResponse",
      senderId: 0x1111,
      receiverId: 0x77,
      rejected: true,
      more: false,
      pools: [],
    },
  },
  {
    name: "a handle update that deletes",
    hex:
      `0400005c 00001111 00002222 00010000 0009000c 4563686f506f6f6c 000a0040 abcd0001 00001111 00015f90 00040010
      90cc0001 00010008 0a010101 00080010 40000002 00000000 1999999a 00040010 cfab0000 00010008 0a010101`,
    value: {
      type: "handleUpdate",
      senderId: 0x1111,
      receiverId: 0x2222,
      action: "delete",
      poolHandle: echoPool,
      element: {
        elementId: 0xabcd0001,
        homeRegistrarId: 0x1111,
        registrationLifeMs: 90000,
        userTransport: { protocol: "sctp", port: 37068, use: "data+control", addresses: ["10.1.1.1"] },
        policy: { name: "LeastUsedDegradation", type: 0x40000002, load: 0, loadDegradation: 0x1999999a },
        asapTransport: { protocol: "sctp", port: 53163, use: "data", addresses: ["10.1.1.1"] },
      },
    },
  },
  {
    name: "an init takeover",
    hex: "07000010 00002222 00003333 00001111",
    value: { type: "initTakeover", senderId: 0x2222, receiverId: 0x3333, targetId: 0x1111 },
  },
  {
    name: "an init takeover ack",
    hex: "08000010 00003333 00002222 00001111",
    value: { type: "initTakeoverAck", senderId: 0x3333, receiverId: 0x2222, targetId: 0x1111 },
  },
];

/** Messages of RFC 5353 and of the takeover draft that RSPLIB was not seen to send. */
export const RFC_SAMPLES: readonly Sample<EnrpMessage>[] = [
  {
    name: "a presence without server information",
    hex: "01000014 00003333 00001111 000f0006 13e60000",
    value: { type: "presence", senderId: 0x3333, receiverId: 0x1111, replyRequired: false, checksum: 0x13e6 },
  },
  {
    name: "a handle table response with two pools and more to come",
    hex:
      `03020084 c2818128 e7bbf4ba 0009000c 4563686f506f6f6c 000a0038 11223344 c2818128 00015f90 00040010 a7e00001
      00010008 0a010101 00080008 00000001 00040010 ace10000 00010008 0a010101
      0009000c 4563686f506f6f6d 000a0028 11223344 c2818128 00015f90 00040010 a7e00001 00010008 0a010101
      00080008 00000001`,
    value: {
      type: "handleTableResponse",
      senderId: 0xc2818128,
      receiverId: 0xe7bbf4ba,
      rejected: false,
      more: true,
      pools: [
        { poolHandle: echoPool, elements: [echoElement] },
        {
          poolHandle: encodeText("EchoPoom"),
          elements: [{
            elementId: 0x11223344,
            homeRegistrarId: 0xc2818128,
            registrationLifeMs: 90000,
            userTransport: echoElement.userTransport,
            policy: echoElement.policy,
          }],
        },
      ],
    },
  },
  {
    name: "a handle update that adds and suggests a takeover",
    hex:
      `04010054 00001111 00002222 00000000 0009000c 4563686f506f6f6c 000a0038 11223344 c2818128 00015f90 00040010
      a7e00001 00010008 0a010101 00080008 00000001 00040010 ace10000 00010008 0a010101`,
    value: {
      type: "handleUpdate",
      senderId: 0x1111,
      receiverId: 0x2222,
      action: "add",
      takeoverSuggested: true,
      poolHandle: echoPool,
      element: echoElement,
    },
  },
  {
    name: "a rejected list response",
    hex: "0601000c c2818128 e7bbf4ba",
    value: {
      type: "listResponse",
      senderId: 0xc2818128,
      receiverId: 0xe7bbf4ba,
      rejected: true,
      servers: [],
    },
  },
  {
    name: "a takeover server",
    hex: "09000010 00002222 00003333 00001111",
    value: { type: "takeoverServer", senderId: 0x2222, receiverId: 0x3333, targetId: 0x1111 },
  },
  {
    name: "an error",
    hex: "0a000014 00002222 00003333 000c0008 00100004",
    value: {
      type: "error",
      senderId: 0x2222,
      receiverId: 0x3333,
      error: [{ code: 0x10, data: new Uint8Array() }],
    },
  },
];
