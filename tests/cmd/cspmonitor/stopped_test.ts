/** `rsp cspmonitor` that is stopped for longer than components may be silent. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { fileURLToPath } from "node:url";
import { writeComponentReport } from "../../../protocol/csp/mod.ts";
import { Program } from "../../net/lab.ts";
import { reportOf } from "../../protocol/csp/components.ts";

const MAIN = fileURLToPath(new URL("../../../cmd/main.ts", import.meta.url));

/**
 * What components say of themselves: after ten of these they are gone. They report more often, so that this test may be late by
 * five seconds, too.
 */
const INTERVAL_US = 500_000;

const REPORT_MS = 50;

/** More than ten of the intervals. */
const STOPPED_MS = 6000;

Deno.test("components that go on reporting do not leave because the monitor was stopped", async () => {
  const command = [Deno.execPath(), "run", "--allow-all", "--quiet", MAIN, "cspmonitor"];
  await using monitor = new Program([
    ...command,
    "-localaddress=127.0.0.1:0",
    "-json",
    "-updateinterval=100",
  ]);
  const [, port] = await monitor.says(/"port":(\d+)/);
  const socket = dgram.createSocket("udp4");
  let status = "1 Session", uptimeUs = 0n;
  const report = () => {
    uptimeUs += BigInt(1000 * REPORT_MS);
    socket.send(
      writeComponentReport(reportOf({ intervalUs: INTERVAL_US, status, uptimeUs })),
      Number(port),
      "127.0.0.1",
    );
  };
  const timer = setInterval(report, REPORT_MS);
  try {
    await monitor.says(/"event":"appeared"/);
    // Whether its timers or the reports are first is by chance.
    for (let round = 1; round <= 2; round++) {
      monitor.signal("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, STOPPED_MS));
      status = `still there ${round}`;
      monitor.signal("SIGCONT");
      await monitor.says(new RegExp(`"event":"changed".*"status":"${status}"`));
    }
    assert.doesNotMatch(monitor.output, /"event":"left"/);
  } finally {
    clearInterval(timer);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
});
