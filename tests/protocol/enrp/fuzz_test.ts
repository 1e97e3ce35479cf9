import assert from "node:assert/strict";
import { describeEnrp } from "../../../protocol/enrp/describe.ts";
import { type EnrpMessage, EnrpType } from "../../../protocol/enrp/message.ts";
import { readEnrp } from "../../../protocol/enrp/read.ts";
import { writeEnrp } from "../../../protocol/enrp/write.ts";
import {
  element,
  messageOf,
  operationError,
  PLAIN,
  poolHandle,
  serverInformation,
  u16,
  u32,
} from "../param/arbitraries.ts";
import { testHostile } from "../param/hostile.ts";
import { fc } from "../../properties.ts";

const ids = { senderId: u32, receiverId: u32 };
const takeover = { ...ids, targetId: u32 };
const pool = fc.record({ poolHandle, elements: fc.array(element, { maxLength: 3 }) }, PLAIN);
const pools = fc.array(pool, { maxLength: 3 });
const servers = fc.array(serverInformation, { maxLength: 4 });
const either = fc.boolean();
const yes = fc.constant(true);
const action = fc.constantFrom("add" as const, "delete" as const);

const anyMessage: fc.Arbitrary<EnrpMessage> = fc.oneof(
  messageOf("presence", { ...ids, replyRequired: either, checksum: u16 }, { serverInformation }),
  messageOf("handleTableRequest", { ...ids, ownChildrenOnly: either }),
  messageOf("handleTableResponse", { ...ids, rejected: either, more: either, pools }),
  messageOf("handleUpdate", { ...ids, action, poolHandle, element }, { takeoverSuggested: yes }),
  messageOf("listRequest", ids),
  messageOf("listResponse", { ...ids, rejected: either, servers }),
  messageOf("initTakeover", takeover),
  messageOf("initTakeoverAck", takeover),
  messageOf("takeoverServer", takeover),
  messageOf("error", { ...ids, error: operationError }),
);

testHostile({ name: "readEnrp", read: readEnrp, write: writeEnrp }, anyMessage);

Deno.test("describeEnrp() gives one printable line for any message", () => {
  const types = new Set<string>();
  fc.assert(
    fc.property(anyMessage, (value) => {
      types.add(value.type);
      assert.match(describeEnrp(value), /^[\x20-\x7e]+$/);
    }),
    { numRuns: 500 },
  );
  assert.equal(types.size, Object.keys(EnrpType).length);
});
