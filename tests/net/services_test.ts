/** The small services with real programs in a laboratory: failovers by kill -9, and packets without fault. */
import assert from "node:assert/strict";
import { faultyPackets, packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";

const possible = await labIsPossible();
const OPTIONS = ["-transport=embedded", "-encapsulation=raw"] as const;

/** A registrar on PC 1, and a server on PC 2 and 3, each with these services. */
async function startPool(lab: Lab, ...services: readonly string[]): Promise<Map<number, Program>> {
  // An element that is late is not dead; of one that is dead its host says so, unless it has a successor there.
  const registrar = lab.pc(1).rsp("registrar", ...OPTIONS, "-endpointkeepalivetimeoutinterval=20000");
  await registrar.says(/ASAP has SCTP port/);
  const servers = [2, 3].map((number) => {
    return [number, lab.pc(number).rsp("server", ...services, ...OPTIONS)] as const;
  });
  for (const [, server] of servers) await server.saysTimes("registered as", services.length);
  return new Map(servers);
}

/** The PC whose server has an element of this ID. */
function pcOf(servers: ReadonlyMap<number, Program>, elementId: string): number {
  for (const [number, { output }] of servers) if (output.includes(`0x${elementId}`)) return number;
  throw new Error(`Cannot find element ${elementId}: no server has said that it is its own`);
}

/** How often the serving element is killed. */
const KILLS = 4;

/** Waits until another element than this one has answered in the output from there on, and many replies have come. */
async function manyReplies(user: Program, from: number, elementId: string): Promise<void> {
  const { index } = await user.says(
    new RegExp(`from PE \\$(?!${elementId})[0-9a-f]{8} \\(reply #`),
    undefined,
    from,
  );
  const before = user.output.slice(0, index).split("(reply #").length - 1;
  await user.saysTimes("(reply #", before + 25);
}

/** The element that has answered last. */
function lastElement(user: Program): string {
  return [...user.output.matchAll(/from PE \$([0-9a-f]{8}) \(reply #/g)].at(-1)![1]!;
}

/** A file for the time of a test. */
async function withFile(name: string, use: (file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(`${directory}/${name}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test({
  name: "ping-pong: the serving element is killed four times, no number is left out, no packet is wrong",
  ignore: !possible,
  fn: () =>
    withFile("pc4.pcap", async (recording) => {
      await using lab = await Lab.open(4);
      const recorder = await lab.pc(4).capture(recording);
      const servers = await startPool(lab, "-pingpong");
      // A server that is late is not left: only those that are killed are.
      const user = lab.pc(4).rsp("pingpongclient", ...OPTIONS, "-interval=50", "-recvtimeout=30000");
      await manyReplies(user, 0, "nobody");
      for (let kill = 1; kill <= KILLS; kill++) {
        const elementId = lastElement(user);
        const number = pcOf(servers, elementId);
        const from = user.output.length;
        servers.get(number)!.signal("SIGKILL");
        await servers.get(number)!.exitCode();
        const successor = lab.pc(number).rsp("server", "-pingpong", ...OPTIONS);
        servers.set(number, successor);
        await successor.says(/registered as/);
        await manyReplies(user, from, elementId);
      }
      assert.equal(await user.interrupt(), 0, user.output);
      await recorder.interrupt();
      const [, answers, unanswered, failovers] = await user.says(
        /\d+ messages sent, (\d+) answered, (\d+) unanswered; (\d+) failovers/,
      );
      assert.ok(Number(failovers) >= KILLS && Number(failovers) <= 2 * KILLS, user.output);
      // But for the last ones: however many were under way when it was interrupted, for the server may have stood still.
      const acknowledged = [...user.output.matchAll(/^Ack #(\d+) from PE/gm)].map(([, number]) =>
        Number(number)
      );
      assert.deepEqual(acknowledged, Array.from({ length: Number(answers) }, (_, i) => i + 1));
      assert.match(user.output, /0 gaps \(0 replies\), \d repl(y|ies) repeated, 0 invalid/);
      assert.deepEqual(await faultyPackets(recording), []);
      for (
        const filter of [
          "pingpongprotocol.message_type == 1",
          "pingpongprotocol.message_type == 2",
          "asap.message_type == 11", // Cookie
          "asap.message_type == 12", // Cookie Echo
        ]
      ) assert.ok((await packets(recording, filter)).length > 0, filter);
      const replies = await packets(recording, "pingpongprotocol.pong_replyno", [
        "pingpongprotocol.pong_replyno",
      ]);
      const last = Math.max(...replies.flatMap((line) => line.split(",").map(Number)));
      const most = Number(answers) + Number(unanswered); // a reply that it did not wait for is on the wire, too
      assert.ok(
        last >= Number(answers) - 10 && last <= most,
        `reply ${last} of ${answers}, ${unanswered} unanswered`,
      );
    }),
});

Deno.test({
  name: "terminal: echo over the death of an element, daytime, and a character generator, no packet is wrong",
  ignore: !possible,
  fn: () =>
    withFile("pc4.pcap", async (recording) => {
      await using lab = await Lab.open(4);
      const recorder = await lab.pc(4).capture(recording);
      const servers = await startPool(lab, "-echo", "-discard", "-daytime", "-chargen");
      const user = lab.pc(4).rspTyping("terminal", ...OPTIONS);
      await user.types("hello");
      const [, elementId] = await user.says(/from PE \$([0-9a-f]{8})> hello/);
      const number = pcOf(servers, elementId!);
      servers.get(number)!.signal("SIGKILL");
      await servers.get(number)!.exitCode();
      await user.types("are you there");
      await user.saysTimes("talking to", 2);
      await user.types("hello again");
      const [, otherId] = await user.says(/from PE \$([0-9a-f]{8})> hello again/);
      assert.notEqual(otherId, elementId);
      assert.equal(await user.interrupt(), 0, user.output);

      const clock = lab.pc(4).rsp("terminal", ...OPTIONS, "-poolhandle=DaytimePool");
      assert.equal(await clock.exitCode(), 0, clock.output);
      assert.match(clock.output, /from PE \$[0-9a-f]{8}> \w+day, \d\d-\w+-\d{4} \d\d:\d\d:\d\d\.\d{6}\n/);
      const characters = lab.pc(4).rsp("terminal", ...OPTIONS, "-poolhandle=CharGenPool");
      await characters.saysTimes("from PE", 200);
      assert.equal(await characters.interrupt(), 0, characters.output.slice(0, 1000));

      await recorder.interrupt();
      assert.deepEqual(await faultyPackets(recording), []);
    }),
});
