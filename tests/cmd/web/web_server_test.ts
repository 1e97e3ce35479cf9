/** The server of pages: what it answers, whom it refuses, what it limits, how it ends. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { pause } from "../../../cmd/driver/pause.ts";
import { MAX_WAITING_OCTETS } from "../../../cmd/web/event_stream.ts";
import {
  MAX_COMMAND_OCTETS,
  MAX_COMMANDS_UNDER_WAY,
  MAX_PAGES,
  openWebServer,
} from "../../../cmd/web/web_server.ts";
import type { Asset, WebPlan, WebServer, WebTiming } from "../../../cmd/web/web_server.ts";
import { pageAsset, scriptAsset } from "../../../cmd/web/shared_assets.ts";
import { ask, Wire } from "./http.ts";
import type { Asked } from "./http.ts";

const IMPORT_MAP = '{ "imports": { "shared/": "/shared/" } }';
const PAGE = `<!doctype html><script type="importmap">${IMPORT_MAP}</script><script src="/page.js"></script>`;
const LONG = 60_000;

function serve(changes: Partial<WebPlan> = {}, timing: Partial<WebTiming> = {}): WebServer {
  return openWebServer({
    at: { address: "127.0.0.1", port: 0 },
    assets: new Map([["/", pageAsset(PAGE)], ["/page.js", scriptAsset("go();")]]),
    live: new Map<string, () => Asset | undefined>([
      ["/image.png", () => ({ type: "image/png", body: Uint8Array.of(1, 2, 3) })],
      ["/none.png", () => undefined],
    ]),
    snapshot: () => ({ all: "there is" }),
    ...changes,
  }, { aliveIntervalMs: LONG, commandDeadlineMs: LONG, ...timing });
}

const JSON_TYPE = { "content-type": "application/json" };

Deno.test("openWebServer() serves files, those that change, and says what there is not", async () => {
  await using server = serve();
  const page = await ask(server.url);
  assert.deepEqual([page.status, page.body], [200, PAGE]);
  assert.equal(page.fields.get("content-type"), "text/html; charset=utf-8");
  assert.equal((await ask(server.url, { path: "/page.js?version=2" })).body, "go();");
  const image = await ask(server.url, { path: "/image.png" });
  assert.deepEqual([image.body, image.fields.get("cache-control")], ["\x01\x02\x03", "no-store"]);
  for (
    const path of [
      "/none.png",
      "/Page.js",
      "/../deno.json",
      "/%2e%2e/deno.json",
      "//etc/passwd",
      "/__proto__",
    ]
  ) {
    assert.equal((await ask(server.url, { path })).status, 404, path);
  }
});

Deno.test("openWebServer() answers HEAD as GET, without a body", async () => {
  await using server = serve({ snapshot: () => assert.fail("nobody listens") });
  await using wire = await Wire.open(server.url);
  await wire.ask({ method: "HEAD" });
  const head = await wire.answer("HEAD");
  assert.deepEqual([head.status, head.fields.get("content-length")], [200, String(PAGE.length)]);
  await wire.ask({ method: "HEAD", path: "/events" });
  assert.equal((await wire.answer("HEAD")).fields.get("content-type"), "text/event-stream");
  assert.equal(server.listenerCount, 0);
  await wire.ask({ path: "/page.js" });
  assert.equal((await wire.answer()).body, "go();", "the same connection goes on");
});

Deno.test("openWebServer() tells a browser that its copy is still good", async () => {
  await using server = serve();
  const first = await ask(server.url, { path: "/page.js" });
  const tag = first.fields.get("etag") ?? "";
  assert.match(tag, /^"[^"]+"$/);
  assert.equal(first.fields.get("cache-control"), "no-cache");
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
    const { status, body } = await ask(server.url, { path: "/page.js", fields: { "if-none-match": known } });
    assert.deepEqual([status, body], [304, ""], known);
  }
  const other = await ask(server.url, { path: "/page.js", fields: { "if-none-match": '"other"' } });
  assert.equal(other.status, 200);
  assert.notEqual((await ask(server.url)).fields.get("etag"), tag);
});

Deno.test("openWebServer() lets a page do no more than it must", async () => {
  await using server = serve();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(IMPORT_MAP)))
    .toBase64();
  for (const path of ["/", "/page.js", "/image.png", "/nothing", "/command"]) {
    const { fields } = await ask(server.url, { path });
    const policy = fields.get("content-security-policy") ?? "";
    for (
      const rule of [
        "default-src 'none'",
        `script-src 'self' 'sha256-${hash}'`,
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
      ]
    ) assert.ok(policy.split("; ").includes(rule), `${path}: ${rule} in ${policy}`);
    assert.equal(fields.get("x-content-type-options"), "nosniff");
    assert.equal(fields.get("referrer-policy"), "no-referrer");
    assert.equal(fields.get("cross-origin-resource-policy"), "same-origin");
    assert.equal(fields.get("cross-origin-opener-policy"), "same-origin");
    assert.equal(fields.get("access-control-allow-origin"), undefined);
  }
});

/** Requests by what their fields say, and the status that answers them. */
const ORIGINS: readonly (readonly [string, Asked["fields"] & object, number, string?])[] = [
  ["a program", {}, 200],
  ["the page itself", {
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "cors",
    "sec-fetch-dest": "empty",
  }, 200],
  ["typed in", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }, 200],
  [
    "a link",
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    200,
  ],
  [
    "a frame",
    { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
    403,
  ],
  ["another site's image", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }, 403],
  ["a page of another port", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }, 403],
  ["another origin", { origin: "http://evil.example" }, 403],
  ["another port", { origin: "http://127.0.0.1:1" }, 403],
  ["a hidden origin", { origin: "null" }, 403],
  ["the own origin, hidden", { origin: "null", "sec-fetch-site": "same-origin" }, 200],
  ["a file", { origin: "file://127.0.0.1" }, 403],
  ["no origin at all", { origin: "what?" }, 403],
  ["a name pointed here", { host: "evil.example" }, 403],
  ["a name pointed here, as own", { host: "evil.example", "sec-fetch-site": "same-origin" }, 403],
  ["a name like an address", { host: "127.0.0.1.evil.example" }, 403],
  ["a name like localhost", { host: "localhost.evil.example" }, 403],
  ["localhost", { host: "localhost:2960" }, 200],
  ["localhost with a dot", { host: "LOCALHOST.:2960" }, 200],
  ["through a tunnel", { host: "localhost:9999", origin: "http://localhost:9999" }, 200],
  ["IPv6", { host: "[::1]:2960" }, 200],
  ["the machine's name", { host: hostname() }, 200],
  ["a name below the machine's", { host: `${hostname()}.evil.example` }, 403],
  ["no host", { host: "a b" }, 400],
  ["a host with more to it", { host: "user@127.0.0.1" }, 400],
];

