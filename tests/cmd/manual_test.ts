import assert from "node:assert/strict";
import { defineCommand } from "../../cmd/command.ts";
import { commandEntries } from "../../cmd/commands.ts";
import { manualPage, PAGE_MARK, programPage } from "../../cmd/manual.ts";
import { choice, flag, integer, text } from "../../cmd/options.ts";
import { VERSION } from "../../cmd/version.ts";

const SAMPLE = defineCommand({
  name: "sample",
  aliases: ["rspsample"],
  summary: "Shows .dots, back\\slashes, 'quotes' and dashes-",
  description: [".B is no macro here", "It's “fine” …"],
  operands: "[FILE]",
  options: {
    quiet: flag("Says nothing"),
    colour: choice(["red", "green"], "A colour", { defaultValue: "red", aliases: ["c", "paint"] }),
    watch: integer("Again and again", {
      min: 1,
      max: 9,
      defaultValue: undefined,
      valueName: "s",
      bareValue: "2",
    }),
    level: integer("A number", {
      min: 0,
      max: 9,
      defaultValue: 3,
      group: 'Numbers "and" such',
      variable: "SAMPLE_LEVEL",
    }),
    logfile: text("A file", { valueName: "FILE", defaultValue: undefined }),
  },
  exitCodes: { 1: "No colour", 7: "Seven" },
  examples: [{ line: "rsp sample -level=3 'a b'", text: "~ and ^ stay as they are" }],
  run: () => Promise.resolve(0),
});

async function output(program: string, line: string[], input = ""): Promise<{ ok: boolean; text: string }> {
  const process = new Deno.Command(program, { args: line, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await process.output();
  return { ok: success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

const there = (program: string) => output(program, ["--version"]).then(({ ok }) => ok, () => false);
const groffThere = await there("groff");

Deno.test("manualPage() escapes what roff would take for its own", () => {
  const page = manualPage(SAMPLE, "1.2", ["rsp"]);

  assert.match(page, /^\.TH "RSP\\-SAMPLE" 1 "" "rsp 1\.2"/m);
  assert.ok(page.includes("\\&.B is no macro here"));
  assert.ok(page.includes("back\\eslashes, \\(aqquotes\\(aq"));
  assert.ok(page.includes("\\[u201C]fine\\[u201D] ..."));
  assert.ok(page.includes('.SS "Numbers \\(dqand\\(dq such"'));
  assert.ok(page.startsWith(`${PAGE_MARK}\n`));
});

Deno.test({
  name: "manualPage() of every command, and of the program, is what groff understands",
  ignore: !groffThere,
  async fn() {
    const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
    const pages = [
      ...[...commands, SAMPLE].map((command) => manualPage(command, VERSION, ["rsp"])),
      programPage(commands, VERSION),
    ];
    for (const page of pages) {
      const { ok, text } = await output("groff", ["-man", "-ww", "-Tutf8", "-z"], page);
      assert.ok(ok);
      assert.equal(text, "");
    }
    const { text } = await output(
      "groff",
      ["-man", "-Tascii", "-P-cbou"],
      manualPage(SAMPLE, VERSION, ["rsp"]),
    );
    assert.match(text, /-colour=red\|green, -c\s+A colour\. Default: red\./);
    assert.match(text, /-watch\[=s\]\s+Again and again\./);
    assert.match(text, /ENVIRONMENT\s+SAMPLE_LEVEL\s+Stands in for -level: A number\./);
    assert.match(
      text,
      /EXIT STATUS\s+0 +Done\.\s+1 +No colour\.\s+2 +The command line is wrong\.\s+7 +Seven\.\s/,
    );
    assert.match(text, /\.B is no macro here/);
    assert.match(text, /~ and \^ stay as they are/);
  },
});
