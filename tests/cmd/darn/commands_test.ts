import assert from "node:assert/strict";
import { commandTable } from "../../../cmd/darn/commands/mod.ts";
import { Display } from "../../../cmd/darn/display.ts";
import { ScriptRunner } from "../../../cmd/darn/script.ts";
import { Session } from "../../../cmd/darn/session.ts";
import { SocketOptionError } from "../../../protocol/net.ts";
import type { TransportCommand, TransportEvent } from "../../../protocol/net.ts";
import { recordOutput } from "../world.ts";
import { FakeTransport } from "./fake_endpoint.ts";

const UP: TransportEvent = {
  type: "up",
  association: 77,
  request: undefined,
  peerAddresses: ["10.1.0.2", "fd01::2"],
  peerPort: 2345,
  outboundStreams: 10,
  inboundStreams: 5,
};

/** A session with one association, or none, on a transport that writes down what it is asked for. */
function world({ isUp = true, nonBlocking = false } = {}) {
  const transport = new FakeTransport(), stdout = recordOutput(), stderr = recordOutput();
  const display = new Display(stdout, stderr, {
    json: false,
    timestamps: false,
    quiet: false,
    now: () => new Date(0),
  });
  const settings = {
    endpoint: {},
    peer: undefined,
    echo: false,
    nonBlocking,
    waitMs: 1000,
    once: false,
    localName: "::",
    remoteName: "?",
  };
  const session = new Session(transport, settings, display, {
    view: "text",
    octetsShown: 10,
    verbose: false,
  });
  session.open();
  if (isUp) transport.tell(UP);
  const runner = new ScriptRunner(session, commandTable, false);
  return { transport, session, runner, stdout: stdout.text, stderr: stderr.text };
}

/** What a script asks of the transport, and what it says to standard error. */
async function ask(line: string, answer?: (command: TransportCommand) => readonly TransportEvent[]) {
  const { transport, runner, stderr } = world();
  if (answer !== undefined) transport.answer = answer;
  await runner.lines([line], "test");
  return { asked: transport.asked, errors: stderr() };
}

const association = 77;
const ASKED: readonly (readonly [line: string, asked: readonly unknown[]])[] = [
  ["primary=fd01::2", [{ type: "setPrimary", association, address: "fd01::2" }]],
  ["heartbeat", [{ type: "heartbeat", association }]],
  ["heartbeat=FD01::0:2", [{ type: "heartbeat", association, address: "fd01::2" }]],
  ["peer_primary=10.1.0.1", [["peerPrimary", 77, "10.1.0.1"]]],
  ["peer-primary 10.1.0.1", [["peerPrimary", 77, "10.1.0.1"]]],
  ["bindx-add=10.2.0.1", [["add", "10.2.0.1"]]],
  ["bindx-rem=10.2.0.1", [["remove", "10.2.0.1"]]],
  ["maxseg=500", [["set", "maxseg", { value: 500 }, { association }]]],
  ["sndbuf=65536", [["set", "sndbuf", { value: 65536 }, {}]]],
  ["nodelay=1", [["set", "nodelay", { value: true }, {}]]],
  ["auth-key=3 0x00ff", [["set", "auth_key", { keynumber: 3, key: "0x00ff" }, { association }]]],
  ["auth-use=3", [["set", "auth_active_key", { keynumber: 3 }, { association }]]],
  ["auth-drop=3", [["set", "auth_deactivate_key", { keynumber: 3 }, { association }]]],
  ["auth-delete=3", [["set", "auth_delete_key", { keynumber: 3 }, { association }]]],
  ["set peer_addr_params path=fd01::2 hbinterval=500ms", [
    ["set", "peer_addr_params", { hbinterval: 500 }, { association, address: "fd01::2" }],
  ]],
  ["set peer_addr_params hbinterval=500 endpoint", [["set", "peer_addr_params", { hbinterval: 500 }, {}]]],
  ["set stream_scheduler rr", [["set", "stream_scheduler", { value: "rr" }, { association }]]],
  ["hbinterval=0", [
    ["set", "peer_addr_params", { heartbeat: false }, { association }],
    ["set", "peer_addr_params", { heartbeat: false }, undefined],
  ]],
  ["text don't panic", [{
    type: "send",
    association,
    data: new TextEncoder().encode("don't panic"),
    stream: 0,
    ppid: 0,
    unordered: false,
  }]],
  ["get rtoinfo", [["get", "rtoinfo", { association }]]],
  ["snd=2 sid=3 ppid=ASAP unordered now ttl=9 context=4 to=fd01::2 key=1", [{
    type: "send",
    association,
    data: new Uint8Array([0x21, 0x22]),
    stream: 3,
    ppid: 11,
    unordered: true,
    sackImmediately: true,
    reliability: { policy: "ttl", lifetimeMs: 9 },
    context: 4,
    destination: "fd01::2",
    authKeyId: 1,
  }]],
];

