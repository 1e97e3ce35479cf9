import assert from "node:assert/strict";
import { describeAsap } from "../../../protocol/asap/describe.ts";
import { RFC_SAMPLES, RSPLIB_SAMPLES } from "./samples.ts";

/** What people read, by the name of the sample. */
const TEXTS: Readonly<Record<string, string>> = {
  "an announce": "Server Announce of registrar $c2818128",
  "a registration":
    "Registration in EchoPool: element $11223344 at sctp 10.1.1.1:42976 (data+control), RoundRobin, life 90000 ms",
  "a registration response": "Registration Response for EchoPool, element $11223344: accepted",
  "a rejection without cause data":
    "Registration Response for TestPool, element $00001002: rejected: inconsistent policy (0x5)",
  "a deregistration": "Deregistration from EchoPool, element $11223344",
  "a deregistration response": "Deregistration Response for EchoPool, element $11223344",
  "a handle resolution": "Handle Resolution of EchoPool, 1 item",
  "a handle resolution response": "Handle Resolution Response for EchoPool: RoundRobin, 1 element $11223344",
  "a failed handle resolution": "Handle Resolution Response for Nope: unknown pool handle (0x9)",
  "a keep-alive": "Endpoint Keep-Alive of EchoPool, element $11223344, from registrar $c2818128",
  "a takeover keep-alive":
    "Endpoint Keep-Alive of EchoPool, element $abcd0001, from new home registrar $00003333",
  "an endpoint unreachable": "Endpoint Unreachable: TestPool, element $00001001",
  "a cookie": "Cookie of 16 octets",
  "an error about an unknown parameter": "Error: unrecognized parameter (0x1)",
  "a business card": "Business Card: EchoPool: RoundRobin, 1 element $11223344",
  "an announce with transports and server information":
    "Server Announce of registrar $c2818128, sctp 10.1.1.1:3863, [fd01::1]:3863 (data+control), " +
    "registrar $c2818128 at sctp 10.1.1.1:3863, 10.2.1.1:3863, 10.3.1.1:3863 (data)",
};

const samples = [...RSPLIB_SAMPLES, ...RFC_SAMPLES];
for (const [name, text] of Object.entries(TEXTS)) {
  Deno.test(`describeAsap() puts ${name} into words`, () => {
    const sample = samples.find((each) => each.name === name);
    assert.ok(sample !== undefined);
    assert.equal(describeAsap(sample.value), text);
  });
}
