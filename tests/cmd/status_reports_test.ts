/** Status reports of the commands, as a monitor gets them. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { command as calcApp } from "../../cmd/calcappclient/command.ts";
import { statusOptions } from "../../cmd/common_options.ts";
import { statusPlan } from "../../cmd/driver/status_reports.ts";
import { command as farm } from "../../cmd/farm/command.ts";
import { OptionError } from "../../cmd/options.ts";
import { parseOptions } from "../../cmd/parse_options.ts";
import type { OptionValues } from "../../cmd/options.ts";
import { command as pingPong } from "../../cmd/pingpongclient/command.ts";
import { command as poolUser } from "../../cmd/pooluser/command.ts";
import { command as scripting } from "../../cmd/scriptingclient/command.ts";
import { command as server } from "../../cmd/server/command.ts";
import { command as terminal } from "../../cmd/terminal/command.ts";
import { ComponentGroup, componentId } from "../../protocol/csp/mod.ts";
import { Program, startRegistrar } from "./program.ts";
import type { StartedCommand } from "./program.ts";
import { StatusMonitor } from "./status_monitor.ts";

const PR = ComponentGroup.registrar, PE = ComponentGroup.element, PU = ComponentGroup.user;

/** All but the fractal one, which has a test of its own. */
const SERVICES = ["-echo", "-discard", "-daytime", "-chargen", "-pingpong", "-calcapp", "-scripting"];

Deno.test("registrar, element and user report what they are and with whom they are, and at last that they end", async () => {
  const folder = await Deno.makeTempDir();
  await using monitor = await StatusMonitor.open();
  const { program: pr, option } = await startRegistrar(
    "-identifier=0x1111",
    "-endpointkeepalivetransmissioninterval=300", // by which the element learns whose registrar it is
    ...monitor.options,
  );
  const registrarId = componentId(ComponentGroup.registrar, 0x1111);
  const element = ["-fractal", option, "-identifier=0x22", "-policy=LeastUsed", "-fgpmaxrate=2000"];
  const pe = new Program(server, ...element, ...monitor.options);
  const image = ["-width=64", "-height=64", `-output=${folder}/out.png`, "-identifier=0x33"];
  const started = [pe, pr];
  try {
    await monitor.reportOf(PR, ({ status }) => status === "1[1] PEs in 1 Pool, 0 Peers");
    // An image is over soon: the element knows its registrar before it begins.
    await monitor.reportOf(PE, ({ associations: [first] }) => first?.receiver === registrarId);
    const user = new Program(poolUser, option, ...image, ...monitor.options);
    started.unshift(user);
    const busy = await monitor.reportOf(PE, ({ workload, associations: [first] }) => {
      return (workload ?? 0) > 0 && first?.receiver === registrarId;
    });
    assert.equal(busy.status, "1 Session in FractalGeneratorPool");
    assert.equal(busy.sender, componentId(PE, 0x22));
    assert.deepEqual(busy.associations.map(({ receiver, ppid, protocol }) => [receiver, ppid, protocol]), [
      [registrarId, 11, 132],
    ]);
    const working = await monitor.reportOf(PU, ({ status }) => /^Processed packet/.test(status));
    assert.match(working.status, /^Processed packet #\d+ of PE \$00000022$/);
    assert.deepEqual(working.associations.map(({ receiver, ppid }) => [receiver, ppid]), [
      [componentId(PR, 0), 11], // nobody tells a user who an unannounced registrar is
      [componentId(PE, 0x22), 32],
    ]);
    assert.equal(await user.ended, 0);
  } finally {
    for (const one of started) assert.equal(await one.stop(), 0);
    for (const group of [PR, PE, PU]) await monitor.reportOf(group, ({ isFinal }) => isFinal);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an element and a user may have one ID in the pool and another one in reports", async () => {
  await using monitor = await StatusMonitor.open();
  const { program: pr, option } = await startRegistrar();
  const typing = new PassThrough();
  const pe = new Program(
    server,
    ...["-echo", option, "-identifier=0x22", "-cspidentifier=0x99"],
    ...monitor.options,
  );
  const user = new Program(
    { command: terminal, stdin: typing },
    ...[option, "-identifier=0x33", "-cspidentifier=0x99"],
    ...monitor.options,
  );
  try {
    assert.equal((await pe.event("registered"))["element"], "0x00000022");
    for (const group of [PE, PU]) {
      assert.equal((await monitor.reportOf(group)).sender, componentId(group, 0x99));
    }
  } finally {
    for (const one of [user, pe, pr]) await one.stop();
  }
});

Deno.test("every service of one server reports as an element of its own", async () => {
  await using monitor = await StatusMonitor.open();
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, ...SERVICES, option, ...monitor.options);
  try {
    for (let number = 1; number <= SERVICES.length; number++) {
      const { element } = await pe.event("registered", number);
      const sender = componentId(PE, Number(element));
      await monitor.report((report) => report.sender === sender && report.associations.length === 1);
    }
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
  }
  const ends = new Set<bigint>();
  for (let count = 0; count < SERVICES.length; count++) {
    const { sender } = await monitor.reportOf(PE, ({ isFinal, sender }) => isFinal && !ends.has(sender));
    ends.add(sender);
  }
});

/** A pool user at work: what it says to a monitor then, and what it speaks with its element. */
interface User {
  readonly start: StartedCommand;
  readonly line?: readonly string[];
  readonly ppid: number;
  readonly says: RegExp;
}

/** @param folder for files that they want or make */
function users(folder: string): Readonly<Record<string, User>> {
  const typing = new PassThrough();
  typing.write("hello\n");
  return {
    terminal: { start: { command: terminal, stdin: typing }, ppid: 0, says: /^1 Session$/ },
    pingpongclient: {
      start: { command: pingPong },
      line: ["-interval=20"],
      ppid: 33,
      says: /^Reply #\d+ of PE \$[0-9a-f]{8}$/,
    },
    calcappclient: {
      start: { command: calcApp },
      line: ["-jobinterval=0.05", "-jobsize=1000", `-vector=${folder}/v.vec`, `-scalar=${folder}/s.sca`],
      ppid: 34,
      says: /^Job #\d+ (\.\.\.|completed!)$/,
    },
    scriptingclient: {
      start: { command: scripting },
      line: [`-input=${folder}/job.tar`, `-output=${folder}/result.tar`],
      ppid: 35,
      says: /0x[0-9a-f]{8}\)? is processing$/,
    },
    farm: {
      start: { command: farm },
      line: ["-values", "-command=sleep 60", `-output=${folder}/results`, "one", "two"],
      ppid: 35,
      says: /^0 of 2 jobs done, 0 failed, 2 running$/,
    },
  };
}

