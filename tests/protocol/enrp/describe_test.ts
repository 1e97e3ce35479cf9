import assert from "node:assert/strict";
import { describeEnrp } from "../../../protocol/enrp/describe.ts";
import { RFC_SAMPLES, RSPLIB_SAMPLES } from "./samples.ts";

/** What people read, by the name of the sample. */
const TEXTS: Readonly<Record<string, string>> = {
  "a presence on an association":
    "Presence from $00003333 to $00001111, checksum 0xffff, registrar $00003333 at sctp 10.1.1.1:5003 (data), reply required",
  "a presence without server information": "Presence from $00003333 to $00001111, checksum 0x13e6",
  "a list request": "List Request from $c2818128 to $e7bbf4ba",
  "an empty list response": "List Response from $c2818128 to $e7bbf4ba: no peers",
  "a list response":
    "List Response from $c2818128 to $e7bbf4ba: registrar $e7bbf4ba at sctp 10.1.1.1:52254 (data)",
  "a handle table request for own children":
    "Handle Table Request from $00002222 to $00003333, own children only",
  "a handle table response with two pools and more to come":
    "Handle Table Response from $c2818128 to $e7bbf4ba: 2 pools EchoPool (1) EchoPoom (1), more to come",
  "a rejected handle table response": "Handle Table Response from $00001111 to $00000077: rejected",
  "a handle update that deletes":
    "Handle Update from $00001111 to $00002222: delete in EchoPool element $abcd0001 at sctp 10.1.1.1:37068 " +
    "(data+control), LeastUsedDegradation (load 0.0%, loadDegradation 10.0%)",
  "an init takeover": "Init Takeover from $00002222 to $00003333, target $00001111",
  "an error": "Error from $00002222 to $00003333: invalid message (0x10)",
};

const samples = [...RSPLIB_SAMPLES, ...RFC_SAMPLES];
for (const [name, text] of Object.entries(TEXTS)) {
  Deno.test(`describeEnrp() puts ${name} into words`, () => {
    const sample = samples.find((each) => each.name === name);
    assert.ok(sample !== undefined);
    assert.equal(describeEnrp(sample.value), text);
  });
}
