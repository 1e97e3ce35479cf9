/** Where the log goes beside a window. */
import assert from "node:assert/strict";
import { Notices } from "../../../cmd/cspmonitor/notices.ts";
import { recordOutput } from "../world.ts";

Deno.test("Notices keeps lines for the window while it is open, and passes on those before and after", () => {
  const output = recordOutput(), notices = new Notices(output);
  notices.write("before\n");
  notices.opened();
  notices.write("meanwhile\n");
  assert.equal(notices.last, "meanwhile");
  notices.closed();
  notices.write("after\n");
  assert.equal(output.text(), "before\nafter\n");
});
