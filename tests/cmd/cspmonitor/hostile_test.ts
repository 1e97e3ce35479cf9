/** What strangers may send a monitor: it harms neither the terminal, nor who reads its lines, nor the monitor. */
import assert from "node:assert/strict";
import dgram from "node:dgram";
import { fileURLToPath } from "node:url";
import { MAX_COMPONENTS_OF_ADDRESS } from "../../../protocol/csp/mod.ts";
import { componentId, MAX_CSP_ASSOCIATIONS, writeComponentReport } from "../../../protocol/csp/mod.ts";
import type { ComponentAssociation } from "../../../protocol/csp/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { reportOf } from "../../protocol/csp/components.ts";
import { RealTerminal, terminalIsPossible } from "../tui/real_terminal.ts";
import { MonitorProgram } from "./monitor_program.ts";

/** Octets of the fields for location and status, and where they are. */
const TEXT_LENGTH = 128, LOCATION_AT = 28, STATUS_AT = 156;

/** Texts that are meant for somebody else than a reader. */
const TEXTS: readonly (string | Uint8Array)[] = [
  "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07", // the title of the window, and the clipboard
  "\x1b[2J\x1b[H\x1b[31;5mowned\x1b[?1049l\x1b[?25h\x1bc", // the screen, its colours, another screen, a reset
  "\x9b2J\x90owned\x9c\x85", // the same in eight bits
  "one\ntwo\r\n2026-01-01 00:00:00 left      PR $00000001 (it ends)\n", // lines of its own
  '{"event":"left"}\n{"event":"left"}', // objects of its own
  "\u202eevil\u202c\u2066\u200f\u200b\ufeff", // right to left, and what has no width
  "<img src=x onerror=alert(1)><script>alert(1)</script>&amp;",
  "'\"; rm -rf ~ #`id`$(id)\\x1b[2J\\",
  "%s%n%d{}${x}",
  "a".repeat(TEXT_LENGTH), // no zero at its end
  "\u{1f4a3}".repeat(32),
  Uint8Array.from({ length: TEXT_LENGTH }, (_, index) => 255 - index),
  Uint8Array.from({ length: TEXT_LENGTH }, (_, index) => index + 1),
];

/** Once an hour: no component leaves while a busy machine lets the test wait. */
const INTERVAL_US = 3_600_000_000;

/** A report with such texts. */
function withTexts(object: number, text: string | Uint8Array): Uint8Array {
  const sender = componentId(2, object), empty = { location: "", status: "" };
  const report = writeComponentReport(reportOf({ sender, intervalUs: INTERVAL_US, ...empty }));
  const octets = (typeof text === "string" ? new TextEncoder().encode(text) : text).subarray(0, TEXT_LENGTH);
  report.set(octets, LOCATION_AT);
  report.set(octets, STATUS_AT);
  return report;
}

/** Associations with whatever. */
function madeUp(prng: Prng, count: number): ComponentAssociation[] {
  return Array.from({ length: count }, () => ({
    receiver: BigInt(prng.below(2 ** 32)) << 32n | BigInt(prng.below(2 ** 32)),
    durationUs: prng.below(2) === 0 ? undefined : 0xffff_ffff_ffff_fffen,
    protocol: prng.below(65_536),
    ppid: prng.below(2 ** 32),
  }));
}

/** All that a stranger sends: no reports, reports of whatever, and texts. */
function* hostileDatagrams(): Generator<Uint8Array> {
  const prng = new Prng(2960);
  const garbage = (length: number) => Uint8Array.from({ length }, () => prng.below(256));
  for (let count = 0; count < 200; count++) yield garbage(prng.below(700));
  const whole = writeComponentReport(reportOf({ associations: madeUp(prng, 3) }));
  for (let length = 0; length < whole.length; length += 7) yield whole.subarray(0, length);
  for (let count = 0; count < 200; count++) {
    const changed = whole.slice();
    changed[prng.below(changed.length)]! ^= 1 << prng.below(8);
    yield changed;
  }
  for (const [index, text] of TEXTS.entries()) yield withTexts(0x6000 + index, text);
  for (let count = 0; count < 1000; count++) {
    yield writeComponentReport(reportOf({
      sender: BigInt(prng.below(2 ** 32)) << 32n | BigInt(prng.below(2 ** 32)), // of any group
      uptimeUs: prng.below(2) === 0 ? 0xffff_ffff_ffff_ffffn : BigInt(prng.below(2 ** 32)),
      intervalUs: prng.below(2) === 0 ? 0 : 0xffff_ffff,
      workload: prng.below(3) === 0 ? undefined : prng.below(2),
      associations: madeUp(prng, prng.below(5)),
    }));
  }
  const sender = componentId(3, 1);
  yield writeComponentReport(reportOf({ sender, associations: madeUp(prng, MAX_CSP_ASSOCIATIONS) }));
}

/** Sends it all, and at last an honest report, which must be taken as ever. */
async function attack(monitor: MonitorProgram): Promise<void> {
  for (const datagram of hostileDatagrams()) await monitor.send(datagram, "127.0.0.3");
  await monitor.send({ sender: componentId(1, 0xabcdef), status: "an honest one" });
  await monitor.says(/an honest one/);
}

const PLAIN = /^[\x20-\x7e\n]*$/;

