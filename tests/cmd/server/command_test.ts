/** Options of `rsp server` that concern no service, as a program has them. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { command as scriptingClient } from "../../../cmd/scriptingclient/command.ts";
import { command as registrar } from "../../../cmd/registrar/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { command as terminal } from "../../../cmd/terminal/command.ts";
import { Program, startRegistrar } from "../program.ts";

/** Runs something beside a registrar, and ends all. */
async function withRegistrar(
  body: (
    option: string,
    start: (...started: ConstructorParameters<typeof Program>) => Program,
  ) => Promise<void>,
): Promise<void> {
  const { program, option } = await startRegistrar();
  const programs = [program];
  const start = (...started: ConstructorParameters<typeof Program>) => {
    const one = new Program(...started);
    programs.unshift(one);
    return one;
  };
  try {
    await body(option, start);
  } finally {
    for (const one of programs) await one.stop();
  }
}

Deno.test("rsp registrar and rsp server are where the name of a host says", async () => {
  await withRegistrar(async (_option, start) => {
    const places = ["-asap=localhost:0", "-enrp=localhost:0", "-metrics=localhost:0", "-enrpannounce=off"];
    const pr = start(registrar, ...places);
    const { asapPort } = await pr.event("ports");
    assert.match(
      String((await pr.event("metrics"))["where"]),
      /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+\/metrics$/,
    );
    const pe = start(server, "-echo", "-local=localhost", `-registrar=localhost:${asapPort}`);
    const addresses = (await pe.event("place"))["addresses"] as readonly string[];
    assert.ok(addresses.length > 0 && addresses.every((one) => /^(127\.0\.0\.1|\[::1\]):\d+$/.test(one)));
    await pe.event("registered");
  });
});

Deno.test("rsp server -local serves at the address and the port that are named", async () => {
  await withRegistrar(async (option, start) => {
    const free = start(server, "-echo", option, "-local=127.0.0.1:0");
    const [place = ""] = (await free.event("place"))["addresses"] as string[];
    const port = /^127\.0\.0\.1:(\d+)$/.exec(place)?.[1];
    assert.ok(Number(port) > 0, place);
    assert.equal(await free.stop(), 0);
    const there = start(server, "-echo", option, `-local=127.0.0.1:${port}`);
    assert.deepEqual((await there.event("place"))["addresses"], [place]);
    await there.event("registered");
    const stdin = new PassThrough();
    stdin.end("hello\n");
    assert.equal(await start({ command: terminal, stdin }, option).ended, 0);
  });
});

Deno.test("rsp server -runtime ends by itself, in order", async () => {
  await withRegistrar(async (option, start) => {
    for (const lives of [[], ["-uptime=1000", "-downtime=0.01"], ["-uptime=0.001", "-downtime=1000"]]) {
      const pe = start(server, "-echo", option, "-runtime=500", ...lives);
      assert.equal(await pe.ended, 0);
      await pe.event("terminated");
    }
  });
});

Deno.test("rsp server -uptime and -downtime let it end and begin again", async () => {
  await withRegistrar(async (option, start) => {
    const pe = start(server, "-echo", option, "-uptime=0.001", "-downtime=0.001");
    await pe.event("down", 2);
    await pe.event("place", 3);
    assert.equal(await pe.stop(), 0);
  });
});

Deno.test("rsp server -quiet logs no notes, and all of a level that is given", async () => {
  await withRegistrar(async (option, start) => {
    const quiet = start(server, "-echo", option, "-quiet", "-runtime=300");
    assert.equal(await quiet.ended, 0);
    assert.deepEqual(quiet.lines.filter(({ level }) => Number(level) > 2), []);
    const told = start(server, "-echo", option, "-quiet", "-loglevel=3");
    await told.event("place");
  });
});

Deno.test("rsp server -businesscards gives users a card, and without it none", async () => {
  await withRegistrar(async (option, start) => {
    for (const [line, cards] of [[["-businesscards"], 1], [[], 0]] as const) {
      const pe = start(server, "-echo", option, ...line);
      await pe.event("registered");
      const stdin = new PassThrough();
      stdin.end("hello\n");
      const user = start({ command: terminal, stdin }, option, "-loglevel=9");
      assert.equal(await user.ended, 0);
      assert.equal(user.lines.filter(({ event }) => event === "sessionCard").length, cards);
      assert.equal(await pe.stop(), 0);
    }
  });
});

Deno.test("rsp server -ssverbose shows what jobs print", async () => {
  const folder = await Deno.makeTempDir();
  const script = "#!/bin/sh\necho work >&2\necho result >$1\n";
  await Deno.writeTextFile(`${folder}/ssrun`, script, { mode: 0o755 });
  await new Deno.Command("tar", { args: ["cf", `${folder}/job.tar`, "-C", folder, "ssrun"] }).output();
  try {
    await withRegistrar(async (option, start) => {
      const pe = start(server, "-scripting", option, "-sssandbox=none", "-ssverbose");
      await pe.event("registered");
      const files = [`-input=${folder}/job.tar`, `-output=${folder}/result`];
      assert.equal(await start(scriptingClient, option, ...files).ended, 0);
      const { channel, printed } = await pe.event("jobPrinted");
      assert.deepEqual([channel, printed], ["stderr", "work"]);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
