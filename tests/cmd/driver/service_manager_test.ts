import assert from "node:assert/strict";
import { serviceManager } from "../../../cmd/driver/service_manager.ts";
import { runProgram } from "../../../cmd/run.ts";
import { sendUnixDatagram } from "../../../ffi/unix_datagram.ts";
import { recordOutput } from "../world.ts";

const AF_UNIX = 1, SOCK_DGRAM = 2, SOL_SOCKET = 1, SO_RCVTIMEO = 20;
/** Nothing here takes longer unless it is broken. */
const DEADLINE_S = 30;

/** Stands for a service manager: a datagram socket of the C library, read by a thread. */
class Manager implements Disposable {
  readonly #libc = Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize", nonblocking: true },
    close: { parameters: ["i32"], result: "i32" },
  });
  readonly #fd: number;

  constructor(path: string) {
    const { socket, bind, setsockopt } = this.#libc.symbols;
    this.#fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const deadline = new BigInt64Array([BigInt(DEADLINE_S), 0n]);
    assert.equal(setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(deadline.buffer), 16), 0);
    const name = new TextEncoder().encode(path.replace(/^@/, "\0"));
    const address = new Uint8Array(2 + name.length);
    new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX;
    address.set(name, 2);
    assert.equal(bind(this.#fd, address, address.length), 0);
  }

  /** The next datagram. A process that was stopped asks again: its call was interrupted. */
  async next(): Promise<string> {
    const buffer = new Uint8Array(4096), deadline = performance.now() + 1000 * DEADLINE_S;
    for (;;) {
      const length = Number(await this.#libc.symbols.recv(this.#fd, buffer, 4096n, 0));
      if (length >= 0) return new TextDecoder().decode(buffer.subarray(0, length));
      assert.ok(performance.now() < deadline, "no datagram came in time");
    }
  }

  [Symbol.dispose](): void {
    this.#libc.symbols.close(this.#fd);
    this.#libc.close();
  }
}

Deno.test("sendUnixDatagram() reaches sockets by paths and by abstract names", async () => {
  const folder = await Deno.makeTempDir({ prefix: "rsp-notify-" });
  try {
    for (const path of [`${folder}/socket`, `@rsp-test-${crypto.randomUUID()}`]) {
      using manager = new Manager(path);
      sendUnixDatagram(path, new TextEncoder().encode("HELLO=1"));
      assert.equal(await manager.next(), "HELLO=1");
    }
    assert.throws(() => sendUnixDatagram(`${folder}/nobody`, new Uint8Array(1)), { code: "ENOENT" });
    assert.throws(() => sendUnixDatagram("x".repeat(108), new Uint8Array(1)), RangeError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serviceManager() tells once that the process serves, and says when nobody listens", async () => {
  const path = `@rsp-test-${crypto.randomUUID()}`;
  const problems: string[] = [];
  {
    using listener = new Manager(path);
    const manager = serviceManager(path, (sentence) => problems.push(sentence));
    manager.ready();
    manager.ready();
    manager.stopping();
    assert.match(await listener.next(), /^READY=1\n/);
    assert.match(await listener.next(), /^STOPPING=1\n/);
  }
  assert.equal(problems.length, 0);
  serviceManager(path, (sentence) => problems.push(sentence)).ready();
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? "",
    /^the service manager at @rsp-test-.* cannot be told READY=1: .*ECONNREFUSED/,
  );
});

Deno.test("a registrar that a service manager starts tells when it serves and when it ends", async () => {
  const path = `@rsp-test-${crypto.randomUUID()}`;
  using manager = new Manager(path);
  const end = new AbortController(), stdout = recordOutput(), stderr = recordOutput();
  const line = [
    ...["registrar", "-transport=embedded", "-encapsulation=udp", "-asap=127.0.0.1:0", "-enrp=127.0.0.1:0"],
    ...["-asapannounce=off", "-enrpannounce=off"],
  ];
  const ended = runProgram({
    calledAs: "rsp",
    arguments: line,
    stdout,
    stderr,
    variable: (name) => name === "NOTIFY_SOCKET" ? path : undefined,
    signal: end.signal,
  });
  assert.match(await manager.next(), /^READY=1\n/);
  end.abort("SIGTERM");
  assert.match(await manager.next(), /^STOPPING=1\n/);
  assert.equal(await ended, 0);
});
