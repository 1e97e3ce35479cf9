import assert from "node:assert/strict";
import type { RegistrarOptions } from "../../../protocol/registrar/mod.ts";
import { RSPLIB_TIMES, settingsOf } from "../../../protocol/registrar/presets.ts";

const OWN = { registrarId: 1, seed: 2 };

Deno.test("settingsOf() fills in what is not said, or said to be undefined", () => {
  const open = Object.fromEntries(Object.keys(settingsOf(OWN)).map((name) => [name, undefined]));

  const settings = settingsOf({ ...open, ...OWN } as RegistrarOptions);

  assert.deepEqual(settings, settingsOf(OWN));
  assert.equal(settings.mentorDiscoveryTimeoutMs, RSPLIB_TIMES.mentorDiscoveryTimeoutMs);
});

Deno.test("settingsOf() lets one host have half of all associations unless said otherwise", () => {
  assert.equal(settingsOf({ ...OWN, maxAssociations: 50 }).maxAssociationsPerHost, 25);
  assert.equal(settingsOf({ ...OWN, maxAssociations: 1 }).maxAssociationsPerHost, 1);
  assert.equal(
    settingsOf({ ...OWN, maxAssociations: 50, maxAssociationsPerHost: 40 }).maxAssociationsPerHost,
    40,
  );
});
