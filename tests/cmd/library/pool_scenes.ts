/** What the library promises, over whatever carries SCTP. */
import assert from "node:assert/strict";
import { PoolClient, PoolElement, PoolError, PoolRegistrar, PoolSession } from "../../../cmd/library/mod.ts";
import type {
  ElementSession,
  PoolClientOptions,
  PoolLogEntry,
  PoolSessionEvent,
  PoolSessionOptions,
} from "../../../cmd/library/mod.ts";
import { echo, poolStarter, within } from "./pools.ts";
import type { TestTransport } from "./pools.ts";
import { ComponentGroup, componentId } from "../../../protocol/csp/mod.ts";
import { within as inTime } from "../../ffi/within.ts";
import { StatusMonitor } from "../status_monitor.ts";

/** Gives up as soon as the log has these words, however long that takes. */
function untilSaid(words: RegExp): Pick<PoolClientOptions & PoolSessionOptions, "log" | "signal"> {
  const said = new AbortController();
  return {
    signal: said.signal,
    log: ({ text }) => {
      if (words.test(text)) queueMicrotask(() => said.abort());
    },
  };
}

/** Answers with its name. */
function named(name: string): (session: ElementSession) => Promise<void> {
  return async (session) => {
    for await (const { text } of session) await session.send(`${name} ${text}`);
  };
}

async function read(session: PoolSession, count: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of session) {
    texts.push(text);
    if (texts.length === count) break;
  }
  return texts;
}

/** Waits until a number stands still while a hundred messages go to and fro elsewhere: what could go on would have done so. */
async function standstill(number: () => number, elsewhere: PoolSession): Promise<void> {
  for (let last = -1, rounds = 0; rounds < 100; rounds++) {
    if (number() !== last) rounds = 0;
    last = number();
    await inTime(120_000, elsewhere.request("tick"), "an answer");
  }
}

