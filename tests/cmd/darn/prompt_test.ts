import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { complete } from "../../../cmd/darn/completion.ts";
import { commandTable } from "../../../cmd/darn/commands/mod.ts";
import { historyPath, loadHistory, MAX_HISTORY, saveHistory } from "../../../cmd/darn/history.ts";
import { Prompt } from "../../../cmd/darn/prompt.ts";
import type { Session } from "../../../cmd/darn/session.ts";
import { recordOutput } from "../world.ts";

const ESCAPE = "\x1b";

/** A prompt that hears keys and writes into a text. */
function makePrompt(history: readonly string[] = []) {
  const input = new PassThrough(), output = recordOutput();
  const lines: string[] = [];
  let isEnded = false;
  const prompt = new Prompt({
    input,
    output,
    history,
    complete: (line) => line.startsWith("st") ? [["stats "], line] : [[], line],
    onLine: (line) => void lines.push(line),
    onInterrupt: () => void lines.push("^C"),
    onEnd: () => isEnded = true,
  });
  const keys = async (text: string) => {
    input.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { prompt, lines, keys, text: output.text, isEnded: () => isEnded };
}

/** What the cursor's home, the clearing of what is below, and a prompt look like. */
function drawn(text: string): RegExp {
  return new RegExp(`\\x1b\\[1G\\x1b\\[0J${RegExp.escape(text)}`);
}

Deno.test("the prompt is drawn again below whatever is printed, with what was typed so far", async () => {
  const { prompt, keys, text } = makePrompt();
  prompt.show("P> ");
  await keys("snd=1");
  const before = text().length;
  prompt.print("DATA(5):  hello\n");
  const after = text().slice(before);
  assert.ok(after.startsWith(`${ESCAPE}[1G${ESCAPE}[0JDATA(5):  hello\n`), JSON.stringify(after));
  assert.match(after, drawn("P> snd=1"));
  prompt.close();
});

Deno.test("a line that is longer than the terminal is wide is taken off the screen as a whole", async () => {
  const { prompt, keys, text } = makePrompt();
  prompt.show("P> ");
  await keys("x".repeat(100)); // 103 columns in 80
  const before = text().length;
  prompt.print("event\n");
  assert.ok(text().slice(before).startsWith(`${ESCAPE}[1A${ESCAPE}[1G${ESCAPE}[0Jevent\n`));
  prompt.close();
});

Deno.test("a line can be edited, completed and taken from the history", async () => {
  const { prompt, keys, lines } = makePrompt(["oldest", "older"]);
  prompt.show("P> ");
  await keys("abc");
  await keys(`${ESCAPE}[D${ESCAPE}[DX\r`);
  await keys("st");
  await keys("\t");
  await keys("\r");
  await keys(`${ESCAPE}[A${ESCAPE}[A${ESCAPE}[A\r`);
  assert.deepEqual(lines, ["aXbc", "stats ", "older"]);
  assert.deepEqual(prompt.history, ["oldest", "older", "aXbc", "stats ", "older"]);
  prompt.close();
});

Deno.test("Ctrl+C is told, and Ctrl+D on an empty line is the end", async () => {
  const { keys, lines, isEnded } = makePrompt();
  await keys("\x03");
  assert.deepEqual(lines, ["^C"]);
  assert.equal(isEnded(), false);
  await keys("\x04");
  assert.equal(isEnded(), true);
});

Deno.test("a prompt that has changed is drawn anew, and one that has not is left alone", () => {
  const { prompt, text } = makePrompt();
  prompt.show("one> ");
  const length = text().length;
  prompt.show("one> ");
  assert.equal(text().length, length);
  prompt.show("two> ");
  assert.match(text().slice(length), drawn("two> "));
  prompt.close();
});

const session = {
  associations: { current: { peerAddresses: ["10.1.0.2", "fd01::2"] }, all: [{ number: 1 }, { number: 2 }] },
} as unknown as Session;

for (
  const [line, candidates, part] of [
    ["sta", ["stats ", "statistics ", "status "], "sta"],
    ["prim", ["primary "], "prim"],
    ["primary=", ["10.1.0.2 ", "fd01::2 "], ""],
    ["primary=10", ["10.1.0.2 "], "10"],
    ["use ", ["1 ", "2 "], ""],
    ["set rtoin", ["rtoinfo "], "rtoin"],
    ["snd=5 ppid=m3u", ["ppid=M3UA "], "ppid=m3u"],
    ["snd=5 si", ["sid="], "si"],
    ["expect mes", ["message "], "mes"],
    ["nonsense x", [], "x"],
  ] as const
) {
  Deno.test(`completion of ${JSON.stringify(line)}`, () => {
    const [found, replaced] = complete(commandTable, session, line);
    assert.deepEqual([found.toSorted(), replaced], [[...candidates].toSorted(), part]);
  });
}

Deno.test("the history is kept in the state folder, or nowhere", () => {
  const variables = (table: Record<string, string>) => (name: string) => table[name];
  assert.equal(
    historyPath(undefined, variables({ XDG_STATE_HOME: "/s", HOME: "/h" })),
    "/s/rsp/darn_history",
  );
  assert.equal(historyPath(undefined, variables({ HOME: "/h" })), "/h/.local/state/rsp/darn_history");
  assert.equal(historyPath(undefined, variables({})), undefined);
  assert.equal(historyPath("off", variables({ HOME: "/h" })), undefined);
  assert.equal(historyPath("/tmp/a", variables({})), "/tmp/a");
});

Deno.test("the history keeps its newest lines, and a file that cannot be had is no trouble", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/new/history`;
    const lines = Array.from({ length: MAX_HISTORY + 5 }, (_, i) => `snd=${i}`);
    saveHistory(path, lines);
    assert.deepEqual(loadHistory(path), lines.slice(5));
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    saveHistory(`${path}/below/a/file`, lines);
    assert.deepEqual(loadHistory(`${path}/below/a/file`), []);
    assert.deepEqual(loadHistory(undefined), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every command has its help and no two have the same name", () => {
  const names = commandTable.names;
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.ok(commandTable.find(name).summary.length > 10);
  const original =
    "snd rcv bindx-add bindx-rem sndbuf rcvbuf primary peer_primary heartbeat maxseg nodelay shutdown abort stats ?";
  for (const name of original.split(" ")) assert.ok(names.includes(name), name);
});