Deno.test("openWebServer() hears the person at the browser, and no other place's pages", async (t) => {
  const commands: unknown[] = [];
  await using server = serve({
    onCommand: (command) => ({ ok: commands.push(command) > 0 }) as { ok: true },
  });
  for (const [name, fields, status] of ORIGINS) {
    await t.step(`${name}: ${status}`, async () => {
      for (const path of ["/", "/events", "/image.png"]) {
        await using wire = await Wire.open(server.url);
        await wire.ask({ path, fields });
        // A stream has no length: its head says enough.
        const [, got] = await wire.reads(/^HTTP\/1\.1 (\d+)/);
        assert.equal(Number(got), status, path);
      }
      const before = commands.length;
      await ask(server.url, {
        method: "POST",
        path: "/command",
        fields: { ...fields, ...JSON_TYPE },
        body: "1",
      });
      // A link posts nothing.
      const isHeard = status === 200 && name !== "a link";
      assert.equal(commands.length - before, isHeard ? 1 : 0, "commands");
    });
  }
});

Deno.test("openWebServer() is no proxy", async () => {
  await using server = serve();
  const { host } = new URL(server.url);
  assert.equal((await ask(server.url, { path: `http://${host}/page.js` })).body, "go();");
  for (const path of ["http://evil.example/", "http://127.0.0.1:1/", "https://localhost/"]) {
    assert.equal((await ask(server.url, { path })).status, 400, path);
  }
});