for (const [line, asked] of ASKED) {
  Deno.test(`${line} asks the transport for just that`, async () => {
    const result = await ask(line);
    assert.deepEqual(result.asked, asked);
    assert.equal(result.errors, "");
  });
}

const ANSWERED: readonly (readonly [line: string, command: TransportCommand, answer: TransportEvent])[] = [
  [
    "reset-streams",
    { type: "resetStreams", association, direction: "outgoing", streams: [] },
    { type: "streamsReset", association, direction: "outgoing", streams: [], outcome: "performed" },
  ],
  [
    "reset-streams both 1,2",
    { type: "resetStreams", association, direction: "both", streams: [1, 2] },
    { type: "streamsReset", association, direction: "outgoing", streams: [1, 2], outcome: "performed" },
  ],
  [
    "reset-assoc",
    { type: "resetAssociation", association },
    { type: "associationReset", association, localTsn: 1, peerTsn: 2, outcome: "performed" },
  ],
  [
    "add-streams out=3 in=2",
    { type: "addStreams", association, outbound: 3, inbound: 2 },
    { type: "streamsAdded", association, inboundStreams: 7, outboundStreams: 13, outcome: "performed" },
  ],
];

for (const [line, command, answer] of ANSWERED) {
  Deno.test(`${line} waits for the peer's answer`, async () => {
    const { asked, errors } = await ask(line, () => [answer]);
    assert.deepEqual(asked, [command]);
    assert.equal(errors, "");
    const denied = await ask(line, () => [{ ...answer, outcome: "denied" } as TransportEvent]);
    assert.match(denied.errors, /error: test, line 1: the peer has denied it/);
  });
}

