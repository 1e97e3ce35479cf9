/** Option `-web`, and the places of pages. */
import assert from "node:assert/strict";
import { Log, LogLevel } from "../../../cmd/driver/log.ts";
import { OptionError } from "../../../cmd/options.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { openPage, PagePlaceTaken, pageWish, webOption } from "../../../cmd/web/web_option.ts";
import type { WebChoice } from "../../../cmd/web/web_option.ts";
import { pageAsset } from "../../../cmd/web/shared_assets.ts";
import { ask } from "./http.ts";

const PORT = 42_960;
const PLAN = { assets: new Map([["/", pageAsset("<p>here</p>")]]), snapshot: () => 0 };

function wish(...line: string[]): WebChoice {
  return parseOptions({ web: webOption(PORT) }, line, (name) => name === "RSP_WEB" ? undefined : name)
    .values["web"] as WebChoice;
}

/** A log that a test reads. */
function openTestLog(): { readonly log: Log; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  return {
    log: new Log({ level: LogLevel.note, color: false, json: true, write, now: () => new Date(0) }),
    lines,
  };
}

Deno.test("webOption() reads where a page is wanted", () => {
  assert.equal(wish(), "auto");
  assert.equal(wish("-web"), "on");
  assert.equal(wish("--web=off"), "off");
  assert.equal(wish("-web", "off"), "on", "a value stands behind = only");
  assert.deepEqual(wish("-web=8080"), { hosts: ["127.0.0.1"], port: 8080 });
  assert.deepEqual(wish("-web=:8080"), { hosts: ["127.0.0.1"], port: 8080 });
  assert.deepEqual(wish("-web=0.0.0.0"), { hosts: ["0.0.0.0"], port: PORT });
  assert.deepEqual(wish("-web=10.1.0.1:0"), { hosts: ["10.1.0.1"], port: 0 });
  assert.deepEqual(wish("-web=[::1]:8080"), { hosts: ["::1"], port: 8080 });
  assert.deepEqual(wish("-web=localhost:8080"), { hosts: ["localhost"], port: 8080 });
  for (const wrong of ["-web=", "-web=99999", "-web=pc1:99999", "-web=127.0.0.1,::1", "-web=yes please"]) {
    assert.throws(
      () => wish(wrong),
      (error) =>
        error instanceof OptionError && /^option -web must be on, off, a port, or /.test(error.message),
      wrong,
    );
  }
});

Deno.test("pageWish() wants no page for programs, unless somebody asked for it", async () => {
  const wishOf = (web: WebChoice, json: boolean) => pageWish({ options: { web, json } });
  assert.equal(await wishOf("auto", false), "auto");
  assert.equal(await wishOf("auto", true), "off");
  assert.equal(await wishOf("on", true), "on");
  assert.equal(await wishOf("off", false), "off");
});

Deno.test("pageWish() wants a page at the first address that this host has of a name", async () => {
  const names = {
    ask: () => Promise.resolve(["10.1.0.1", "10.1.0.2", "fd01::2"]),
    own: ["10.1.0.2", "fd01::2"],
  };
  const options = { web: wish("-web=pc2:8080"), json: false };
  assert.deepEqual(await pageWish({ options }, names), { address: "10.1.0.2", port: 8080 });
  await assert.rejects(
    pageWish({ options }, { ...names, own: ["10.1.0.3"] }),
    (error) =>
      error instanceof OptionError &&
      /^host "pc2" is 10\.1\.0\.1, 10\.1\.0\.2, fd01::2, /.test(error.message),
  );
});

Deno.test("openPage() opens none when none is wanted", () => {
  const { log, lines } = openTestLog();
  assert.equal(openPage("off", PORT, PLAN, log), undefined);
  assert.deepEqual(lines, []);
});

Deno.test("openPage() takes the usual place on loopback, or the next free one, and tells it", async () => {
  const { log, lines } = openTestLog();
  const holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const usual = holder.addr.port;
  try {
    await using page = openPage("auto", usual, PLAN, log);
    const { hostname, port } = new URL(page?.url ?? "");
    assert.equal(hostname, "127.0.0.1");
    assert.notEqual(Number(port), usual);
    assert.deepEqual(lines.map(({ event, url }) => ({ event, url })), [{ event: "web", url: page?.url }]);
    assert.equal((await ask(page?.url ?? "")).body, "<p>here</p>");
    await using another = openPage("on", usual, PLAN, log);
    assert.notEqual(another?.url, page?.url);
  } finally {
    holder.close();
  }
});

Deno.test("openPage() finds a place however many programs have one", async () => {
  const { log, lines } = openTestLog();
  await using pages = new AsyncDisposableStack();
  for (let count = 0; count < 40; count++) pages.use(openPage("auto", PORT, PLAN, log));
  const urls = new Set(lines.map(({ url }) => url));
  assert.equal(urls.size, 40);
  assert.ok(!urls.has(undefined));
});

Deno.test("openPage() fails when the wanted place is taken, or is not this machine's", () => {
  const { log, lines } = openTestLog();
  using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assert.throws(
    () => openPage({ address: "127.0.0.1", port: holder.addr.port }, PORT, PLAN, log),
    (error) =>
      error instanceof PagePlaceTaken &&
      error.message.startsWith(
        `no page at 127.0.0.1:${holder.addr.port}: another program holds TCP port ${holder.addr.port}; `,
      ),
  );
  assert.throws(
    () => openPage({ address: "192.0.2.1", port: 1234 }, PORT, PLAN, log),
    (error) =>
      error instanceof PagePlaceTaken &&
      error.message === "no page at 192.0.2.1:1234: 192.0.2.1 is no address of this machine",
  );
  assert.deepEqual(lines, []);
});