Deno.test("openWebServer() knows GET and HEAD, and POST for commands only", async () => {
  await using server = serve({ onCommand: () => ({ ok: true }) });
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"]) {
    const { status, fields } = await ask(server.url, { method });
    assert.deepEqual([status, fields.get("allow")], [405, "GET, HEAD"], method);
  }
  for (const method of ["GET", "PUT", "OPTIONS"]) {
    const { status, fields } = await ask(server.url, { method, path: "/command" });
    assert.deepEqual([status, fields.get("allow")], [405, "POST"], method);
  }
});

Deno.test("openWebServer() takes commands in JSON, and says what is wrong with others", async () => {
  const commands: unknown[] = [];
  await using server = serve({
    onCommand(command) {
      commands.push(command);
      return command === 2 ? { ok: false, problem: "two is too much" } : { ok: true };
    },
  });
  const post = async (body: string, fields: Asked["fields"] & object = JSON_TYPE) => {
    const answer = await ask(server.url, { method: "POST", path: "/command", fields, body });
    return [answer.status, JSON.parse(answer.body)];
  };
  assert.deepEqual(await post('{"a":1}'), [200, { ok: true }]);
  assert.deepEqual(await post("2"), [400, { ok: false, problem: "two is too much" }]);
  assert.deepEqual(commands, [{ a: 1 }, 2]);
  assert.equal((await post("{"))[0], 400);
  assert.equal((await post(""))[0], 400);
  assert.equal((await post("1", { "content-type": "text/plain" }))[0], 415);
  assert.equal((await post("1", {}))[0], 415);
  const longest = JSON.stringify("x".repeat(MAX_COMMAND_OCTETS - 2));
  assert.deepEqual(await post(longest), [200, { ok: true }]);
  assert.equal((await post(longest + " "))[0], 413);
  assert.equal(commands.length, 3);
});

Deno.test("openWebServer() has no commands where the plan has none", async () => {
  await using server = serve();
  const { status, body } = await ask(server.url, {
    method: "POST",
    path: "/command",
    fields: JSON_TYPE,
    body: "1",
  });
  assert.deepEqual([status, JSON.parse(body)], [400, { ok: false, problem: "There are no commands." }]);
});

Deno.test("openWebServer() does not wait for a command that does not come", async () => {
  await using server = serve({ onCommand: () => ({ ok: true }) }, { commandDeadlineMs: 50 });
  await using wire = await Wire.open(server.url);
  await wire.ask({ method: "POST", path: "/command", fields: { ...JSON_TYPE, "content-length": "10" } });
  const { status, body } = await wire.answer();
  assert.deepEqual([status, JSON.parse(body).ok], [408, false]);
});

Deno.test("openWebServer() lets so many commands be under way and no more", async () => {
  await using server = serve({ onCommand: () => ({ ok: true }) });
  await using slow = new AsyncDisposableStack();
  const wires: Wire[] = [];
  for (let index = 0; index < MAX_COMMANDS_UNDER_WAY; index++) {
    const wire = slow.use(await Wire.open(server.url));
    await wire.ask({
      method: "POST",
      path: "/command",
      fields: { ...JSON_TYPE, "content-length": "1", expect: "100-continue" },
    });
    // The server asks for the body once it reads it.
    await wire.reads(/^HTTP\/1\.1 100 [^]*\r\n\r\n/);
    wires.push(wire);
  }
  const post = { method: "POST", path: "/command", fields: JSON_TYPE, body: "1" };
  assert.equal((await ask(server.url, post)).status, 503);
  for (const wire of wires) await wire.write("1");
  for (const wire of wires) await wire.reads(/HTTP\/1\.1 200 /);
  assert.equal((await ask(server.url, post)).status, 200);
});

