import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import { handlespaceCountsOf, poolOf, sessionCountOf } from "../../../protocol/csp/status_text.ts";
import { reportOf } from "./components.ts";

const REGISTRAR = componentId(ComponentGroup.registrar, 1), USER = componentId(ComponentGroup.user, 1);

for (
  const [status, sessions, pool] of [
    ["0 Sessions", 0, undefined],
    ["1 Session", 1, undefined],
    ["12 Sessions in EchoPool", 12, "EchoPool"],
    ["1 Session in a \\x00 in b", 1, "a \\x00 in b"],
    ["Looking for Registrar ...", undefined, undefined],
    ["9999999 Sessions", undefined, undefined],
    ["1 Session in ", undefined, undefined],
    ["-1 Sessions", undefined, undefined],
  ] as const
) {
  Deno.test(`an element that says ${JSON.stringify(status)} has ${sessions} sessions in ${pool}`, () => {
    assert.equal(sessionCountOf(reportOf({ status })), sessions);
    assert.equal(poolOf(reportOf({ status })), pool);
  });
}

Deno.test("sessionCountOf() counts the associations of a user with elements, whatever it says", () => {
  const to = (receiver: bigint) => ({ receiver, durationUs: undefined, protocol: 132, ppid: 0 });
  const associations = [to(REGISTRAR), to(reportOf().sender), to(reportOf().sender)];
  assert.equal(sessionCountOf(reportOf({ sender: USER, status: "7 Sessions", associations })), 2);
  assert.equal(poolOf(reportOf({ sender: USER, status: "7 Sessions in EchoPool" })), undefined);
  assert.equal(sessionCountOf(reportOf({ sender: REGISTRAR, status: "1 Session" })), undefined);
});

Deno.test("handlespaceCountsOf() understands what registrars say", () => {
  const of = (status: string, sender = REGISTRAR) => handlespaceCountsOf(reportOf({ sender, status }));
  assert.deepEqual(of("3[2] PEs in 1 Pool, 1 Peer"), { elements: 3, ownElements: 2, pools: 1, peers: 1 });
  assert.deepEqual(of("1[1] PEs in 3 Pools, 0 Peers"), { elements: 1, ownElements: 1, pools: 3, peers: 0 });
  assert.equal(of("1[1] PEs in 3 Pools"), undefined);
  assert.equal(of("3[2] PEs in 1 Pool, 1 Peer", USER), undefined);
});
