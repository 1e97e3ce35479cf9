/** The terminal with real services, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import type { Output } from "../../../cmd/command.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { command as terminal } from "../../../cmd/terminal/command.ts";
import { Program, startRegistrar } from "../program.ts";

/** What a terminal heard. */
function heard(program: Program): unknown[] {
  return program.lines.filter(({ event }) => event === "message").map(({ text }) => text);
}

/** Input that can be typed while the program runs. */
function typing(): Readable {
  return new Readable({ read() {} });
}

Deno.test("rsp terminal sends its input to an echo pool, and ends when all answers are there", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-echo", option, "-identifier=0x11");
  try {
    await pe.event("registered");
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}`);
    const stdin = Readable.from(lines.map((line) => `${line}\n`));
    const user = new Program({ command: terminal, stdin }, option);
    assert.equal(await user.ended, 0);
    assert.deepEqual(heard(user), lines);
    const { element, ppid, length } = await user.event("message");
    assert.deepEqual([element, ppid, length], ["0x00000011", 0, 7]);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp terminal goes on with another element when its own leaves", async () => {
  const { program: pr, option } = await startRegistrar();
  const servers = [1, 2].map((id) => new Program(server, "-echo", option, `-identifier=${id}`));
  try {
    for (const one of servers) await one.event("registered");
    const stdin = typing();
    const user = new Program({ command: terminal, stdin }, option);
    stdin.push("before\n");
    const { element } = await user.event("message");
    const [used, other] = element === "0x00000001" ? servers : servers.toReversed();
    assert.equal(await used!.stop(), 0);
    stdin.push("after\n");
    stdin.push(null);
    assert.equal(await user.ended, 0);
    assert.deepEqual(heard(user), ["before", "after"]);
    assert.equal((await other!.event("echoed"))["lengthBytes"], 6);
  } finally {
    for (const one of [...servers, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp terminal asks a daytime pool once, and again with each line", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-daytime", option);
  try {
    await pe.event("registered");
    const pool = "-poolhandle=DaytimePool";
    const once = new Program(terminal, option, pool);
    assert.equal(await once.ended, 0);
    assert.match(String(heard(once)), /^\w+day, \d\d-\w+-\d{4} \d\d:\d\d:\d\d\.\d{6}$/);
    const stdin = typing();
    const again = new Program({ command: terminal, stdin }, option, pool);
    await again.event("terminalAnswered");
    stdin.push("\n");
    stdin.push(null);
    assert.equal(await again.ended, 0);
    assert.equal(heard(again).length, 2);
    assert.equal(pe.lines.filter(({ event }) => event === "timeTold").length, 3);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp terminal shows what a character generator sends, and ends when nobody reads that any more", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-chargen", option, "-chargenmaxthreads=1");
  try {
    await pe.event("registered");
    let written = "";
    const stdout: Output = {
      isTerminal: false,
      write: (text) => void (written += text),
      isBroken: () => written.length > 5000,
      size: () => ({ columns: 80, rows: 24 }),
    };
    const words = [option, "-poolhandle=CharGenPool", "-transport=embedded", "-encapsulation=udp"];
    const line = [...words, "-asapannounce=off", "-logquiet"];
    const { values, given } = parseOptions(terminal.options, line, () => undefined);
    const exitCode = await terminal.run({
      program: "rsp terminal",
      calledAs: "terminal",
      options: values,
      given,
      positionals: [],
      stdin: { isTerminal: false, open: typing },
      stdout,
      stderr: stdout,
      variable: () => undefined,
      signal: AbortSignal.timeout(30_000),
    });
    assert.equal(exitCode, 0);
    const [first] = written.split("\n");
    assert.match(first!, /^from PE \$[0-9a-f]{8}> \.\. !"#\$%&'\(\)\*\+,-\.\/0123456789:;<=>\?@ABC/);
    assert.equal(first!.length, "from PE $00000000> ".length + 1024);
    await pe.event("chargenEnded");
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("rsp terminal looks for an unknown pool at growing intervals", async () => {
  const { program: pr, option } = await startRegistrar();
  try {
    const user = new Program({ command: terminal, stdin: typing() }, option, "-poolhandle=Nobody");
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      const { text } = await user.event("sessionWaiting", attempt);
      waits.push(Number(/next attempt in ([\d.]+) s/.exec(String(text))?.[1]));
    }
    assert.ok(waits.every((wait, i) => i === 0 || wait > 1.3 * waits[i - 1]!), `${waits}`);
    assert.match(String((await user.event("poolUnknown"))["text"]), /no pool Nobody/);
    assert.equal(await user.stop(), 1);
  } finally {
    assert.equal(await pr.stop(), 0);
  }
});

Deno.test("rsp terminal fails when its time is up and the pool unknown", async () => {
  const { program: pr, option } = await startRegistrar();
  try {
    const stdin = Readable.from(["hello\n"]);
    const user = new Program({ command: terminal, stdin }, option, "-poolhandle=Nobody", "-timeout=0.5");
    assert.equal(await user.ended, 1);
  } finally {
    assert.equal(await pr.stop(), 0);
  }
});

Deno.test("rsp terminal ends in order by Ctrl+C", async () => {
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-discard", option, "-loglevel=4");
  try {
    await pe.event("registered");
    const stdin = typing();
    const user = new Program({ command: terminal, stdin }, option, "-poolhandle=DiscardPool");
    stdin.push("into the void\n");
    assert.equal((await pe.event("discarded"))["lengthBytes"], 14);
    assert.equal(await user.stop(), 0);
    assert.match(String((await pe.event("sessionDown"))["text"]), /shut down by the peer/);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
});
