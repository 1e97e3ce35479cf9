import assert from "node:assert/strict";
import { ASAP_ANNOUNCE_GROUP, groupOf } from "../../../cmd/driver/groups.ts";
import type { HostSocket } from "../../../cmd/options.ts";

const group = (chosen: "auto" | "off" | "none" | HostSocket | undefined, addresses: readonly string[] = []) =>
  groupOf("asapannounce", chosen, ASAP_ANNOUNCE_GROUP, () => Promise.resolve(addresses));

Deno.test("groupOf() takes words, addresses and names", async () => {
  assert.deepEqual(await group("auto"), ASAP_ANNOUNCE_GROUP);
  assert.equal(await group("off"), undefined);
  assert.equal(await group("none"), undefined);
  assert.deepEqual(await group({ hosts: ["239.1.1.1"], port: 1 }), { address: "239.1.1.1", port: 1 });
  assert.deepEqual(await group({ hosts: ["lab.example"], port: 1 }, ["FF05::7"]), {
    address: "ff05::7",
    port: 1,
  });
});

Deno.test("groupOf() refuses what is not one multicast group", async () => {
  const refused = { name: "OptionError", message: /^option -asapannounce must be one multicast group/ };
  await assert.rejects(group({ hosts: ["10.1.0.1"], port: 1 }), refused);
  await assert.rejects(group({ hosts: ["239.1.1.1"], port: 0 }), refused);
  await assert.rejects(group({ hosts: ["239.1.1.1", "239.1.1.2"], port: 1 }), refused);
  await assert.rejects(group({ hosts: ["pc1"], port: 1 }, ["10.1.0.1"]), refused);
  await assert.rejects(group({ hosts: ["lab.example"], port: 1 }, ["239.1.1.1", "ff05::7"]), refused);
});
