import assert from "node:assert/strict";
import { nearest } from "../../cmd/nearest.ts";

Deno.test("nearest() suggests what was meant, and nothing else", () => {
  assert.equal(nearest("poolhandel", ["poolhandle", "policy"]), "poolhandle");
  assert.equal(nearest("asap", ["asapannounce", "enrp"]), "asapannounce");
  assert.equal(nearest("banana", ["poolhandle", "policy"]), undefined);
});
