import assert from "node:assert/strict";
import { type AsapMessage, AsapType } from "../../../protocol/asap/message.ts";
import { describeAsap } from "../../../protocol/asap/describe.ts";
import { readAsap } from "../../../protocol/asap/read.ts";
import { writeAsap } from "../../../protocol/asap/write.ts";
import {
  element,
  messageOf,
  octets,
  operationError,
  policy,
  poolHandle,
  serverInformation,
  transport,
  u32,
} from "../param/arbitraries.ts";
import { testHostile } from "../param/hostile.ts";
import { fc } from "../../properties.ts";

const elements = fc.array(element, { maxLength: 4 });
const yes = fc.constant(true);

const anyMessage: fc.Arbitrary<AsapMessage> = fc.oneof(
  messageOf("registration", { poolHandle, element }),
  messageOf("deregistration", { poolHandle, elementId: u32 }),
  messageOf("registrationResponse", { rejected: fc.boolean(), poolHandle, elementId: u32 }, {
    error: operationError,
  }),
  messageOf("deregistrationResponse", { poolHandle, elementId: u32 }, { error: operationError }),
  messageOf("handleResolution", { poolHandle }, { subscribe: yes, items: u32 }),
  messageOf("handleResolutionResponse", { poolHandle, elements }, {
    acceptUpdates: yes,
    policy,
    error: operationError,
  }),
  messageOf("endpointKeepAlive", { home: fc.boolean(), registrarId: u32, poolHandle }, { elementId: u32 }),
  messageOf("endpointKeepAliveAck", { poolHandle, elementId: u32 }),
  messageOf("endpointUnreachable", { poolHandle, elementId: u32 }),
  messageOf("serverAnnounce", { registrarId: u32 }, {
    transports: fc.array(transport, { minLength: 1, maxLength: 3 }),
    serverInformation,
  }),
  messageOf("cookie", { cookie: octets }),
  messageOf("cookieEcho", { cookie: octets }),
  messageOf("businessCard", { poolHandle, elements }, { policy }),
  messageOf("error", { error: operationError }),
);

testHostile({ name: "readAsap", read: readAsap, write: writeAsap }, anyMessage);

Deno.test("describeAsap() gives one printable line for any message", () => {
  const types = new Set<string>();
  fc.assert(
    fc.property(anyMessage, (value) => {
      types.add(value.type);
      assert.match(describeAsap(value), /^[\x20-\x7e]+$/);
    }),
    { numRuns: 500 },
  );
  assert.equal(types.size, Object.keys(AsapType).length);
});
