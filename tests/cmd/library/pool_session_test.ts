import assert from "node:assert/strict";
import { PoolSession } from "../../../cmd/library/pool_session.ts";
import { SessionLife } from "../../../cmd/library/session_life.ts";
import type { PoolSessionOptions } from "../../../cmd/library/session_life.ts";
import type { SessionCommand, SessionEvent } from "../../../protocol/session/mod.ts";
import { within } from "./pools.ts";

/** A session without a network: what it asks for is written down in short, what happens to it is said by the test. */
class Bench {
  readonly commands: string[] = [];
  readonly session: PoolSession;
  readonly #life: SessionLife;

  constructor(options: PoolSessionOptions) {
    this.#life = new SessionLife(1, "P", options, {
      command: (command) => void this.commands.push(inShort(command)),
      queuedOctets: () => 0,
      registrarTrouble: () => undefined,
      forget: () => {},
    });
    this.session = new PoolSession("P", this.#life);
    this.happens({ type: "sessionOpened", session: 1, peer: [], elementId: 1 });
  }

  happens(event: SessionEvent): void {
    this.#life.event(event);
  }

  failover(state: "necessary" | "complete", elementId: number): void {
    const loss = state === "necessary" ? "silent" : undefined;
    const hasCookie = false, reason = "it was pulled out";
    this.happens({ type: "sessionFailover", session: 1, state, hasCookie, elementId, loss, reason });
  }

  answer(text: string): void {
    const data = new TextEncoder().encode(text);
    this.happens({ type: "sessionMessage", session: 1, ppid: 0, stream: 0, data });
  }

  end(): void {
    this.happens({ type: "sessionClosed", session: 1, reason: "over" });
  }
}

function inShort(command: SessionCommand): string {
  return command.type === "send" ? `send ${new TextDecoder().decode(command.data)}` : command.type;
}

/** Lets everything run that has been made possible. */
async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

for (const failover of ["auto", "manual"] as const) {
  Deno.test(`a request that waits for room when its element is lost goes to the next one, failover ${failover}`, async () => {
    const bench = new Bench({ failover });
    bench.happens({ type: "sessionBlocked", session: 1 });
    const answer = bench.session.request("?");
    await turn();
    assert.deepEqual(bench.commands, [], "there is no room");
    bench.failover("necessary", 1);
    assert.deepEqual(bench.commands, ["failover"], "nobody else has said that another element is looked for");
    bench.failover("complete", 2);
    await turn();
    bench.answer("!");
    assert.equal((await within("the answer", answer)).text, "!");
    assert.deepEqual(bench.commands, ["failover", "send ?", "consumed"]);
    bench.end();
  });
}

Deno.test("with manual failover nobody looks for an element when no request waits, nor for one that waited before", async () => {
  const bench = new Bench({ failover: "manual" });
  bench.failover("necessary", 1);
  assert.deepEqual(bench.commands, []);
  const answer = bench.session.request("?");
  await turn();
  assert.deepEqual(bench.commands, ["failover"]);
  bench.failover("complete", 2);
  await turn();
  bench.answer("!");
  await within("the answer", answer);
  const before = bench.commands.length;
  bench.failover("necessary", 2);
  assert.equal(bench.commands.length, before, "the program says when");
  bench.end();
});
