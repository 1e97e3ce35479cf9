import assert from "node:assert/strict";
import { Conversation } from "../../../cmd/library/conversation.ts";
import type { SessionCommand } from "../../../protocol/session/mod.ts";

/** A conversation whose commands are written down in short. */
class Bench {
  readonly commands: string[] = [];
  readonly conversation: Conversation<{ readonly type: "loss" }> = new Conversation(1, "the session with P", {
    command: (command) => void this.commands.push(inShort(command)),
    queuedOctets: () => 0,
  });
}

function inShort(command: SessionCommand): string {
  switch (command.type) {
    case "send":
      return `send ${command.data.length}`;
    case "closeSession":
      return command.how;
    default:
      return command.type;
  }
}

const ENDED = { name: "PoolError", reason: "ended" };

Deno.test("Conversation that is closed sends what waits before it ends, and takes nothing more", async () => {
  const { conversation, commands } = new Bench();
  conversation.up();
  conversation.blocked(true);
  const waiting = [conversation.send(new Uint8Array(3), {}), conversation.send(new Uint8Array(4), {})];
  const closed = conversation.close("shutdown");
  assert.deepEqual(commands, [], "nothing can be sent yet, and SHUTDOWN would overtake it");
  await assert.rejects(conversation.send("late", {}), ENDED);
  conversation.blocked(false);
  assert.deepEqual(commands, ["send 3", "send 4", "shutdown"]);
  await Promise.all(waiting);
  void conversation.close("shutdown");
  assert.equal(commands.length, 3, "once is enough");
  conversation.end("shut down");
  await closed;
});

Deno.test("Conversation that is closed without an association, or loses it then, rejects what waits", async () => {
  for (const lostAfterwards of [false, true]) {
    const { conversation, commands } = new Bench();
    conversation.up();
    conversation.blocked(true);
    if (!lostAfterwards) conversation.lost();
    const waiting = assert.rejects(conversation.send("x", {}), ENDED);
    const closed = conversation.close("shutdown");
    if (lostAfterwards) conversation.lost();
    assert.deepEqual(commands, [lostAfterwards ? "abort" : "shutdown"]);
    conversation.end("closed");
    await Promise.all([waiting, closed]);
    conversation.up();
    assert.equal(commands.length, 1, "what was rejected is not sent");
  }
});

Deno.test("Conversation that is aborted, or whose element ends, rejects what waits and what comes", async () => {
  for (const end of ["abort", "abandon"] as const) {
    const { conversation, commands } = new Bench();
    conversation.up();
    conversation.blocked(true);
    const waiting = assert.rejects(conversation.send("x", {}), ENDED);
    if (end === "abort") void conversation.close("abort");
    else conversation.abandon();
    await assert.rejects(conversation.send("y", {}), ENDED);
    conversation.blocked(false);
    assert.deepEqual(commands, end === "abort" ? ["abort"] : []);
    conversation.end("over");
    await waiting;
  }
});

Deno.test("Conversation that is being closed in order can still be aborted", async () => {
  const { conversation, commands } = new Bench();
  conversation.up();
  const closed = conversation.close("shutdown");
  void conversation.close("abort");
  assert.deepEqual(commands, ["shutdown", "abort"]);
  conversation.end("aborted");
  await closed;
});

Deno.test("Conversation says in which era a message went and an event came", async () => {
  const { conversation } = new Bench();
  conversation.up();
  assert.equal(await conversation.send("x", {}), 0);
  conversation.event({ type: "loss" });
  conversation.lost();
  const waiting = conversation.send("y", {});
  conversation.up();
  conversation.event({ type: "loss" });
  assert.equal(await waiting, 1);
  assert.deepEqual([await eraOf(conversation), await eraOf(conversation)], [0, 1]);
  conversation.end("over");
});

async function eraOf(conversation: Bench["conversation"]): Promise<number | undefined> {
  return (await conversation.nextEntry()).value?.era;
}
