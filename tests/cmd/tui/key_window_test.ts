/** Programs with a window in a real terminal give it back as it was. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { RealTerminal, terminalIsPossible } from "./real_terminal.ts";
import type { TerminalState } from "./real_terminal.ts";

const possible = await terminalIsPossible();
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const DENO = `${Deno.execPath()} run --allow-all --quiet`;
const MONITOR = `${DENO} ${ROOT}/cmd/main.ts cspmonitor -localaddress=127.0.0.1:0 -web=off`;

/** A terminal with a program that has the window, and without. */
const TAKEN: TerminalState = { isAlternate: true, isCursorVisible: false, isCooked: false };
const GIVEN_BACK: TerminalState = { isAlternate: false, isCursorVisible: true, isCooked: true };

Deno.test({
  name:
    "cspmonitor's window follows keys and sizes, is left by Ctrl+Z and taken again by fg, and is given back in the end",
  ignore: !possible,
  async fn() {
    await using terminal = await RealTerminal.open(100, 24);
    assert.deepEqual(await terminal.state(), GIVEN_BACK);
    await terminal.types("echo before the window");
    await terminal.types(MONITOR);
    await terminal.shows(/^.*Current Component Status -- nobody/);
    await terminal.becomes(TAKEN);
    assert.doesNotMatch(await terminal.screen(), /before the window/);

    await terminal.presses("s");
    await terminal.shows(/sorted by id/);
    await terminal.presses("/", "a", "b", "c", "BSpace", "Enter");
    await terminal.shows(/Nothing has "ab" in it|Nothing has reported/);
    await terminal.resizes(50, 10);
    await terminal.shows(/^.{49}…\n/);
    await terminal.resizes(100, 24);
    await terminal.shows(/-- nobody\n/);

    await terminal.presses("C-z");
    await terminal.becomes(GIVEN_BACK);
    await terminal.shows(/[Ss]topped/);
    await terminal.shows(/before the window/);
    await terminal.types("fg; echo it ended with $?");
    await terminal.shows(/^.*Current Component Status/);
    await terminal.becomes(TAKEN);
    await terminal.presses("r");
    await terminal.shows(/sorted by id reversed/);

    await terminal.presses("C-c");
    await terminal.shows(/it ended with 0/);
    await terminal.becomes(GIVEN_BACK);
  },
});

Deno.test({
  name: "cspmonitor's window is given back at signals: the wish to stop, to go on, and to end",
  ignore: !possible,
  async fn() {
    const file = await Deno.makeTempFile();
    try {
      await using terminal = await RealTerminal.open(100, 24);
      await terminal.types(`sh -c 'echo $$ >${file}; exec ${MONITOR}'`);
      await terminal.shows(/^.*Current Component Status/);
      await terminal.becomes(TAKEN);
      const pid = Number(await Deno.readTextFile(file));
      Deno.kill(pid, "SIGTSTP");
      await terminal.becomes(GIVEN_BACK);
      await terminal.shows(/[Ss]topped/); // or it could read what is typed for the shell
      await terminal.types("fg");
      await terminal.becomes(TAKEN);
      // Stopped by force it cannot give anything back; when it goes on, it draws everything anew.
      Deno.kill(pid, "SIGSTOP");
      await terminal.shows(/[Ss]topped/);
      // Nobody has changed the modes back, so that the key Enter is no line feed.
      await terminal.types("fg; echo it ended with $?", "C-j");
      await terminal.shows(/^(?![^]*[Ss]topped).*Current Component Status[^]*q quit/);
      await terminal.becomes(TAKEN);
      Deno.kill(pid, "SIGTERM");
      await terminal.shows(/it ended with 0/);
      await terminal.becomes(GIVEN_BACK);
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: "a window that takes long to draw is not left again when fg has taken it",
  ignore: !possible,
  async fn() {
    await using terminal = await RealTerminal.open(100, 24);
    await terminal.types(`${DENO} ${ROOT}/tests/cmd/tui/slow_window.ts; echo it ended with $?`);
    await terminal.shows(/^drawing 1/);
    await terminal.becomes(TAKEN);
    await terminal.presses("C-z");
    await terminal.becomes(GIVEN_BACK);
    await terminal.shows(/[Ss]topped/);
    await terminal.types("fg; echo then it ended with $?");
    await terminal.shows(/^drawing [2-9]/);
    await terminal.presses("e");
    await terminal.shows(/then it ended with 5/);
    await terminal.becomes(GIVEN_BACK);
  },
});

for (
  const [key, said] of [
    ["x", /Error: thrown[^]*it ended with 1/],
    ["r", /Error: rejected[^]*it ended with 1/],
    ["e", /it ended with 5/],
  ] as const
) {
  Deno.test({
    name:
      `a window is given back when the program ends suddenly, by key ${key}, and what it says is there to read`,
    ignore: !possible,
    async fn() {
      await using terminal = await RealTerminal.open(120, 30);
      await terminal.types(`${DENO} ${ROOT}/tests/cmd/tui/sudden_end.ts; echo it ended with $?`);
      await terminal.shows(/^a window/);
      await terminal.becomes(TAKEN);
      await terminal.presses(key);
      await terminal.shows(said);
      await terminal.becomes(GIVEN_BACK);
    },
  });
}
