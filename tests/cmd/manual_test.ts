import assert from "node:assert/strict";
import { defineCommand } from "../../cmd/command.ts";
import { commandEntries } from "../../cmd/commands.ts";
import { bashCompletion } from "../../cmd/completion/bash.ts";
import { aliasPage, manualPage, programPage } from "../../cmd/manual.ts";
import { choice, flag, integer, text } from "../../cmd/options.ts";
import { runProgram } from "../../cmd/run.ts";
import { VERSION } from "../../cmd/version.ts";
import { recordOutput } from "./world.ts";

const SAMPLE = defineCommand({
  name: "sample",
  aliases: ["rspsample"],
  summary: "Shows .dots, back\\slashes, 'quotes' and dashes-",
  description: [".B is no macro here", "It's “fine” …"],
  operands: "[FILE]",
  options: {
    quiet: flag("Says nothing"),
    colour: choice(["red", "green"], "A colour", { defaultValue: "red" }),
    level: integer("A number", { min: 0, max: 9, defaultValue: 3, group: 'Numbers "and" such' }),
    logfile: text("A file", { valueName: "FILE", defaultValue: undefined }),
  },
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
const [groffThere, bashThere] = await Promise.all([there("groff"), there("bash")]);

Deno.test("VERSION is that of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));

  assert.equal(VERSION, version);
});

for (const line of [["--version"], ["version"], ["registrar", "-version"]]) {
  Deno.test(`rsp ${line.join(" ")} tells the version`, async () => {
    const stdout = recordOutput(), stderr = recordOutput();
    const exitCode = await runProgram({
      calledAs: "rsp",
      arguments: line,
      stdout,
      stderr,
      variable: () => undefined,
      signal: AbortSignal.abort(),
    });

    assert.equal(exitCode, 0);
    assert.ok(stdout.text().startsWith(`rsp ${VERSION} (Deno ${Deno.version.deno},`));
    assert.equal(stderr.text(), "");
  });
}

Deno.test("manualPage() escapes what roff would take for its own", () => {
  const page = manualPage(SAMPLE, "1.2", ["rsp"]);

  assert.match(page, /^\.TH "RSP\\-SAMPLE" 1 "" "rsp 1\.2"/);
  assert.ok(page.includes("\\&.B is no macro here"));
  assert.ok(page.includes("back\\eslashes, \\(aqquotes\\(aq"));
  assert.ok(page.includes("\\[u201C]fine\\[u201D] ..."));
  assert.ok(page.includes('.SS "Numbers \\(dqand\\(dq such"'));
  assert.equal(aliasPage(SAMPLE), ".so man1/rsp-sample.1\n");
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
    assert.match(text, /-colour=red\|green\s+A colour\. Default: red\./);
    assert.match(text, /\.B is no macro here/);
    assert.match(text, /~ and \^ stay as they are/);
  },
});

/** What bash would offer for a line. */
async function completions(line: string, wordBreaks = "\"'><=;|&(:"): Promise<string[]> {
  const words = line.split(" ");
  const script = `${bashCompletion([SAMPLE])}
COMP_WORDBREAKS=${JSON.stringify(wordBreaks)} COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length}
COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(" ")}) COMP_CWORD=${words.length - 1}
_rsp
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { ok, text } = await output("bash", ["--norc"], script);
  assert.ok(ok, text);
  return text.split("\n").filter((word) => word !== "");
}

const LINES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ["rsp sa", ["sample "]],
  ["rsp help s", ["sample "]],
  ["rsp sample -l", ["-level=", "-logfile="]],
  ["rsp sample -q", ["-quiet "]],
  ["rspsample -col", ["-colour="]],
  ["rsp sample -colour=", ["red", "green"]],
  ["rsp sample --colour=g", ["green "]],
  ["rsp sample -logfile=/etc/host", ["/etc/hostname", "/etc/hosts"]],
  ["rsp sample -level=", []],
];

for (const [line, words] of LINES) {
  Deno.test({
    name: `bashCompletion() completes "${line}"`,
    ignore: !bashThere,
    async fn() {
      const found = await completions(line);
      if (line.includes("/etc")) {
        assert.ok(words.every((word) => found.includes(word) || found.some((one) => one.startsWith(word))));
      } else assert.deepEqual(found.sort(), [...words].sort());
    },
  });
}

Deno.test({
  name: "bashCompletion() completes whole words where bash does not take them apart at =",
  ignore: !bashThere,
  async fn() {
    assert.deepEqual(await completions("rsp sample -colour=g", " "), ["-colour=green "]);
  },
});
