import assert from "node:assert/strict";
import { leftDescriptors } from "./left_descriptors.ts";

const onLinux = Deno.build.os === "linux";

for (const [what, ignore] of [["driver", !onLinux || Deno.uid() !== 0], ["port", !onLinux]] as const) {
  Deno.test({
    name: `a packet ${what} that fails for want of descriptors leaves none behind`,
    ignore,
    async fn() {
      const left = await leftDescriptors(what);
      assert.ok(left.length > 2, "with a few free ones it works");
      assert.deepEqual(left, Array(left.length).fill(0));
    },
  });
}
