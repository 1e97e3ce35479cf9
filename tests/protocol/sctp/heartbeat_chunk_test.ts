import assert from "node:assert/strict";
import { answersHeartbeat, makeHeartbeat, makeNonce } from "../../../protocol/sctp/heartbeat_chunk.ts";

const nonce = makeNonce((octets) => octets.forEach((_, i) => octets[i] = i + 1));

Deno.test("makeHeartbeat() writes the nonce as heartbeat information", () => {
  const octets = [4, 0, 0, 20, 0, 1, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  assert.deepEqual([...makeHeartbeat(nonce)], octets);
});

Deno.test("answersHeartbeat() takes the nonce that was sent, and nothing else", () => {
  const answer = makeHeartbeat(nonce);
  answer[0] = 5;
  assert.equal(answersHeartbeat(answer, nonce), true);
  assert.equal(answersHeartbeat(answer, undefined), false);
  for (let length = 0; length < answer.length; length++) {
    assert.equal(answersHeartbeat(answer.subarray(0, length), nonce), false);
  }
  for (let at = 4; at < answer.length; at++) {
    if (at === 6 || at === 7) continue; // the length was checked by who has cut the chunk
    const other = answer.slice();
    other[at]! ^= 1;
    assert.equal(answersHeartbeat(other, nonce), false);
  }
});
