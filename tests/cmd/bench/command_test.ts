import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Call, type Line, measure } from "./world.ts";

// Ports of these tests alone, below those from which endpoints and the system choose: others run at the same time.
const PORT = 18801;

function counts({ type, direction, size, messages, octets, associations }: Line): Line {
  return { type, direction, size, messages, octets, associations };
}

Deno.test("rsp bench sends as many messages of each size as asked for, and both sides say so", async () => {
  const { exitCode, client, server } = await measure(PORT, "-size=10,3K", "-count=50");
  assert.equal(exitCode, 0, client.stderr);
  const expected = (direction: string) => [
    { type: "result", direction, size: 10, messages: 50, octets: 500, associations: 1 },
    { type: "result", direction, size: 3072, messages: 50, octets: 153_600, associations: 1 },
  ];
  assert.deepEqual(client.results.map(counts), expected("sent"));
  assert.deepEqual(server.results.map(counts), expected("received"));
});

Deno.test("rsp bench -both spreads unordered messages on streams in both directions", async () => {
  const { exitCode, client } = await measure(
    PORT + 1,
    "-both",
    "-streams=5",
    "-unordered",
    "-count=40",
    "-parallel=2",
  );
  assert.equal(exitCode, 0, client.stderr);
  assert.deepEqual(
    client.results.map(counts),
    ["sent", "received"].map((direction) => (
      { type: "result", direction, size: 1024, messages: 80, octets: 81_920, associations: 2 }
    )),
  );
});

Deno.test("rsp bench -reverse receives, and tells what the sender counted", async () => {
  const { exitCode, client } = await measure(PORT + 2, "-reverse", "-count=30", "-warmup=0.01");
  assert.equal(exitCode, 0, client.stderr);
  const [line] = client.results;
  assert.equal(line?.["direction"], "received");
  assert.equal(line?.["messages"], 30);
  assert.equal((line?.["sent"] as Line)["messages"], 30);
});

Deno.test("rsp bench -latency measures as many round trips as asked for", async () => {
  const { exitCode, client } = await measure(PORT + 3, "-latency", "-count=25", "-size=64", "-streams=2");
  assert.equal(exitCode, 0, client.stderr);
  const [line] = client.results;
  assert.equal(line?.["type"], "latency");
  assert.equal(line?.["roundTrips"], 25);
  const { min, p50, p99, max } = line?.["microseconds"] as Record<string, number>;
  assert.ok(0 < min! && min! <= p50! && p50! <= p99! && p99! <= max!);
});

Deno.test("rsp bench -discard counts at the sender, and a listening side counts foreign messages", async () => {
  const { exitCode, client, server } = await measure(
    PORT + 4,
    "-discard",
    "-count=20",
    "-size=100",
    "-ppid=7",
  );
  assert.equal(exitCode, 0, client.stderr);
  assert.equal(client.results[0]?.["messages"], 20);
  assert.deepEqual(server.results.map(counts), [
    { type: "result", direction: "received", size: 0, messages: 20, octets: 2000, associations: 1 },
  ]);
});

Deno.test("rsp bench comes to an end with its figures at Ctrl+C", async () => {
  const server = new Call("-listen", "-json", `-port=${PORT + 5}`);
  await server.says(/listening/);
  const client = new Call(`127.0.0.1:${PORT + 5}`, "-json", "-interval=0.02", "-duration=1000", "-rate=1k");
  await client.says(/"interval"/);
  client.interrupt();
  assert.equal(await client.ended, 0, client.stderr);
  assert.equal(client.results.at(-1)?.["type"], "result");
  server.interrupt();
  assert.equal(await server.ended, 0, server.stderr);
  assert.equal(server.results.at(-1)?.["messages"], client.results.at(-1)?.["messages"]);
});

for (const kind of ["-count=1", "-discard", "-asap=register"]) {
  Deno.test(`rsp bench ${kind} ends at Ctrl+C while it still waits for its peer`, async () => {
    const silent = createSocket("udp4"), signal = AbortSignal.timeout(20_000);
    const heard = once(silent, "message", { signal }); // INIT
    const port = PORT + 8; // whose packets come to UDP port 10000 above (protocol/sctp/encapsulation.ts)
    silent.bind(port + 10_000, "127.0.0.1");
    await once(silent, "listening");
    const client = new Call(`127.0.0.1:${port}`, kind);
    await heard;
    client.interrupt();
    assert.equal(await client.ended, 1);
    assert.match(client.stderr, /127\.0\.0\.1:\d+ has not answered yet\n$/);
    silent.close();
    await once(silent, "close");
  });
}

Deno.test("rsp bench -local takes the name of a host", async () => {
  const port = PORT + 10;
  const server = new Call("-listen", "-json", "-once", `-port=${port}`, "-local=localhost");
  await server.says(/listening/);
  const client = new Call(`localhost:${port}`, "-json", "-local=localhost", "-count=1", "-size=10");
  assert.equal(await client.ended, 0, client.stderr);
  assert.equal(await server.ended, 0, server.stderr);
});

Deno.test("rsp bench says when nobody listens", async () => {
  const client = new Call(`127.0.0.1:${PORT + 6}`);
  assert.equal(await client.ended, 1);
  assert.match(client.stderr, /127\.0\.0\.1:18807 refuses the association: nothing listens there\n$/);
});

Deno.test("rsp bench says when the peer grants too few streams", async () => {
  const { exitCode, client } = await measure(PORT + 7, "-reverse", "-streams=100", "-count=1");
  assert.equal(exitCode, 1);
  assert.match(client.stderr, /has 64 streams to send on, not 100; start it with -streams=100/);
});

for (
  const [line, message] of [
    [[], /wants a host to measure to, or -listen/],
    [["a", "b"], /one host at a time/],
    [["-listen", "a"], /either -listen or a host/],
    [["-listen", "-size=3"], /option -size is for the side that names the other one/],
    [["a", "-once"], /option -once goes with -listen/],
    [["a", "-count=1", "-duration=1"], /two ways to end a run/],
    [["a", "-both", "-reverse"], /different directions/],
    [["a", "-latency", "-discard"], /does not go with -latency/],
    [["a", "-ppid=1381191746"], /is what rsp bench tells its other side by/],
  ] as const
) {
  Deno.test(`rsp bench ${line.join(" ")} is a wrong command line`, async () => {
    await assert.rejects(() => new Call(...line).ended, message);
  });
}