Deno.test("openWebServer() sends a snapshot first, then what is published, to every page", async () => {
  await using server = serve();
  await using one = await Wire.open(server.url);
  await using two = await Wire.open(server.url);
  server.publish("unheard", 0);
  for (const wire of [one, two]) {
    await wire.ask({ path: "/events" });
    await wire.reads(/event: snapshot\ndata: {"all":"there is"}\n\n/);
  }
  assert.equal(server.listenerCount, 2);
  server.publish("news", { text: "line\nbreak, <b>, \u2028" });
  for (const wire of [one, two]) {
    const match = await wire.reads(/event: news\ndata: ([^\n]*)\n\n/);
    assert.deepEqual(JSON.parse(match[1] ?? ""), { text: "line\nbreak, <b>, \u2028" });
    assert.doesNotMatch(match.input, /unheard/);
  }
});

/** Waits until so many pages listen. */
class PageCount {
  readonly counts: number[] = [];
  #wake: (() => void) | undefined;

  /** For the plan. */
  readonly onListeners = (count: number): void => {
    this.counts.push(count);
    this.#wake?.();
  };

  async is(wanted: number): Promise<void> {
    const deadline = AbortSignal.timeout(LONG / 2);
    while (this.counts.at(-1) !== wanted) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`never ${wanted} pages: ${this.counts}`));
      });
    }
  }
}

Deno.test("openWebServer() says that it is alive, and forgets a page that has gone", async () => {
  const pages = new PageCount();
  await using server = serve({ onListeners: pages.onListeners }, { aliveIntervalMs: 20 });
  await using wire = await Wire.open(server.url);
  await wire.ask({ path: "/events" });
  await wire.reads(/event: alive\n/);
  {
    await using leaving = await Wire.open(server.url);
    await leaving.ask({ path: "/events" });
    await leaving.reads(/event: alive\n/);
    assert.deepEqual(pages.counts, [1, 2]);
  }
  await pages.is(1);
  assert.deepEqual(pages.counts, [1, 2, 1]);
  assert.equal(server.listenerCount, 1);
});

Deno.test("openWebServer() serves so many pages and no more", async () => {
  await using server = serve();
  await using pages = new AsyncDisposableStack();
  for (let index = 0; index < MAX_PAGES; index++) {
    const wire = pages.use(await Wire.open(server.url));
    await wire.ask({ path: "/events" });
    await wire.reads(/event: snapshot/);
  }
  const { status, body } = await ask(server.url, { path: "/events" });
  assert.deepEqual([status, body], [503, `${MAX_PAGES} pages are open already: close one of them.\n`]);
  assert.equal((await ask(server.url)).status, 200, "files are served nevertheless");
});

