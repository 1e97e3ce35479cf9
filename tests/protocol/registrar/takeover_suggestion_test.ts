import assert from "node:assert/strict";
import { Peer } from "../../../protocol/registrar/peer_list.ts";
import { betterHome } from "../../../protocol/registrar/takeover_suggestion.ts";

function peers(...registrarIds: number[]): Peer[] {
  return registrarIds.map((id) => new Peer(id, ["10.1.0.1"], 9901, false));
}

Deno.test("betterHome() is the registrar whose ID is farthest from the element's, by exclusive or", () => {
  assert.equal(betterHome(0x0f, 0x0e, peers(0x0d, 0xf0, 0x70))?.registrarId, 0xf0);
  assert.equal(betterHome(0x0f, 0xf0, peers(0x0d, 0x70)), undefined, "nobody is better than we are");
  assert.equal(betterHome(0x0f, 0xf0, []), undefined);
});

Deno.test("betterHome() takes IDs as unsigned, and no peer without an ID", () => {
  assert.equal(betterHome(1, 0x7fffffff, peers(0x80000000))?.registrarId, 0x80000000);
  assert.equal(betterHome(0x80000001, 0x80000000, peers(0)), undefined);
});

Deno.test("betterHome() is the same for all registrars, so that no element wanders", () => {
  const ids = [0xc2818128, 0x1, 0x7fffffff, 0x80000000, 0xffffffff, 0x1234];
  for (let elementId = 1; elementId < 0xffff_0000; elementId += 0x0123_4567) {
    const homes = ids.map((id) =>
      betterHome(elementId, id, peers(...ids.filter((other) => other !== id))) ?? id
    );
    const chosen = new Set(homes.map((home) => typeof home === "number" ? home : home.registrarId));
    assert.equal(chosen.size, 1);
  }
});
