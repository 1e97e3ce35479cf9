import assert from "node:assert/strict";
import { LocalAddresses } from "../../../protocol/sctp/local_addresses.ts";

Deno.test("LocalAddresses keeps the sources that the peer knows until it has answered for new ones", () => {
  const local = new LocalAddresses(["10.1.0.1"]);
  local.deleting.add("10.1.0.1");
  local.adding.add("10.1.0.2");
  assert.deepEqual(local.sources, ["10.1.0.1"]);
});

Deno.test("LocalAddresses lets any source do when all go and none can be told: behind a NAT it may look like the old one", () => {
  const local = new LocalAddresses(["10.1.0.1"]);
  local.deleting.add("10.1.0.1");
  assert.deepEqual(local.sources, []);
});
