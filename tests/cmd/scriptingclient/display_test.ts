import assert from "node:assert/strict";
import { Log, LogLevel } from "../../../cmd/driver/log.ts";
import { JobDisplay } from "../../../cmd/scriptingclient/display.ts";
import type { DisplaySettings } from "../../../cmd/scriptingclient/display.ts";
import { recordOutput } from "../world.ts";

const PLACE = { job: 1, run: 1, elementId: 7, server: "pe" } as const;

/** A display, and what it writes. */
function show(settings: Partial<DisplaySettings> & { readonly terminal?: boolean } = {}) {
  const stdout = { ...recordOutput(), isTerminal: settings.terminal ?? false };
  const logged: string[] = [];
  const log = new Log({
    level: LogLevel.note,
    color: false,
    json: true,
    write: (line) => void logged.push(line),
    now: () => new Date(0),
  });
  let now = 1000;
  const display = new JobDisplay({
    stdout,
    log,
    json: false,
    quiet: false,
    runId: undefined,
    clock: () => now,
    ...settings,
  });
  return { display, text: stdout.text, logged, wait: (ms: number) => now += ms };
}

const MEBI = 2 ** 20;

Deno.test("JobDisplay shows a line of progress every five seconds where there is no terminal", () => {
  const { display, text, wait } = show({ runId: "x" });
  display.at(PLACE);
  for (let n = 1; n <= 11; n++) {
    display.progress(PLACE, { phase: "uploading", bytes: n * MEBI, totalBytes: 20 * MEBI });
    wait(1000);
  }
  assert.equal(
    text(),
    "[x@pe] uploading 6.0 MiB of 20.0 MiB (30 %), 1.2 MiB/s, pe (0x00000007)\n" +
      "[x@pe] uploading 11.0 MiB of 20.0 MiB (55 %), 1.1 MiB/s, pe (0x00000007)\n",
  );
});

Deno.test("JobDisplay keeps one line of progress at the bottom of a terminal", () => {
  const { display, text, wait } = show({ terminal: true });
  display.progress(PLACE, { phase: "downloading", bytes: 0, totalBytes: undefined });
  wait(200);
  display.progress(PLACE, { phase: "downloading", bytes: MEBI, totalBytes: undefined });
  display.progress(PLACE, { phase: "downloading", bytes: 2 * MEBI, totalBytes: undefined });
  assert.equal(
    text(),
    "\r\x1b[Jdownloading 1.0 MiB, 5.0 MiB/s, pe (0x00000007)\x1b[K\n",
    "not more often than one can see",
  );
  display.line({ level: LogLevel.note, text: "above", fields: {} });
  display.clear();
  assert.ok(text().includes("above\ndownloading 1.0 MiB"));
  assert.ok(text().endsWith("\x1b[1A\r\x1b[J"), "it is taken away in the end");
});

Deno.test("JobDisplay is silent with -quiet, but for what goes wrong", () => {
  const { display, text, wait } = show({ quiet: true });
  display.line({ level: LogLevel.note, text: "well", fields: {} });
  wait(10_000);
  display.progress(PLACE, { phase: "uploading", bytes: 1, totalBytes: 2 });
  display.line({ level: LogLevel.warning, text: "not well", fields: {} });
  assert.equal(text(), "not well\n");
});

Deno.test("JobDisplay writes objects for programs", () => {
  const { display, text, logged, wait } = show({ json: true, runId: "x" });
  display.progress(PLACE, { phase: "uploading", bytes: 0, totalBytes: 100 });
  wait(5000);
  display.progress(PLACE, { phase: "uploading", bytes: 50, totalBytes: 100 });
  const [line] = logged.map((text) => JSON.parse(text));
  const { event, phase, bytes, totalBytes, bytesPerSecond, runId } = line;
  assert.deepEqual([event, phase, bytes, totalBytes, bytesPerSecond, runId], [
    "progress",
    "uploading",
    50,
    100,
    10,
    "x",
  ]);
  assert.equal(text(), "");
});