Deno.test("openWebServer() keeps a bounded amount for a page that does not read, and then starts it anew", async () => {
  let snapshots = 0;
  await using server = serve({ snapshot: () => ++snapshots });
  await using wire = await Wire.open(server.url);
  await wire.ask({ path: "/events" });
  await wire.reads(/data: 1\n/);
  // More than the kernel's buffers and the queue together: the page reads nothing meanwhile.
  const text = "x".repeat(64 * 1024), count = 16 * MAX_WAITING_OCTETS / text.length;
  for (let index = 0; index < count; index++) {
    server.publish("much", { index, text });
    // Others get their turn: what fits into the connection goes into it.
    if (index % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await wire.reads(/event: snapshot\ndata: 2\n/);
  // There may be too much for it once more by now: what is published then is in its next snapshot, and no event of its own.
  const ends = setInterval(() => server.publish("end", 0), 10);
  const { input } = await wire.reads(/event: end\n/).finally(() => clearInterval(ends));
  const seen = [...input.matchAll(/event: (?:much\ndata: {"index":(\d+)|snapshot\ndata: \d+)/g)];
  const numbers = seen.map(([, index]) => index === undefined ? undefined : Number(index));
  assert.ok(numbers.length < count / 2, `${numbers.length} of ${count} events came`);
  for (const [at, number] of numbers.entries()) {
    const last = numbers[at - 1];
    // A gap is there only where a snapshot fills it.
    if (number !== undefined && last !== undefined) assert.equal(number, last + 1);
  }
});

Deno.test("openWebServer() lets a page go that reads nothing any more", async () => {
  const pages = new PageCount();
  await using server = serve({ onListeners: pages.onListeners }, { aliveIntervalMs: 20 });
  await using wire = await Wire.open(server.url);
  await wire.ask({ path: "/events" });
  await wire.reads(/event: snapshot/);
  // More than the connection takes, so that some of it waits here.
  for (let count = 0; count < 64; count++) {
    server.publish("much", "x".repeat(1 << 18));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await pages.is(0);
  assert.deepEqual(pages.counts, [1, 0]);
  assert.doesNotMatch(await wire.rest(), /\r\n0\r\n\r\n$/, "the stream is broken off, not ended");
});

Deno.test("openWebServer() ends at once, with pages that read and pages that do not", async () => {
  const server = serve();
  await using reading = await Wire.open(server.url);
  await using idle = await Wire.open(server.url);
  await using half = await Wire.open(server.url);
  await using stalled = await Wire.open(server.url);
  for (const wire of [reading, stalled]) {
    await wire.ask({ path: "/events" });
    await wire.reads(/event: snapshot/);
  }
  await half.write("GET / HTTP/1.1\r\nHos");
  const text = "x".repeat(1 << 20);
  for (let index = 0; index < 8; index++) server.publish("much", text);
  const isOver = server[Symbol.asyncDispose]().then(() => true);
  const limit = new AbortController();
  assert.ok(
    await Promise.race([isOver, pause(LONG / 2, limit.signal)]),
    "it waits for the page that does not read",
  );
  limit.abort();
  await reading.rest();
  assert.equal(await idle.rest(), "");
});

Deno.test("openWebServer() tells pages what was published last before it ends", async () => {
  const server = serve({}, { farewellMs: LONG });
  await using wire = await Wire.open(server.url);
  await wire.ask({ path: "/events" });
  await wire.reads(/event: snapshot/);
  server.publish("end", 1);
  server.publish("end", 2);
  await server[Symbol.asyncDispose]();
  assert.match(await wire.rest(), /event: end\ndata: 1\n[^]*event: end\ndata: 2\n[^]*\r\n0\r\n\r\n$/);
});

Deno.test("openWebServer() tells whoever made the plan about its mistakes, and the browser no more than that", async () => {
  const problems: unknown[] = [];
  await using server = serve({
    snapshot: () => {
      throw new Error("secret");
    },
    onCommand: () => {
      throw new Error("secret, too");
    },
    onProblem: (problem) => problems.push(problem),
  });
  const events = await ask(server.url, { path: "/events" });
  assert.deepEqual([events.status, events.body], [500, "The program made a mistake.\n"]);
  assert.equal(server.listenerCount, 0);
  const posted = await ask(server.url, { method: "POST", path: "/command", fields: JSON_TYPE, body: "1" });
  assert.deepEqual([posted.status, posted.body], [500, "The program made a mistake.\n"]);
  assert.deepEqual(problems.map((problem) => (problem as Error).message), ["secret", "secret, too"]);
});

Deno.test("openWebServer() serves over IPv6, and names an address that others reach", async () => {
  await using loopback = serve({ at: { address: "::1", port: 0 } });
  assert.match(loopback.url, /^http:\/\/\[::1\]:\d+\/$/);
  assert.equal((await ask(loopback.url)).status, 200);
  await using everywhere = serve({ at: { address: "::", port: 0 } });
  assert.doesNotMatch(everywhere.url, /\/\/(\[::\]|0\.0\.0\.0)/);
  assert.equal((await ask(everywhere.url)).status, 200);
});

Deno.test("openWebServer() survives what is no HTTP at all", async () => {
  await using server = serve();
  const nonsense = [
    "\0\0\0\0\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    `GET /${"x".repeat(1 << 20)} HTTP/1.1\r\n`,
  ];
  for (const text of nonsense) {
    await using wire = await Wire.open(server.url);
    await wire.write(text).catch(() => {}); // it may hang up in the middle
    const answer = await wire.rest();
    assert.match(answer, /^$|^HTTP\/1\.[01] 4\d\d /, text.slice(0, 20));
  }
  await using many = await Wire.open(server.url);
  const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x-${index}`, "y"]));
  await many.ask({ fields });
  assert.match(await many.rest(), /^HTTP\/1\.1 4\d\d /);
  assert.equal((await ask(server.url)).status, 200);
});
