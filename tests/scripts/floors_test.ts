import assert from "node:assert/strict";
import { floorViolations } from "../../scripts/floors.ts";

Deno.test("floorViolations() lets imports point down", () => {
  assert.deepEqual(
    floorViolations([
      { from: "protocol/asap/read.ts", to: "protocol/param/mod.ts" },
      { from: "protocol/sctp/stack.ts", to: "protocol/net.ts" },
      { from: "protocol/sim/world.ts", to: "protocol/sctp/mod.ts" },
      { from: "ffi/poller.ts", to: "ffi/libc.ts" },
      { from: "ffi/sockaddr.ts", to: "protocol/net.ts" },
      { from: "cmd/driver/log.ts", to: "node:util" },
      { from: "tests/protocol/sim/x_test.ts", to: "protocol/sim/mod.ts" },
    ]),
    [],
  );
});

for (
  const [from, to] of [
    ["protocol/wire/reader.ts", "protocol/net.ts"],
    ["protocol/param/a.ts", "protocol/asap/read.ts"],
    ["protocol/sctp/stack.ts", "protocol/asap/read.ts"],
    ["protocol/registrar/registrar.ts", "node:crypto"],
    ["protocol/registrar/registrar.ts", "ffi/libc.ts"],
    ["protocol/registrar/registrar.ts", "protocol/sim/world.ts"],
    ["protocol/wire/hex.ts", "npm:fast-png@8.0.0"],
    ["ffi/libc.ts", "cmd/options.ts"],
    ["ffi/packet_io.ts", "protocol/sctp/mod.ts"],
    ["cmd/registrar/command.ts", "protocol/sim/world.ts"],
    ["mod.ts", "ffi/libc.ts"],
    ["somewhere/else.ts", "mod.ts"],
  ] as const
) {
  Deno.test(`floorViolations() refuses that ${from} imports ${to}`, () => {
    assert.equal(floorViolations([{ from, to }]).length, 1);
  });
}
