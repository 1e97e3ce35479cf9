import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { inputMessages, MAX_INPUT_MESSAGE } from "../../../cmd/terminal/input_messages.ts";
import { shownText } from "../../../cmd/terminal/shown_text.ts";

const encoder = new TextEncoder();

/** The messages of what comes in these chunks. */
async function messagesOf(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const octets = chunks.map((chunk) => typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  const messages = await Array.fromAsync(
    inputMessages(Readable.from(octets, { objectMode: true }), new AbortController().signal),
  );
  return messages.map((message) => new TextDecoder("latin1").decode(message));
}

Deno.test("inputMessages() makes a message of each line, with its line feed", async () => {
  assert.deepEqual(await messagesOf("one\ntwo\n\nlast"), ["one\n", "two\n", "\n", "last"]);
  assert.deepEqual(await messagesOf("o", "n", "e\nt", "wo\n"), ["one\n", "two\n"]);
  assert.deepEqual(await messagesOf(""), []);
});

Deno.test("inputMessages() keeps octets that are no text", async () => {
  assert.deepEqual(await messagesOf(Uint8Array.of(0xff, 0x00, 0xe9, 0x0a, 0xfe)), ["\xff\x00\xe9\n", "\xfe"]);
});

Deno.test("inputMessages() sends a line that is too long in parts, before it ends", async () => {
  const long = new Uint8Array(2 * MAX_INPUT_MESSAGE + 5).fill(0x78);
  const lengths = (await messagesOf(long, "\n")).map(({ length }) => length);
  assert.deepEqual(lengths, [MAX_INPUT_MESSAGE, MAX_INPUT_MESSAGE, 6]);
  const fitting = await messagesOf(new Uint8Array(MAX_INPUT_MESSAGE - 1).fill(0x78), "\nx");
  assert.deepEqual(fitting.map(({ length }) => length), [MAX_INPUT_MESSAGE, 1]);
});

Deno.test("inputMessages() ends when somebody wants an end, and closes the stream", async () => {
  const stream = new Readable({ read() {} });
  stream.push("begun\nand");
  const end = new AbortController(), seen: Uint8Array[] = [];
  for await (const message of inputMessages(stream, end.signal)) {
    seen.push(message);
    end.abort();
  }
  assert.equal(seen.length, 1, "what was not a whole line is not sent");
  assert.ok(stream.destroyed);
});

const SHOWN: readonly (readonly [string, string])[] = [
  ["plain\r\n", "plain"],
  ["two\nlines\n", "two.lines"],
  ["\x1b[31mred\x1b[0m", ".[31mred.[0m"],
  ["\x9b2J C1 and \x7f", ".2J C1 and "],
  ["grüß dich, 世界", "grüß dich, 世界"],
  ["\u202eevil\u2066", ".evil."],
  ["\n\n", ""],
];
for (const [text, shown] of SHOWN) {
  Deno.test(`shownText() makes ${JSON.stringify(text)} harmless`, () => {
    assert.equal(shownText(encoder.encode(text)), shown);
  });
}

Deno.test("shownText() shows something for octets that are no text", () => {
  assert.equal(shownText(Uint8Array.of(0x61, 0xff, 0x62)), "a\ufffdb");
});