/** How lines of a pipe begin: with a time, or as what belongs to the line before. */
const LINE = /^(\d{4}-\d\d-\d\d |\d\d:\d\d:\d\d\.\d{3} |(PR|PE|PU|ID) \$[0-9a-f]+ | {3}-> |\(\d+ further |$)/;

for (const line of [[], ["-full"], ["-snapshots", "-full", "-maxpe=2000", "-maxpu=2000"]]) {
  const words = line.length === 0 ? "" : ` with ${line.join(" ")}`;
  Deno.test(`hostile reports make no more than plain lines in a pipe${words}`, async () => {
    await using monitor = new MonitorProgram(false, ...line);
    await attack(monitor);
    assert.match(monitor.text, PLAIN);
    for (const one of monitor.text.split("\n")) {
      assert.match(one, LINE);
      assert.ok(one.length < 1500, `a line of ${one.length} characters`);
    }
    assert.equal(await monitor.stop(), 0);
  });
}

Deno.test("hostile reports make no more than objects with plain texts for programs", async () => {
  await using monitor = new MonitorProgram(false, "-json");
  await attack(monitor);
  assert.match(monitor.text, PLAIN);
  const events = new Set<unknown>();
  for (const object of monitor.objects()) {
    events.add(object["event"]);
    JSON.stringify(object, (_, value) => {
      if (typeof value === "string") assert.match(value, PLAIN);
      return value;
    });
  }
  const known = ["listening", "appeared", "changed", "restarted", "left", "malformed", "conflict"];
  assert.deepEqual([...events].filter((event) => !known.includes(String(event))), []);
  assert.equal(await monitor.stop(), 0);
});

Deno.test("hostile reports do not move the cursor of a window, nor say more than its size", async () => {
  await using monitor = new MonitorProgram(true, "-full", "-maxpe=4096", "-maxpu=4096", "-maxpr=4096");
  monitor.size = { columns: 100, rows: 3000 }; // room for all that there is
  for (const datagram of hostileDatagrams()) await monitor.send(datagram, "127.0.0.3");
  await monitor.send({ sender: componentId(1, 0xabcdef), status: "an honest one" });
  await monitor.says(/an honest one/);
  monitor.input.write("q");
  assert.equal(await monitor.ended, 0);
  // deno-lint-ignore no-control-regex -- these are what is looked for
  const own = /\x1b\[(\d+;1H|K|2J|\?1049[hl]|\?25[hl])/g;
  for (const part of monitor.shown.replaceAll(own, "\n").split("\n")) {
    assert.match(part, /^[\x20-\x7e…]*$/);
    assert.ok(part.length <= 100, part);
  }
});

Deno.test("nobody takes a component off or changes it from another address, and the monitor tells of the attempt once", async () => {
  await using monitor = new MonitorProgram(false, "-json");
  const sender = componentId(1, 0x11);
  await monitor.send({ sender, status: "honest", intervalUs: 60_000_000 });
  await monitor.says(/"appeared"/);
  for (let count = 0; count < 20; count++) {
    await monitor.send({ sender, isFinal: true, uptimeUs: 1n }, "127.0.0.3");
    await monitor.send({ sender, status: "spoofed", uptimeUs: 2n }, "127.0.0.4");
  }
  await monitor.send({ sender, status: "still honest", uptimeUs: 100n });
  await monitor.says(/still honest/);
  const [, ...events] = monitor.objects().map(({ event }) => event);
  assert.deepEqual(events, ["appeared", "conflict", "changed"]);
  assert.doesNotMatch(monitor.text, /spoofed/);
});

Deno.test("whoever makes up components without end leaves room for those of others, and is told of once", async () => {
  await using monitor = new MonitorProgram(false, "-json");
  for (let number = 1; number <= MAX_COMPONENTS_OF_ADDRESS + 500; number++) {
    await monitor.send({ sender: componentId(3, number), intervalUs: 0xffff_ffff }, "127.0.0.3");
  }
  await monitor.send({ sender: componentId(1, 0x11), status: "an honest one" });
  await monitor.says(/an honest one/);
  const events = monitor.objects().map(({ event }) => event);
  assert.equal(events.filter((event) => event === "overflow").length, 1);
  assert.equal(events.filter((event) => event === "appeared").length, MAX_COMPONENTS_OF_ADDRESS + 1);
});

Deno.test({
  name: "hostile texts do nothing to a real terminal: not to its title, not to its screens",
  ignore: !await terminalIsPossible(),
  async fn() {
    await using terminal = await RealTerminal.open(120, 40);
    const main = fileURLToPath(new URL("../../../cmd/main.ts", import.meta.url));
    const monitor = `${Deno.execPath()} run --allow-all --quiet ${main} cspmonitor -localaddress=127.0.0.1:0`;
    await terminal.types(`${monitor} -web=off -full`);
    const [, port] = await terminal.shows(/-cspserver=127\.0\.0\.1:(\d+)/);
    const before = await terminal.title();
    const socket = dgram.createSocket("udp4");
    try {
      const send = (data: Uint8Array) =>
        new Promise((resolve) => socket.send(data, Number(port), "127.0.0.1", resolve));
      for (const [index, text] of TEXTS.entries()) await send(withTexts(0x6000 + index, text));
      await terminal.shows(new RegExp(`-- ${TEXTS.length} PEs\n`));
    } finally {
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
    const lines = (await terminal.screen()).split("\n");
    assert.match(lines[0] ?? "", /^[-\d]+ [:\d]+: Current Component Status/);
    const rows = lines.filter((line) => line.startsWith("PE $"));
    assert.equal(rows.length, TEXTS.length);
    for (const row of rows) assert.match(row, /^PE \$0000600[0-9a-f] {2}[\x20-\x7e…]+$/);
    assert.deepEqual(await terminal.state(), { isAlternate: true, isCursorVisible: false, isCooked: false });
    assert.equal(await terminal.title(), before);
    await terminal.presses("q");
    await terminal.becomes({ isAlternate: false, isCursorVisible: true, isCooked: true });
  },
});
