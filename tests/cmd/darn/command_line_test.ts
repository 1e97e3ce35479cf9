import assert from "node:assert/strict";
import { CommandError } from "../../../cmd/darn/command_error.ts";
import { expectNothingElse, readCommandLine, readNumber } from "../../../cmd/darn/command_line.ts";

const read = (text: string) => {
  const line = readCommandLine(text);
  return line === undefined
    ? undefined
    : [line.name, line.query, line.words, Object.fromEntries(line.settings), line.rest];
};

const LINES: readonly (readonly [text: string, expected: ReturnType<typeof read>])[] = [
  ["", undefined],
  ["   \t ", undefined],
  ["# a comment", undefined],
  ["stats", ["stats", false, [], {}, ""]],
  ["stats?", ["stats", true, [], {}, ""]],
  ["?", ["?", false, [], {}, ""]],
  ["snd=10000", ["snd", false, ["10000"], {}, "10000"]],
  ["  SND=5  ", ["snd", false, ["5"], {}, "5"]],
  ["snd 5 sid=3 unordered # now", [
    "snd",
    false,
    ["5", "unordered"],
    { sid: "3" },
    "5 sid=3 unordered # now",
  ]],
  ["bindx-add=fd01::1", ["bindx-add", false, ["fd01::1"], {}, "fd01::1"]],
  ['snd text="two words"', ["snd", false, [], { text: "two words" }, 'text="two words"']],
  [String.raw`snd text="a\n\x41\"\\\0"`, [
    "snd",
    false,
    [],
    { text: 'a\nA"\\\0' },
    String.raw`text="a\n\x41\"\\\0"`,
  ]],
  [String.raw`snd text='a\n'`, ["snd", false, [], { text: "a\\n" }, String.raw`text='a\n'`]],
  ['expect "a=b"', ["expect", false, ["a=b"], {}, '"a=b"']],
  ["text  two  blanks = kept", ["text", false, ["two", "blanks", "=", "kept"], {}, " two  blanks = kept"]],
  ["rcvbuf=", ["rcvbuf", false, [""], {}, ""]],
];

for (const [text, expected] of LINES) {
  Deno.test(`readCommandLine() reads ${JSON.stringify(text)}`, () => assert.deepEqual(read(text), expected));
}

Deno.test("readCommandLine() refuses quotes that stay open, unknown escapes and settings given twice", () => {
  for (
    const text of [
      'snd text="a',
      "snd text='a",
      String.raw`snd text="\q"`,
      "snd sid=1 SID=2",
      String.raw`snd text="\x4"`,
    ]
  ) {
    assert.throws(() => readCommandLine(text), CommandError, text);
  }
});

Deno.test("readCommandLine() reads nothing of what stands behind a command that takes it as it is", () => {
  for (const rest of ["don't panic", "a=1 a=2", String.raw`"\q"`, " # 5", ""]) {
    for (const separator of [" ", "="]) {
      const line = readCommandLine(`TEXT${separator}${rest}`, (name) => name === "text");
      assert.deepEqual([line?.name, line?.words, line?.settings.size, line?.rest], ["text", [], 0, rest]);
    }
  }
});

Deno.test("expectNothingElse() names what a command has no use for", () => {
  const line = readCommandLine("stats now sid=3")!;
  assert.throws(() => expectNothingElse(line, 0, ["sid"]), /stats does not know what to do with "now"/);
  assert.throws(() => expectNothingElse(line, 1), /stats has no setting sid=/);
  expectNothingElse(line, 1, ["sid"]);
});

Deno.test("readNumber() takes decimal and hexadecimal numbers within their range", () => {
  assert.equal(readNumber("0x10", "it", 0, 16), 16);
  for (const text of ["17", "-1", "1.5", "", "x"]) {
    assert.throws(() => readNumber(text, "it", 0, 16), /it must be a number from 0 to 16/);
  }
});
