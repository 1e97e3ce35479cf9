import assert from "node:assert/strict";
import { commandEntries } from "../../cmd/commands.ts";
import { programHelp } from "../../cmd/help.ts";
import { runProgram } from "../../cmd/run.ts";
import { recordOutput } from "./world.ts";

async function rsp(line: string[], calledAs = "rsp") {
  const stdout = recordOutput(), stderr = recordOutput();
  const signal = AbortSignal.abort();
  const exitCode = await runProgram({
    calledAs,
    arguments: line,
    stdout,
    stderr,
    variable: () => undefined,
    signal,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("runProgram() lists the commands", async () => {
  const { exitCode, stdout } = await rsp(["help"]);
  assert.equal(exitCode, 0);
  for (const { name } of commandEntries) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
});

Deno.test("runProgram() lists the commands without loading one", async () => {
  const asked: string[] = [];
  const watched = commandEntries.map((entry) => ({
    ...entry,
    load: () => {
      asked.push(entry.name);
      return entry.load();
    },
  }));
  assert.match(programHelp(watched, 80), /^ {2}registrar /m);
  assert.deepEqual(asked, []);
  const { exitCode, stdout } = await rsp(["-h"]);
  assert.deepEqual([exitCode, stdout], [0, programHelp(commandEntries, 80)]);
});

Deno.test("rsp help tells about a command by each of its names, and suggests one for others", async () => {
  assert.match((await rsp(["help", "sctp_darn"])).stdout, /^Usage: rsp sctp_darn \[options\]/m);
  assert.match((await rsp(["--help", "hsdump"])).stdout, /^Usage: rsp hsdump \[options\]/m);
  const { exitCode, stdout, stderr } = await rsp(["help", "hsdmup"]);
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.equal(stderr, 'rsp help: there is no command "hsdmup"; did you mean hsdump?\n');
  assert.equal((await rsp(["help", "hsdump", "darn"])).exitCode, 2);
});

Deno.test("runProgram() without a command shows the help on stderr and exits with 2", async () => {
  const { exitCode, stdout, stderr } = await rsp([]);
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.match(stderr, /Usage: rsp <command>/);
});

Deno.test("runProgram() suggests a command that is spelled nearly like it", async () => {
  const { exitCode, stderr } = await rsp(["regisrtar"]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^rsp: there is no command "regisrtar"; did you mean registrar\?\n$/);
});

Deno.test("runProgram() says what is wrong with an option in one line and exits with 2", async () => {
  const { exitCode, stdout, stderr } = await rsp(["registrar", "-asapanounce=off"]);
  assert.deepEqual([exitCode, stdout], [2, ""]);
  assert.match(stderr, /^rsp registrar: unknown option -asapanounce; did you mean -asapannounce\? .*\n$/);
});

for (
  const [option, answer] of [
    ["-output=/", "/ is a folder, not a file to write"],
    ["-output=/nowhere/image.png", "there is no folder /nowhere"],
  ] as const
) {
  Deno.test(`the pool user refuses ${option} before it computes anything`, async () => {
    const { exitCode, stderr } = await rsp(["pooluser", option]);
    assert.equal(exitCode, 2);
    assert.ok(stderr.startsWith(`rsp pooluser: option -output: ${answer} (`), stderr);
  });
}

Deno.test("runProgram() refuses words that a command has no use for", async () => {
  const { exitCode, stderr } = await rsp(["registrar", "now"]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /"now"/);
});

Deno.test("runProgram() is a command when the program is called by the command's name", async () => {
  const { exitCode, stdout } = await rsp(["-help"], "rspregistrar");
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Usage: rspregistrar \[options\]/m);
});

for (const { name, aliases, summary, programs, load } of commandEntries) {
  Deno.test(`the list of commands agrees with the command ${name}`, async () => {
    const command = await load();
    assert.deepEqual([command.name, command.aliases, command.summary], [name, aliases, summary]);
    assert.ok(programs.every((program) => program === name || aliases.includes(program)));
  });

  Deno.test(`the help of ${name} names every option and fits the terminal`, async () => {
    const command = await load();
    const { exitCode, stdout } = await rsp(["help", name]);
    assert.equal(exitCode, 0);
    for (const option of Object.keys(command.options)) assert.ok(stdout.includes(`  -${option}`), option);
    for (const line of stdout.split("\n")) {
      if (!/^ {2}-|^ {2}rsp/.test(line)) assert.ok(line.length <= 80, line);
    }
  });

  Deno.test(`the option table of ${name} has no two options of one spelling`, async () => {
    const { options } = await load();
    const spellings = Object.entries(options).flatMap(([option, entry]) => [option, ...entry.aliases]);
    assert.equal(new Set(spellings).size, spellings.length);
  });
}
