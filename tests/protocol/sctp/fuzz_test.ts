/** A small part of what scripts/fuzz does by the million. */
import assert from "node:assert/strict";
import { SERVER_PORT } from "./harness.ts";
import { cookieEchoChunk, FakePeer } from "./packets.ts";
import { blindCampaign, initFlood, tagCampaign } from "./fuzz.ts";
import {
  blindHandshakeCampaign,
  icmpCampaign,
  replayCampaign,
  stallCampaign,
  tagHandshakeCampaign,
} from "./fuzz_attempts.ts";

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

Deno.test("packets without the right tag change nothing of an association in mid-life", () => {
  for (const seed of SEEDS) assert.equal(blindCampaign(seed, 1000).associations, 1);
});

Deno.test("mutated packets with the right tag never break the stack, and leave nothing behind", () => {
  for (const seed of SEEDS) assert.ok(tagCampaign(seed, 1000).associations >= 1);
});

Deno.test("a flood of INITs leaves nothing behind", () => {
  assert.equal(initFlood(1, 2000).packets, 2000);
});

Deno.test("packets without the right tag do not disturb a handshake", () => {
  for (const seed of SEEDS) assert.ok(blindHandshakeCampaign(seed, 1000).associations >= 1);
});

Deno.test("mutated packets with the right tag in a handshake never break the stack, and leave nothing behind", () => {
  for (const seed of SEEDS) assert.ok(tagHandshakeCampaign(seed, 1000).associations >= 1);
});

Deno.test("ICMP messages that do not quote the right tag change nothing", () => {
  for (const seed of SEEDS) assert.equal(icmpCampaign(seed, 1000).packets, 1000);
});

Deno.test("packets of a former association change nothing of the next one", () => {
  for (const seed of SEEDS) assert.equal(replayCampaign(seed, 500).packets, 500);
});

Deno.test("nobody without the tag makes a transfer stall", () => {
  for (const seed of SEEDS) assert.equal(stallCampaign(seed, 1000).packets, 1000);
});

Deno.test("a cookie with any one bit changed makes no association", () => {
  const peer = new FakePeer();
  const { cookie } = peer.initAck();
  const forged = cookie!.slice();

  for (let bit = 0; bit < 8 * forged.length; bit++) {
    forged[bit >> 3]! ^= 1 << (bit & 7);
    assert.deepEqual(peer.send(peer.serverTag, [cookieEchoChunk(forged)]), [], `bit ${bit}`);
    forged[bit >> 3]! ^= 1 << (bit & 7);
  }

  assert.deepEqual(peer.events, []);
  assert.equal(peer.server.stack.counters.badCookies, 8 * forged.length);
  peer.send(peer.serverTag, [cookieEchoChunk(forged)]);
  assert.deepEqual(peer.events, ["up"]);
});

Deno.test("a cookie that is replayed past its life makes no association", () => {
  const peer = new FakePeer({ port: SERVER_PORT, listen: true, cookieLifeMs: 1000 });
  const { cookie } = peer.initAck();

  peer.wait(1001);
  peer.send(peer.serverTag, [cookieEchoChunk(cookie!)]);

  assert.deepEqual(peer.events, []);
});
