import assert from "node:assert/strict";
import { logOptions } from "../../../cmd/common_options.ts";
import { Log, LogLevel, openLog, quietened } from "../../../cmd/driver/log.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { recordOutput } from "../world.ts";

function recordLog(settings: { level?: number; color?: boolean; json?: boolean } = {}) {
  const lines: string[] = [];
  const log = new Log({
    level: LogLevel.note,
    color: false,
    json: false,
    ...settings,
    write: (line) => void lines.push(line),
    now: () => new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6)),
  });
  return { log, lines };
}

Deno.test("Log writes lines up to its level", () => {
  const { log, lines } = recordLog();
  log.error("one");
  log.warning("two");
  log.note("three");
  log.action("four");
  assert.deepEqual(lines.map((line) => line.replace(/^\d\d:\d\d:05\.006 /, "")), [
    "one\n",
    "two\n",
    "three\n",
  ]);
});

Deno.test("Log keeps a text of several lines on one", () => {
  const { log, lines } = recordLog();
  log.note("one\ntwo");
  assert.match(lines.join(""), / one two\n$/);
});

Deno.test("Log writes nothing that a terminal would obey", () => {
  const { log, lines } = recordLog({ color: true });
  log.note("a job printed \x1b[2J\x07\u202e");
  assert.match(lines.join(""), /a job printed \.\[2J\.\.$/m);
  assert.ok(!lines.join("").includes("\x1b[2J"));
});

Deno.test("Log writes JSON with the facts of the line", () => {
  const { log, lines } = recordLog({ json: true });
  log.note("registered", { event: "registered", elementId: 7, nothing: undefined });
  assert.deepEqual(JSON.parse(lines.join("")), {
    time: "2026-01-02T03:04:05.006Z",
    level: 3,
    text: "registered",
    event: "registered",
    elementId: 7,
  });
});

Deno.test("Log.once() says a thing once, and again when it was forgotten", () => {
  const { log, lines } = recordLog();
  log.once("multicast", LogLevel.warning, "no route");
  log.once("multicast", LogLevel.warning, "no route");
  assert.equal(lines.length, 1);
  log.again("multicast");
  log.once("multicast", LogLevel.warning, "no route");
  assert.equal(lines.length, 2);
});

Deno.test("Log.once() remembers no more than 1000 keys", () => {
  const { log, lines } = recordLog();
  for (let stranger = 0; stranger < 5000; stranger++) {
    log.once(`stranger ${stranger}`, LogLevel.warning, "hello");
  }
  assert.equal(lines.length, 1000);
});

Deno.test("Log paints warnings only when colours are on", () => {
  const plain = recordLog(), colored = recordLog({ color: true });
  plain.log.warning("careful");
  colored.log.warning("careful");
  assert.ok(!plain.lines.join("").includes("\x1b"));
  const [line = ""] = colored.lines;
  assert.ok(line.startsWith("\x1b[33m") && line.endsWith("careful\x1b[39m\n"));
});

Deno.test("Log.block() writes lines together at every level, or one object", () => {
  const text = recordLog({ level: LogLevel.none }), json = recordLog({ level: LogLevel.none, json: true });
  text.log.block("state", ["one", "two"], { count: 2 });
  json.log.block("state", ["one", "two"], { count: 2 });
  assert.match(text.lines.join(""), /^\*{15} \S+ state \*{15}\none\ntwo\n\*{40,}\n$/);
  const { event, count } = JSON.parse(json.lines.join(""));
  assert.deepEqual({ event, count }, { event: "state", count: 2 });
});

Deno.test("quietened() makes -quiet mean warnings and errors, unless a level was given", () => {
  const level = (quiet: boolean, ...given: string[]) => {
    const context = { options: { quiet, loglevel: LogLevel.note }, given: new Set(given) };
    return quietened(context as unknown as Parameters<typeof quietened>[0]).options.loglevel;
  };
  assert.deepEqual(
    [level(false), level(true), level(true, "quiet", "loglevel")],
    [LogLevel.note, LogLevel.warning, LogLevel.note],
  );
});

Deno.test("openLog() begins a file with -logfile, goes on with it by -logappend, which wins, and is silent with -logquiet", async () => {
  const folder = await Deno.makeTempDir();
  const open = (...line: string[]) => {
    const { values } = parseOptions(logOptions, line, () => undefined);
    const none = { write: () => assert.fail("the log has a file") };
    const context = { options: values, stdout: none, stderr: none, variable: () => undefined };
    return openLog(context as unknown as Parameters<typeof openLog>[0]);
  };
  const file = `${folder}/log`;
  const words = async () => (await Deno.readTextFile(file)).match(/[a-z]+$/gm);
  try {
    open(`-logfile=${file}`).note("one");
    open(`-logappend=${file}`).note("two");
    assert.deepEqual(await words(), ["one", "two"]);
    open(`-logfile=${file}`, "-loglevel=2").note("nothing");
    assert.equal(await words(), null);
    open(`-logfile=${folder}/other`, `-logappend=${file}`).note("three");
    open(`-logappend=${file}`, "-logquiet").error("nothing");
    assert.deepEqual(await words(), ["three"]);
    assert.throws(() => open(`-logfile=${folder}/no/log`), { name: "OptionError" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A log in a file. */
function logInto(logfile: string) {
  const { values } = parseOptions(logOptions, [`-logfile=${logfile}`], () => undefined),
    output = recordOutput();
  const context = { options: values, stdout: output, stderr: output, variable: () => undefined };
  return { log: openLog(context as unknown as Parameters<typeof openLog>[0]), stderr: output.text };
}

Deno.test("a full disk does not end a program that logs into a file, and is told once", () => {
  const { log, stderr } = logInto("/dev/full");
  log.note("one");
  log.note("two");
  assert.match(stderr(), /^cannot write the log file \/dev\/full: no space left[^\n]*; lines are lost\n$/i);
});

Deno.test("a log file has every line whole", async () => {
  const path = await Deno.makeTempFile();
  const { log, stderr } = logInto(path);
  for (const text of ["one", "two ".repeat(100_000), "three"]) log.note(text);
  const lines = (await Deno.readTextFile(path)).split("\n").map((line) => line.slice(13));
  assert.deepEqual(lines, ["one", "two ".repeat(100_000), "three", ""]);
  assert.equal(stderr(), "");
  await Deno.remove(path);
});