Deno.test("every pool user takes the monitor from the environment, and reports what it does and with whom", async (t) => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/ssrun`, "#!/bin/sh\nsleep 60\n", { mode: 0o755 });
  await new Deno.Command("tar", { args: ["cf", `${folder}/job.tar`, "-C", folder, "ssrun"] }).output();
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, ...SERVICES, "-sssandbox=none", "-ssmaxthreads=4", option);
  await pe.event("registered", SERVICES.length);
  try {
    for (const [name, { start, line = [], ppid, says }] of Object.entries(users(folder))) {
      await t.step(name, async () => {
        await using monitor = await StatusMonitor.open();
        const variables = { CSP_SERVER: monitor.server, CSP_INTERVAL: "20" };
        const user = new Program({ ...start, variables }, option, ...line);
        try {
          const report = await monitor.reportOf(PU, ({ status, associations }) => {
            return says.test(status) && associations.length > 1;
          });
          const spoken = report.associations.map((association) => association.ppid);
          assert.deepEqual([...new Set(spoken)], [11, ppid], "it speaks with its registrar and its elements");
          assert.equal(report.intervalUs, 20_000);
          assert.equal(report.workload, undefined);
        } finally {
          await user.stop();
        }
        await monitor.reportOf(PU, ({ isFinal }) => isFinal);
      });
    }
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("statusPlan() takes one of the two options for both, and finds the monitor by its name", async () => {
  const plan = (line: string[], variables: Record<string, string> = {}) =>
    statusPlan(
      parseOptions(statusOptions, line, (name) => variables[name]).values as OptionValues<
        typeof statusOptions
      >,
      (name) => Promise.resolve(name === "monitor" ? ["10.1.0.9"] : []),
    );
  assert.equal(await plan([]), undefined);
  assert.deepEqual(await plan(["-cspserver=monitor"]), {
    server: { address: "10.1.0.9", port: 2960 },
    intervalMs: 250,
  });
  assert.deepEqual(await plan(["-cspinterval=500"]), {
    server: { address: "127.0.0.1", port: 2960 },
    intervalMs: 500,
  });
  assert.deepEqual(await plan([], { CSP_SERVER: "10.1.0.8:3000", CSP_INTERVAL: "700" }), {
    server: { address: "10.1.0.8", port: 3000 },
    intervalMs: 700,
  });
  await assert.rejects(plan(["-cspserver=nobody"]), OptionError);
});
