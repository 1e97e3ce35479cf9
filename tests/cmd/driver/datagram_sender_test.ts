import assert from "node:assert/strict";
import dgram from "node:dgram";
import { openDatagramSender } from "../../../cmd/driver/datagram_sender.ts";

const DEADLINE_MS = 20_000;

/** A socket on loopback, and the first octets of what came to it. */
class Ear implements AsyncDisposable {
  readonly heard: number[] = [];
  readonly #socket = dgram.createSocket("udp4");
  #wake: (() => void) | undefined;

  /** @returns its port */
  async open(): Promise<number> {
    this.#socket.on("message", ([first = -1]) => {
      this.heard.push(first);
      this.#wake?.();
    });
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", () => resolve()));
    return this.#socket.address().port;
  }

  async hears(count: number): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (this.heard.length < count) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`only ${this.heard} came`));
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

Deno.test("openDatagramSender() sends in order from the first datagram on, and all before it closes", async () => {
  await using ear = new Ear();
  const to = { address: "127.0.0.1", port: await ear.open() } as const;
  const problems: string[] = [];
  const sender = openDatagramSender({ to, onProblem: (sentence) => problems.push(sentence) });
  for (let number = 1; number <= 60; number++) sender.send(Uint8Array.of(number));
  await ear.hears(60);
  for (let number = 61; number <= 120; number++) sender.send(Uint8Array.of(number));
  await sender.close();
  sender.send(Uint8Array.of(99));
  await ear.hears(120);
  assert.deepEqual(ear.heard, Array.from({ length: 120 }, (_, index) => index + 1));
  assert.deepEqual(problems, []);
});

Deno.test("openDatagramSender() keeps so many datagrams and no more while the socket is not ready", async () => {
  await using ear = new Ear();
  const to = { address: "127.0.0.1", port: await ear.open() } as const;
  const sender = openDatagramSender({ to, onProblem: assert.fail });
  for (let number = 0; number < 100; number++) sender.send(Uint8Array.of(number));
  await sender.close();
  await ear.hears(64);
  assert.deepEqual(ear.heard, Array.from({ length: 64 }, (_, index) => index));
});

Deno.test("openDatagramSender() says once what is wrong", async () => {
  const problems: string[] = [];
  // A broadcast address wants a permission that this socket does not ask for.
  const to = { address: "255.255.255.255", port: 9 } as const;
  const sender = openDatagramSender({ to, onProblem: (sentence) => problems.push(sentence) });
  for (let number = 0; number < 5; number++) sender.send(Uint8Array.of(number));
  await sender.close();
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /^cannot send to 255\.255\.255\.255:9: /);
});
