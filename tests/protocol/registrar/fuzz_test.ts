import assert from "node:assert/strict";
import { registrarCampaign } from "./fuzz.ts";

Deno.test("Registrar survives users, elements and registrars that say anything", () => {
  let elements = 0, peers = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const report = registrarCampaign(seed, 1500);
    elements += report.elements;
    peers += report.peers;
  }
  assert.ok(elements > 0 && peers > 0, "the fuzz reaches beyond the readers");
});
