import assert from "node:assert/strict";
import { bashCompletion } from "../../../cmd/completion/bash.ts";
import { fishCompletion } from "../../../cmd/completion/fish.ts";
import { completionModel } from "../../../cmd/completion/model.ts";
import { zshCompletion } from "../../../cmd/completion/zsh.ts";
import { isThere, output, prompt, sampleModel, TYPED, typeLines } from "./sample.ts";

const [bashThere, zshThere, fishThere, terminalThere] = await Promise.all(
  ["bash", "zsh", "fish", "script"].map(isThere),
);
const lines = TYPED.map(([typed]) => typed);
const expected = TYPED.map(([, completed]) => completed);

Deno.test({
  name: "bashCompletion() completes what is typed into a real bash",
  ignore: !bashThere || !terminalThere,
  async fn() {
    const found = await typeLines(async ({ settings, result }) => {
      const rest = [
        "bind 'set enable-bracketed-paste off'",
        `bind -x '"\\C-o": printf "%s\\n" "$READLINE_LINE" >>${result}; READLINE_LINE=; READLINE_POINT=0'`,
        `PS1="${prompt.replace("''", '""')}"`,
      ];
      await Deno.writeTextFile(`${settings}/rc`, `${bashCompletion(sampleModel)}${rest.join("\n")}\n`);
      return `bash --noprofile --rcfile ${settings}/rc -i`;
    }, lines);
    assert.deepEqual(found, expected);
  },
});

Deno.test({
  name: "zshCompletion() completes what is typed into a real zsh",
  ignore: !zshThere || !terminalThere,
  async fn() {
    const found = await typeLines(async ({ settings, result }) => {
      const rc = [
        `fpath=(${settings}/functions $fpath)`,
        "autoload -Uz compinit; compinit -u -D",
        `show() { print -r -- "$BUFFER" >>${result}; zle kill-whole-line }`,
        "zle -N show; bindkey '^O' show; unset zle_bracketed_paste; LISTMAX=1000",
        `PS1="${prompt.replace("''", '""')}"`,
      ];
      await Deno.mkdir(`${settings}/functions`);
      await Deno.writeTextFile(`${settings}/functions/_rsp`, zshCompletion(sampleModel));
      await Deno.writeTextFile(`${settings}/.zshrc`, `${rc.join("\n")}\n`);
      return `ZDOTDIR=${settings} zsh -i`;
    }, lines);
    assert.deepEqual(found, expected);
  },
});

/** What fish offers for a line, without descriptions. */
async function fishOffers(script: string, line: string): Promise<string[]> {
  const text = await output("fish", [
    "--no-config",
    "--command",
    `${script}\ncomplete --do-complete ${JSON.stringify(line)}`,
  ]);
  return text.split("\n").filter((one) => one !== "").map((one) => one.split("\t", 1)[0] ?? "");
}

Deno.test({
  name: "fishCompletion() offers in a real fish what is typed",
  ignore: !fishThere,
  async fn() {
    const script = fishCompletion(sampleModel);
    for (const [typed, completed] of TYPED) {
      const last = (text: string) => text.trimEnd().split(" ").at(-1) ?? "";
      const offers = await fishOffers(script, typed);
      const whole = offers.filter((one) => one.startsWith(last(completed)));
      if (completed !== typed) assert.ok(whole.length > 0, `${typed}: ${offers}`);
      if (completed.endsWith(" ")) assert.deepEqual(offers, [last(completed)], typed);
    }
  },
});

Deno.test({
  name: "fishCompletion() says what options mean",
  ignore: !fishThere,
  async fn() {
    const text = await output("fish", [
      "--no-config",
      "--command",
      `${
        fishCompletion(sampleModel)
      }\ncomplete --do-complete 'rsp sample -qu'; complete --do-complete 'rsp sam'`,
    ]);
    assert.equal(
      text,
      "-quiet\tSays nothing: $(false)\nsample\tShows \"quotes\", `ticks`, $HOME, 'more': and \\slashes\n",
    );
  },
});

Deno.test({
  name: "bashCompletion() completes whole words where bash does not take them apart",
  ignore: !bashThere,
  async fn() {
    const line = "rsp sample -weight=Odde";
    const script = `${bashCompletion(sampleModel)}
COMP_WORDBREAKS=' ' COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${line}) COMP_CWORD=2
_rsp
printf '%s\\n' "\${COMPREPLY[@]}"`;
    assert.equal(await output("bash", ["--norc"], script), "-weight=Oddest:\n");
  },
});

const all = await completionModel();

for (
  const [shell, there, script] of [
    ["bash", bashThere, bashCompletion(all)],
    ["zsh", zshThere, zshCompletion(all)],
    ["fish", fishThere, fishCompletion(all)],
  ] as const
) {
  Deno.test({
    name: `the script for ${shell} with all commands is one that ${shell} reads, and names every option`,
    ignore: !there,
    async fn() {
      await output(shell, ["-n"], script);
      for (const { names, options } of all.commands) {
        for (const { word } of options) {
          assert.match(script, new RegExp(`[ '"-]${word}[ =:'"]`), `${names[0]}: ${word}`);
        }
      }
      for (const program of all.programs) assert.ok(script.includes(program), program);
    },
  });
}