/** All tests of the library that run over whatever carries SCTP. */
export function testPools(options: TestTransport): void {
  const startPool = poolStarter(options);

  Deno.test("a session sends and reads messages in order, and a loop that was left goes on with the next one", async () => {
    await using pool = await startPool();
    await using _server = await pool.serve(echo);
    await using session = await PoolSession.open("TestPool", pool.options);
    for (const text of ["one", "two", "three"]) await session.send(text);
    assert.deepEqual(await within("two messages", read(session, 2)), ["one", "two"]);
    assert.deepEqual(await within("one message", read(session, 1)), ["three"]);
  });

  Deno.test("payload protocol and stream come over, both ways", async () => {
    await using pool = await startPool();
    await using _server = await pool.serve(async (session) => {
      for await (const { data, ppid, stream } of session) {
        await session.send(data, { ppid: ppid + 1, stream });
      }
    });
    await using session = await PoolSession.open("TestPool", pool.options);
    const answer = await within("an answer", session.request("x", { ppid: 33, stream: 3 }));
    assert.deepEqual([answer.ppid, answer.stream, answer.text], [34, 3, "x"]);
    assert.throws(() => session.send("x", { ppid: 11 }), /ASAP's own/);
    assert.throws(() => session.send(""), /empty message/);
  });

  Deno.test("when the element ends, the session goes on with another one and the program reads it in its place", async () => {
    await using pool = await startPool();
    const servers = [await pool.serve(named("alpha")), await pool.serve(named("beta"))];
    await using session = await PoolSession.open("TestPool", pool.options);
    const [before = ""] = (await within("an answer", session.request("?"))).text.split(" ");
    const lost = session.elementId;
    const events: PoolSessionEvent[] = [];
    await servers.find(({ elementId }) => elementId === lost)?.close();
    for await (const event of session.events()) {
      events.push(event);
      if (event.type === "failover" && event.state === "complete") break;
    }
    assert.deepEqual(
      events.map((event) => event.type === "failover" ? [event.state, event.hasCookie, event.loss] : event),
      [["necessary", false, "shutdown"], ["complete", false, undefined]],
    );
    assert.notEqual(session.elementId, lost);
    const [after] = (await within("an answer", session.request("?"))).text.split(" ");
    assert.deepEqual([before, after].sort(), ["alpha", "beta"]);
    for (const server of servers) await server.close();
  });

  Deno.test("a request to an element that does not answer goes to another one, which the registrar is told", async () => {
    await using pool = await startPool();
    const entries: PoolLogEntry[] = [];
    await using _deaf = await pool.serve(async (session) => void await session.closed);
    await using session = await PoolSession.open("TestPool", {
      ...pool.options,
      log: (entry) => entries.push(entry),
    });
    await using _alpha = await pool.serve(named("alpha"));
    const { text } = await within("an answer", session.request("?", { timeoutMs: 300 }));
    assert.equal(text, "alpha ?");
    assert.ok(entries.some(({ report }) => report?.type === "unreachableReported"));
  });

  Deno.test("requests that are made together are answered one after the other", async () => {
    await using pool = await startPool();
    await using _server = await pool.serve(echo);
    await using session = await PoolSession.open("TestPool", pool.options);
    const texts = Array.from({ length: 20 }, (_, n) => `${n}`);
    const answers = await within("answers", Promise.all(texts.map((text) => session.request(text))));
    assert.deepEqual(answers.map(({ text }) => text), texts);
  });

  Deno.test("the next element finds the newest cookie, and a new user brings none", async () => {
    await using pool = await startPool();
    const cookies: (string | undefined)[] = [];
    const service = async (session: ElementSession) => {
      const cookie = await session.cookie;
      cookies.push(cookie === undefined ? undefined : new TextDecoder().decode(cookie));
      for await (const { text } of session) {
        await session.send(text);
        await session.sendCookie(`has ${text}`);
      }
    };
    const servers = [await pool.serve(service), await pool.serve(service)];
    await using session = await PoolSession.open("TestPool", pool.options);
    for (const text of ["aaaa", "bbbb"]) {
      assert.equal((await within("an answer", session.request(text))).text, text);
    }
    await servers.find(({ elementId }) => elementId === session.elementId)?.close();
    assert.equal((await within("an answer", session.request("cccc"))).text, "cccc");
    assert.deepEqual(cookies, [undefined, "has bbbb"]);
    for (const server of servers) await server.close();
  });

  for (const failover of ["auto", "manual"] as const) {
    Deno.test(`requests behind a failover that nobody has read of are sent once, failover ${failover}`, async () => {
      await using pool = await startPool();
      const servers = [await pool.serve(named("alpha")), await pool.serve(named("beta"))];
      const lost = Promise.withResolvers<void>(), back = Promise.withResolvers<void>();
      const log = ({ report }: PoolLogEntry) => {
        if (report?.type !== "sessionFailover") return;
        (report.state === "complete" ? back : lost).resolve();
      };
      await using session = await PoolSession.open("TestPool", { ...pool.options, failover, log });
      await within("an answer", session.request("1"));
      await servers.find(({ elementId }) => elementId === session.elementId)?.close();
      await within("the loss", lost.promise);
      const ask = async (text: string) => {
        assert.match((await within("an answer", session.request(text))).text, new RegExp(` ${text}$`));
      };
      if (failover === "manual") await ask("2"); // nobody else has said that another element is looked for
      await within("the failover", back.promise);
      const next = session.elementId;
      for (const text of ["3", "4", "5"]) await ask(text);
      assert.equal(session.elementId, next, "it was not left for the loss of its predecessor");
      for (const server of servers) await server.close();
    });
  }

  Deno.test("what was sent before the close arrives, however much it is and however long nobody reads", async () => {
    await using pool = await startPool();
    const COUNT = 64, LENGTH = 64 * 1024;
    const full = Promise.withResolvers<void>(), read = Promise.withResolvers<void>();
    let octets = 0, sent = 0;
    await using _server = await pool.serve(async (session) => {
      for await (const { data } of session) {
        if (data.length < LENGTH) await session.send(data);
        else await full.promise;
        octets += data.length;
      }
      if (octets >= LENGTH) read.resolve();
    });
    await using client = await PoolClient.start(pool.options);
    const [session, elsewhere] = await Promise.all([client.open("TestPool"), client.open("TestPool")]);
    const sending = Array.from({ length: COUNT }, async () => {
      await session.send(new Uint8Array(LENGTH));
      sent++;
    });
    const closed = session.close();
    await assert.rejects(session.send("late"), { name: "PoolError", reason: "ended" });
    await standstill(() => sent, elsewhere);
    assert.ok(sent < COUNT, "the rest waits for room");
    octets = 0;
    full.resolve();
    await within("the end", closed);
    await Promise.all(sending);
    await within("the service", read.promise);
    assert.equal(octets, COUNT * LENGTH);
  });

  Deno.test("with manual failover the program says when another element is looked for", async () => {
    await using pool = await startPool();
    const server = await pool.serve(named("alpha"));
    await using session = await PoolSession.open("TestPool", { ...pool.options, failover: "manual" });
    await server.close();
    await using _beta = await pool.serve(named("beta"));
    const events = session.events();
    const first = await within("the loss", events.next());
    assert.ok(first.value?.type === "failover" && first.value.state === "necessary");
    session.failover({ reportUnreachable: false });
    const second = await within("the failover", events.next());
    assert.ok(second.value?.type === "failover" && second.value.state === "complete");
    assert.equal((await within("an answer", session.request("?"))).text, "beta ?");
  });

  Deno.test("a server that is not read is slowed down, and what it sends arrives whole", async () => {
    await using pool = await startPool();
    const COUNT = 400, LENGTH = 64 * 1024;
    let sent = 0;
    await using _server = await pool.serve(async (session) => {
      for await (const { text } of session) {
        if (text !== "go") await session.send(text);
        else for (; sent < COUNT; sent++) await session.send(new Uint8Array(LENGTH).fill(sent));
      }
    });
    await using client = await PoolClient.start(pool.options);
    const [session, elsewhere] = await Promise.all([client.open("TestPool"), client.open("TestPool")]);
    await session.send("go");
    const iterator = session[Symbol.asyncIterator]();
    await standstill(() => sent, elsewhere);
    assert.ok(sent > 0 && sent < 100, `${sent} messages of ${COUNT} were taken though nobody reads`);
    for (let n = 0; n < COUNT; n++) {
      const { value } = await inTime(120_000, iterator.next(), `message ${n}`);
      assert.equal(value?.data.length, LENGTH);
      assert.equal(value.data[LENGTH - 1], n & 255);
    }
  });

  Deno.test("several sessions of one client share a registrar and have elements of their own", async () => {
    await using pool = await startPool();
    await using _alpha = await pool.serve(named("alpha"));
    await using _beta = await pool.serve(named("beta"));
    await using client = await PoolClient.start(pool.options);
    const sessions = await within("sessions", Promise.all([1, 2, 3, 4].map(() => client.open("TestPool"))));
    assert.equal(client.sessionCount, 4);
    const answers = await within("answers", Promise.all(sessions.map((session) => session.request("?"))));
    assert.deepEqual(answers.map(({ text }) => text).sort(), ["alpha ?", "alpha ?", "beta ?", "beta ?"]);
    await within("the end of one", sessions[0]!.close());
    assert.equal(client.sessionCount, 3);
    assert.match(await sessions[0]!.closed, /./);
    await assert.rejects(sessions[0]!.send("x"), PoolError);
    await within("an answer", sessions[1]!.request("still there?"));
  });

  Deno.test("a client that is closed ends its sessions: loops end, sends are rejected", async () => {
    await using pool = await startPool();
    await using _server = await pool.serve(echo);
    const client = await PoolClient.start(pool.options);
    const session = await client.open("TestPool", { giveUpAfterMs: 60_000 });
    const reading = read(session, 1);
    await within("the end", client.close());
    assert.deepEqual(await within("the end of the loop", reading), []);
    await assert.rejects(session.send("x"), { name: "PoolError", reason: "ended" });
    await assert.rejects(session.request("x"), { name: "PoolError", reason: "ended" });
    await assert.rejects(client.open("TestPool"), { name: "PoolError", reason: "ended" });
    session.failover(); // has no effect, and leaves no timer behind
  });

  Deno.test("an element at its limit sends further users to another one", async () => {
    await using pool = await startPool();
    await using _small = await pool.serve(named("small"), { maxSessions: 1 });
    await using client = await PoolClient.start(pool.options);
    const first = await client.open("TestPool");
    assert.equal((await within("an answer", first.request("?"))).text, "small ?");
    await using _large = await pool.serve(named("large"));
    const others = await within("sessions", Promise.all([client.open("TestPool"), client.open("TestPool")]));
    const answers = await within("answers", Promise.all(others.map((session) => session.request("?"))));
    assert.deepEqual(answers.map(({ text }) => text), ["large ?", "large ?"]);
  });

  Deno.test("a service that throws loses its session, not its element", async () => {
    await using pool = await startPool();
    const errors: string[] = [];
    await using _server = await pool.serve(async (session) => {
      for await (const { text } of session) {
        if (text === "bad") throw new Error("cannot do that");
        await session.send(text);
      }
    }, { onError: (error) => errors.push(String(error)) });
    await using session = await PoolSession.open("TestPool", pool.options);
    await session.send("bad");
    const { value } = await within("the loss", session.events().next());
    assert.ok(value?.type === "failover" && value.loss === "aborted");
    assert.deepEqual(errors, ["Error: cannot do that"]);
    assert.equal((await within("an answer", session.request("good"))).text, "good");
  });

  Deno.test("a service that fails since another session of its own has ended loses its session, too", async () => {
    await using pool = await startPool();
    const errors: string[] = [];
    await using _server = await pool.serve(
      () => Promise.reject(new PoolError("ended", "the other one has ended")),
      {
        onError: (error) => errors.push(String(error)),
      },
    );
    await using session = await PoolSession.open("TestPool", { ...pool.options, failover: "manual" });
    const { value } = await within("the loss", session.events().next());
    assert.ok(value?.type === "failover" && value.loss === "aborted");
    assert.deepEqual(errors, ["PoolError: the other one has ended"]);
  });

  Deno.test("what is wrong is told in words: options, names, policies", async () => {
    const cases: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
      [() => PoolSession.open("P", { announce: "off" }), /announce is "off" and registrars is empty/],
      [
        () => PoolSession.open("P", { registrars: ["10.1.0.1:99999"] }),
        /option registrars: it has a port above 65535/,
      ],
      [() => PoolSession.open("P", { announce: "10.1.0.1:3863" }), /option announce/],
      [() => PoolSession.open("x".repeat(33), { ...options, registrars: ["127.0.0.1"] }), /1 to 32 octets/],
      [
        () => PoolElement.serve("P", echo, { policy: "RoundRibbon" }),
        /option policy: it must be a policy such as RoundRobin/,
      ],
      [
        () => PoolElement.serve("P", echo, { ...options, registrars: ["127.0.0.1"], local: "a b" }),
        /option local/,
      ],
      [() => PoolRegistrar.start({ ...options, local: "192.0.2.1" }), /192\.0\.2\.1/],
    ];
    for (const [open, words] of cases) {
      await assert.rejects(within("an error", open()), (error: Error) => {
        assert.equal(error.name, "PoolError", String(error));
        assert.match(error.message, words);
        return true;
      });
    }
  });

  Deno.test("an element with another policy than its pool is refused, and may be let try again", async () => {
    await using pool = await startPool();
    await using _first = await pool.serve(echo);
    await assert.rejects(pool.serve(echo, { policy: "LeastUsed" }), { reason: "refused", message: /policy/ });
    const untilRefused = untilSaid(/refused/);
    await assert.rejects(pool.serve(echo, { policy: "LeastUsed", retryRefused: true, ...untilRefused }), {
      reason: "timeout",
      message: /policy/,
    });
  });

  Deno.test("an element that was in its pool and is refused by the next registrar tries again", async () => {
    await using first = await startPool();
    await using second = await startPool();
    const other = await second.serve(echo, { policy: "LeastUsed" });
    const refused = Promise.withResolvers<void>(), back = Promise.withResolvers<void>();
    let registered = false, wasRefused = false;
    const log = ({ report }: PoolLogEntry) => {
      if (report?.type === "registered" && wasRefused) back.resolve();
      if (report?.type === "registered") registered = true;
      wasRefused ||= report?.type === "registrationRefused" && registered;
      if (wasRefused) refused.resolve();
    };
    const registrars = [first.registrar.address, second.registrar.address];
    let server: PoolElement | undefined;
    while (server === undefined) {
      server = await first.serve(echo, { registrars, log }).catch((error: PoolError) => {
        assert.equal(error.reason, "refused", error.message); // as often it finds the second one first
        return undefined;
      });
    }
    await first.registrar.close();
    await within("the refusal", refused.promise);
    await other.close();
    await within("the registration", back.promise);
    await server.close();
  });

  Deno.test("with business cards a session outlives its registrar and its element", async () => {
    await using pool = await startPool();
    const servers = await Promise.all(["alpha", "beta"].map((name) => {
      return pool.serve(named(name), { businessCards: true, reregistrationIntervalMs: 100 });
    }));
    const cards = Promise.withResolvers<void>();
    const log = ({ report }: PoolLogEntry) => {
      if (report?.type === "sessionCard" && report.elementIds.length === 1) cards.resolve();
    };
    await using session = await PoolSession.open("TestPool", { ...pool.options, log });
    const { text: before } = await within("an answer", session.request("?"));
    await within("a card that names the other element", cards.promise);
    await pool.registrar.close();
    await servers.find(({ elementId }) => elementId === session.elementId)?.close();
    const { text: after } = await within("an answer", session.request("?"));
    assert.deepEqual([before, after].sort(), ["alpha ?", "beta ?"]);
    for (const server of servers) await server.close();
  });

  Deno.test("registrar, element and client tell a monitor how they are, and at last that they end", async () => {
    const { registrar: PR, element: PE, user: PU } = ComponentGroup;
    await using monitor = await StatusMonitor.open();
    const reporting = { cspServer: monitor.server, cspIntervalMs: 20 };
    {
      const machine = { registrarId: 0x11, keepAliveIntervalMs: 200 };
      await using registrar = await PoolRegistrar.start({
        ...options,
        ...reporting,
        local: "127.0.0.1",
        machine,
      });
      const pool = { ...options, ...reporting, registrars: [registrar.address] };
      await using server = await PoolElement.serve("TestPool", echo, { ...pool, elementId: 0x22 });
      await using client = await PoolClient.start({ ...pool, userId: 0x33333333333333n });
      await using session = await client.open("TestPool");
      await within("an answer", session.request("x", { ppid: 77 }));
      client.says("asks");
      server.says("echoes");
      const user = await monitor.reportOf(PU, ({ status }) => status === "asks");
      assert.equal(user.sender, componentId(PU, 0x33333333333333n));
      const [, talk] = user.associations;
      assert.deepEqual([talk?.receiver, talk?.ppid], [componentId(PE, 0x22), 77]);
      // The element learns from the first keep-alive who its registrar is.
      const element = await monitor.reportOf(PE, ({ status, associations: [first] }) => {
        return status === "echoes" && first?.receiver === componentId(PR, 0x11);
      });
      assert.equal(element.sender, componentId(PE, 0x22));
      await monitor.reportOf(PR, ({ status }) => status === "1[1] PEs in 1 Pool, 0 Peers");
    }
    for (const group of [PR, PE, PU]) await monitor.reportOf(group, ({ isFinal }) => isFinal);
  });

  Deno.test("a monitor without an address and an interval out of range are told in words", async () => {
    const client = { ...options, registrars: ["127.0.0.1"] };
    for (
      const [wrong, words] of [
        [{ cspServer: "10.1.0.1:0" }, /option cspServer: it must be the address of a monitor/],
        [{ cspServer: "[" }, /option cspServer: it must be/],
        [
          { cspServer: "10.1.0.1", cspIntervalMs: 9 },
          /option cspIntervalMs: it must be from 10 to 3600000, not 9/,
        ],
        [{ cspServer: "10.1.0.1", cspIntervalMs: Number.NaN }, /option cspIntervalMs/],
      ] as const
    ) {
      const error = { name: "PoolError", reason: "option", message: words };
      await assert.rejects(PoolClient.start({ ...client, ...wrong }), error);
      await assert.rejects(PoolElement.serve("P", echo, { ...client, ...wrong }), error);
      await assert.rejects(PoolRegistrar.start({ ...options, ...wrong }), error);
    }
  });

  Deno.test("a session that cannot be opened says what is missing: a registrar, the pool", async () => {
    await using pool = await startPool();
    const gone = await startPool();
    await gone.registrar.close();
    const opening = (options: PoolClientOptions & PoolSessionOptions) =>
      within("an error", PoolSession.open("TestPool", options));
    await assert.rejects(opening({ ...gone.options, giveUpAfterMs: 100 }), {
      reason: "timeout",
      message: /within \d+\.\d s: /, // as measured: a busy machine comes later
    });
    await assert.rejects(opening({ ...gone.options, ...untilSaid(/cannot be used/) }), {
      reason: "timeout",
      message: /within .* s: registrar 127\.0\.0\.1:\d+ cannot be used: .*; next attempt in/,
    });
    await assert.rejects(opening({ ...pool.options, ...untilSaid(/unknown pool handle/) }), {
      reason: "timeout",
      message: /with pool TestPool within .* s: unknown pool handle/,
    });
  });

  Deno.test("a session waits for its registrar, and is opened when it comes", async () => {
    const local = `127.0.0.1:${15_100 + Deno.pid % 800}`; // no port from which endpoints choose, as that of this session
    const place = { ...options, registrars: [local] };
    const opening = PoolSession.open("TestPool", { ...place, giveUpAfterMs: Infinity });
    await using pool = await startPool(local);
    await using _server = await pool.serve(echo);
    await using session = await within("the session", opening);
    assert.equal((await within("an answer", session.request("late", { timeoutMs: Infinity }))).text, "late");
  });

  Deno.test("a session gives up when no other element is found in time, and says why", async () => {
    await using pool = await startPool();
    const server = await pool.serve(echo);
    // So long the opening may take, too.
    await using session = await PoolSession.open("TestPool", { ...pool.options, giveUpAfterMs: 6000 });
    await server.close();
    await assert.rejects(within("an error", session.request("?")), { name: "PoolError" });
    await assert.rejects(session.send("?"), {
      reason: "timeout",
      message: /no other element was found: \S/, // what it is depends on how far it came in time
    });
  });
}