for (
  const [line, sentence] of [
    ["primary=10.9.9.9", /10\.9\.9\.9 is not an address of the peer, which has 10\.1\.0\.2, fd01::2/],
    ["primary=pc2", /"pc2" is not an address/],
    ["use 7", /there is no association #7/],
    ["use", /use wants the number of an association/],
    ["shutdown assoc=7", /there is no association #7/],
    ["stats", /has no statistics/],
    ["add-streams", /wants out=<n> or in=<n>/],
    ["set nodelay maybe", /nodelay must be 0 or 1/],
    ["set stream_scheduler best", /must be one of fcfs, prio, rr, fc, wfq/],
    ["set rtoinfo", /wants a value: initial= max= min=/],
    ["source /nowhere/at/all", /cannot read \/nowhere\/at\/all: no such file/],
    ["sleep soon", /the time must be a number/],
    ["view backwards", /view is one of text, utf8, hex, none/],
    ["capture stop", /nothing is captured/],
    ["watch watch", /watch cannot watch itself/],
    ["stop 3", /there is no job 3/],
    ["connect 10.1.0.1", /connect wants a port/],
    ["connect", /connect wants a host and a port/],
  ] as const
) {
  Deno.test(`${line} fails with a sentence`, async () => {
    const { asked, errors } = await ask(line);
    assert.match(errors, sentence);
    assert.deepEqual(asked, []);
  });
}

Deno.test("commands without an association say so at the prompt, and the session goes on", async () => {
  const { runner, session, stderr } = world({ isUp: false });
  for (const line of ["stats", "shutdown", "abort", "snd=5"]) await runner.typed(line);
  assert.deepEqual(stderr().trimEnd().split("\n"), [
    "error: No association present yet",
    "error: The association is not present yet! Cannot SHUTDOWN!",
    "error: The association is not present yet! Cannot ABORT!",
    "error: No association present yet",
  ]);
  assert.equal(session.ended.aborted, false);
  assert.equal(runner.failure, 0);
});

Deno.test("a script waits for its first association", async () => {
  const { runner, transport } = world({ isUp: false });
  const done = runner.lines(["snd=1"], "test");
  transport.tell(UP);
  assert.equal(await done, true);
  assert.equal(transport.asked.length, 1);
});

Deno.test("a full send buffer stops snd until there is room, and stop gets the prompt back", async () => {
  const { runner, transport, stderr } = world();
  transport.tell({ type: "blocked", association });
  const sending = runner.typed("snd=1");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(transport.asked, []);
  transport.tell({ type: "writable", association });
  await sending;
  assert.equal(transport.asked.length, 1);
  transport.tell({ type: "blocked", association });
  const stuck = runner.typed("snd=1");
  runner.interrupt();
  await stuck;
  assert.equal(stderr(), "error: stopped\n");
});

Deno.test("-n fails where snd would have to wait", async () => {
  const { runner, transport, stderr } = world({ nonBlocking: true });
  transport.tell({ type: "blocked", association });
  await runner.typed("snd=1");
  assert.match(stderr(), /Resource temporarily unavailable/);
});

Deno.test("a refused message fails its command", async () => {
  const { errors } = await ask("snd=5 sid=99", (command) =>
    command.type !== "send" ? [] : [{
      type: "sendFailed",
      association,
      stream: 99,
      ppid: 0,
      data: command.data,
      sent: false,
      failure: "refused",
    }]);
  assert.match(errors, /the message was refused/);
});

Deno.test("repeated sending and watching go on besides the prompt until they are stopped", async () => {
  const { runner, session, transport, stdout, stderr } = world();
  await runner.typed("snd=1 count=forever rate=1000");
  await runner.typed("watch 0.1 assocs");
  assert.deepEqual(session.jobs.all.map(({ line }) => line), [
    "snd=1 count=forever rate=1000",
    "watch 0.1 assocs",
  ]);
  await runner.typed("stop 1");
  await runner.typed("stop");
  await session.jobs.finished();
  assert.match(stdout(), /job 1 started: snd=1 count=forever rate=1000\n/);
  assert.equal(stderr(), "error: stopped\nerror: stopped\n");
  assert.ok(transport.asked.length >= 1);
});

Deno.test("watching an option that cannot be read any more ends with a sentence", async () => {
  const { runner, session, transport, stderr } = world();
  transport.optionError = new SocketOptionError("EINVAL", "Cannot read status without an association");
  await runner.typed("watch get status");
  await session.jobs.finished();
  assert.equal(stderr(), "error: Cannot read status without an association\n");
});

Deno.test("files may name each other, but not for ever", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, `source ${path}\n`);
    const { runner, stderr } = world();
    assert.equal(await runner.lines([`source ${path}`], "test"), false);
    assert.match(stderr(), /name each other too deep/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a peeled-off association goes on at its own endpoint", async () => {
  const { runner, session, transport, stdout } = world();
  await runner.typed("peeloff 1");
  await runner.typed("snd=1");
  transport.tell({ type: "peerShutdown", association });
  assert.match(stdout(), /#1 has an endpoint of its own, port 1234\n[^]*SHUTDOWN_EVENT/);
  assert.equal(session.associations.current?.ending, true);
  assert.equal(transport.asked.length, 1);
});

Deno.test("the prompt names both ends, and the association where there are several", () => {
  const { session, transport } = world({ isUp: false });
  assert.equal(session.prompt, "[::]:1234-? Interactive mode> ");
  transport.tell(UP);
  assert.equal(session.prompt, "[::]:1234-10.1.0.2:2345 Interactive mode> ");
  transport.tell({ ...UP, association: 78, peerAddresses: ["fd01::3"] });
  assert.equal(session.prompt, "[::]:1234-[fd01::3]:2345 #2 Interactive mode> ");
});
