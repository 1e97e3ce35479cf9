import assert from "node:assert/strict";
import { MAX_IDLE_PARTS } from "../../../protocol/dump/table.ts";
import { element, pool, READER_ID, ReaderHarness, REGISTRAR_ID } from "./harness.ts";

const OTHER_ID = 0x00002222, TARGET_ID = 0x00001111;

/** A reader that a registrar with a peer has rejected as a stranger. */
function strangerAt(harness: ReaderHarness): ReaderHarness {
  harness.up();
  harness.list(OTHER_ID);
  harness.refuse();
  return harness;
}

Deno.test("HandlespaceReader asks for peers and for the whole handle table, and ends", () => {
  const harness = new ReaderHarness();
  harness.up();

  assert.deepEqual(harness.sent.map(({ message }) => message), [
    { type: "listRequest", senderId: READER_ID, receiverId: 0 },
    { type: "handleTableRequest", senderId: READER_ID, receiverId: 0, ownChildrenOnly: false },
  ]);
  harness.list(OTHER_ID);
  harness.part([pool("EchoPool", element(1), element(2))]);
  harness.down();

  const state = harness.report("state")?.state;
  assert.equal(state?.registrarId, REGISTRAR_ID);
  assert.deepEqual(state?.peers, [{ registrarId: OTHER_ID, addresses: ["10.1.1.34"], port: 9901 }]);
  assert.equal(state?.handlespace.elementCount, 2);
  assert.equal(harness.sentTypes.includes("presence"), false);
  assert.equal(harness.commands.at(-1)?.type, "shutdown");
  assert.equal(harness.stopped, true);
});

Deno.test("HandlespaceReader asks again as long as there is more", () => {
  const harness = new ReaderHarness();
  harness.up();
  harness.list();
  harness.part([pool("EchoPool", element(1))], "more");
  harness.part([pool("EchoPool", element(2))], "more");
  harness.part([pool("PingPongPool", element(3))]);

  assert.equal(harness.sentTypes.filter((type) => type === "handleTableRequest").length, 3);
  assert.deepEqual(
    harness.reports.filter((report) => report.type === "part").map((report) => report.elementsSoFar),
    [1, 2, 3],
  );
  assert.equal(harness.report("state")?.state.handlespace.poolCount, 2);
});

Deno.test("HandlespaceReader calls itself a registrar only where strangers are rejected", () => {
  const harness = strangerAt(new ReaderHarness());

  assert.deepEqual(harness.sentTypes.slice(2), ["handleTableRequest", "presence", "handleTableRequest"]);
  const presence = harness.sent[3]?.message;
  assert.ok(presence?.type === "presence");
  assert.equal(presence.checksum, 0xffff);
  assert.deepEqual(presence.serverInformation, {
    registrarId: READER_ID,
    transport: { protocol: "sctp", port: 20_001, use: "data", addresses: ["10.1.1.2"] },
  });
  assert.equal(harness.report("introduced")?.registrarId, REGISTRAR_ID);
});

Deno.test("HandlespaceReader waits for a registrar that is starting, and does not pose as its peer", () => {
  const harness = new ReaderHarness();
  harness.up();
  harness.list();
  for (let attempt = 0; attempt < 3; attempt++) {
    harness.reject();
    harness.part([]);
    harness.run(500);
  }
  harness.part([pool("EchoPool", element(1))]);

  const requests = harness.sent.flatMap(({ message }) =>
    message.type === "handleTableRequest" ? [message.ownChildrenOnly] : []
  );
  assert.deepEqual(requests, [false, true, false, true, false, true, false]);
  assert.equal(harness.sentTypes.includes("presence"), false);
  assert.equal(harness.reports.filter(({ type }) => type === "starting").length, 1);
  assert.equal(harness.report("state")?.state.handlespace.elementCount, 1);
});

Deno.test("HandlespaceReader asks a registrar that is starting for its list again, too", () => {
  const harness = new ReaderHarness();
  harness.up();
  const lists = () => harness.sentTypes.filter((type) => type === "listRequest").length;
  for (let attempt = 1; attempt <= 2; attempt++) {
    harness.rejectList();
    harness.refuse();
    harness.refuse();
    const before = lists();
    harness.run(500);
    assert.equal(lists(), before + 1, `attempt ${attempt}`);
  }
  harness.list(OTHER_ID);
  harness.part([pool("EchoPool", element(1))]);

  assert.deepEqual(harness.report("state")?.state.peers.map(({ registrarId }) => registrarId), [OTHER_ID]);
  assert.ok(harness.report("staying"), "who is a peer of it may be waited for");
});

Deno.test("HandlespaceReader acknowledges every takeover, by whichever association it is asked", () => {
  const harness = strangerAt(new ReaderHarness());
  const before = harness.sent.length;
  const receiverId = READER_ID, targetId = TARGET_ID;
  harness.message({ type: "initTakeover", senderId: REGISTRAR_ID, receiverId, targetId });
  harness.message({ type: "initTakeover", senderId: OTHER_ID, receiverId, targetId }, 7);

  assert.deepEqual(harness.sent.slice(before), [
    {
      association: 1,
      message: { type: "initTakeoverAck", senderId: READER_ID, receiverId: REGISTRAR_ID, targetId },
    },
    {
      association: 7,
      message: { type: "initTakeoverAck", senderId: READER_ID, receiverId: OTHER_ID, targetId },
    },
  ]);
});

Deno.test("HandlespaceReader stays until the registrar has forgotten it", () => {
  const harness = strangerAt(new ReaderHarness());
  harness.part([pool("EchoPool", element(1))]);
  assert.equal(harness.report("staying")?.registrarId, REGISTRAR_ID);
  for (let second = 0; second < 9; second++) {
    harness.list(READER_ID, OTHER_ID);
    harness.run(1000);
  }
  assert.equal(harness.stopped, false);
  const before = harness.sent.length;
  harness.message({
    type: "initTakeover",
    senderId: REGISTRAR_ID,
    receiverId: READER_ID,
    targetId: TARGET_ID,
  });
  assert.equal(harness.sent[before]?.message.type, "initTakeoverAck");

  harness.list(OTHER_ID);
  assert.equal(harness.commands.at(-1)?.type, "shutdown");
  harness.run(1000);
  assert.equal(harness.stopped, true);
});

Deno.test("HandlespaceReader that leaves does not answer the registrar's question whether it lives", () => {
  const harness = strangerAt(new ReaderHarness());
  harness.part([]);
  const before = harness.sent.length;
  const presence = { type: "presence", senderId: REGISTRAR_ID, receiverId: READER_ID } as const;
  harness.message({ ...presence, replyRequired: true, checksum: 0xffff });

  assert.equal(harness.sent.length, before);
});

Deno.test("HandlespaceReader that watches stays a peer by answering", () => {
  const harness = strangerAt(new ReaderHarness({ repeatMs: 5000 }));
  harness.part([]);
  const presence = { type: "presence", senderId: REGISTRAR_ID, receiverId: READER_ID } as const;
  harness.message({ ...presence, replyRequired: true, checksum: 0xffff });

  assert.deepEqual(harness.sentTypes.slice(-1), ["presence"]);
});

Deno.test("HandlespaceReader leaves a registrar without peers at once: nobody is there to be taken over", () => {
  const harness = new ReaderHarness();
  harness.up();
  harness.list();
  harness.refuse();
  harness.part([pool("EchoPool", element(1))]);

  assert.equal(harness.report("staying"), undefined);
  assert.equal(harness.commands.at(-1)?.type, "shutdown");
});

Deno.test("HandlespaceReader ends when the registrar that it stays for is gone", () => {
  const harness = strangerAt(new ReaderHarness());
  harness.part([]);
  harness.down();
  assert.equal(harness.stopped, true);
});

Deno.test("HandlespaceReader stays for two minutes at most", () => {
  const harness = strangerAt(new ReaderHarness());
  harness.part([]);
  harness.run(119_000);
  assert.equal(harness.stopped, false);
  harness.run(2000);
  assert.equal(harness.stopped, true);
});

Deno.test("HandlespaceReader ends at once on the second stop", () => {
  const harness = strangerAt(new ReaderHarness({ repeatMs: 1000 }));
  harness.part([]);
  harness.input({ type: "stop" });
  assert.ok(harness.report("staying"));
  harness.input({ type: "stop" });
  assert.equal(harness.commands.at(-1)?.type, "shutdown");
});

Deno.test("HandlespaceReader stays, too, when it is stopped while it reads again and has no new list yet", () => {
  const harness = strangerAt(new ReaderHarness({ repeatMs: 1000 }));
  harness.part([]);
  harness.run(1000);
  assert.equal(harness.sentTypes.at(-1), "handleTableRequest", "it reads again");
  harness.input({ type: "stop" });
  assert.ok(harness.report("staying"), "the takeovers of its first reading still wait for it");
});

Deno.test("HandlespaceReader answers what a registrar asks of a new peer", () => {
  const harness = strangerAt(new ReaderHarness());
  const before = harness.sent.length;
  const ids = { senderId: REGISTRAR_ID, receiverId: READER_ID } as const;
  harness.message({ type: "listRequest", ...ids });
  harness.message({ type: "handleTableRequest", ...ids, ownChildrenOnly: true });

  const answers = { senderId: READER_ID, receiverId: REGISTRAR_ID } as const;
  assert.deepEqual(harness.sent.slice(before).map(({ message }) => message), [
    { type: "listResponse", ...answers, rejected: false, servers: [] },
    { type: "handleTableResponse", ...answers, rejected: true, more: false, pools: [] },
  ]);
});

Deno.test("HandlespaceReader that is no peer answers nothing", () => {
  const harness = new ReaderHarness();
  harness.up();
  const before = harness.sent.length;
  harness.message({
    type: "initTakeover",
    senderId: REGISTRAR_ID,
    receiverId: READER_ID,
    targetId: TARGET_ID,
  });
  assert.equal(harness.sent.length, before);
});

Deno.test("HandlespaceReader reads again and again, and connects anew when the registrar was gone", () => {
  const harness = new ReaderHarness({ repeatMs: 2000 });
  harness.up();
  harness.list();
  harness.part([pool("EchoPool", element(1))]);
  harness.run(2000);
  assert.equal(harness.sentTypes.filter((type) => type === "listRequest").length, 2);
  harness.down();
  assert.match(harness.report("failed")?.reason ?? "", /association ended/);
  harness.run(2000);
  harness.up(2);
  harness.list();
  harness.part([]);

  assert.equal(harness.report("state")?.state.handlespace.elementCount, 0);
  assert.equal(harness.sent.at(-1)?.association, 2);
  harness.input({ type: "stop" });
  harness.down();
  assert.equal(harness.stopped, true);
});

Deno.test("HandlespaceReader introduces itself anew when a registrar has forgotten it meanwhile", () => {
  const harness = strangerAt(new ReaderHarness({ repeatMs: 20_000 }));
  harness.part([]);
  harness.run(20_000);
  harness.list(OTHER_ID);
  harness.refuse();
  harness.part([pool("EchoPool", element(1))]);

  assert.equal(harness.sentTypes.filter((type) => type === "presence").length, 2);
  assert.equal(harness.report("state")?.state.handlespace.elementCount, 1);
});

Deno.test("HandlespaceReader says why it cannot read", async (t) => {
  const cases: readonly [string, RegExp, (harness: ReaderHarness) => void][] = [
    ["nobody listens", /no association/, (harness) => harness.down(0, 1)],
    ["no association in time", /no answer within 10000 ms/, (harness) => harness.run(10_000)],
    ["no answer", /no answer within 10000 ms/, (harness) => {
      harness.up();
      harness.run(10_000);
    }],
    ["association lost", /association ended/, (harness) => {
      harness.up();
      harness.down();
    }],
    [
      "rejected as a peer, too",
      /does not take us for a peer, or is still starting, after 10000 ms/,
      (harness) => {
        strangerAt(harness);
        for (let attempt = 0; attempt <= 20; attempt++) {
          harness.refuse();
          harness.run(500);
        }
      },
    ],
    ["starting for ever", /still starting after 10000 ms/, (harness) => {
      harness.up();
      for (let attempt = 0; attempt < 20; attempt++) {
        harness.reject();
        harness.part([]);
        harness.run(500);
      }
    }],
    ["nonsense", /cannot be read/, (harness) => {
      harness.up();
      harness.octets(new Uint8Array(3));
    }],
    ["an error", /unrecognized parameter/, (harness) => {
      harness.up();
      const error = [{ code: 1, data: new Uint8Array(0) }];
      harness.message({ type: "error", senderId: REGISTRAR_ID, receiverId: READER_ID, error });
    }],
    ["more and more of nothing", /promised more/, (harness) => {
      harness.up();
      for (let part = 0; part < MAX_IDLE_PARTS; part++) harness.part([], "more");
    }],
  ];
  for (const [name, reason, play] of cases) {
    await t.step(name, () => {
      const harness = new ReaderHarness();
      play(harness);
      assert.match(harness.report("failed")?.reason ?? "", reason);
      assert.equal(harness.report("state"), undefined);
      harness.run(121_000);
      assert.equal(harness.stopped, true);
    });
  }
});

Deno.test("HandlespaceReader tells of elements that it cannot show, and shows the others", () => {
  const harness = new ReaderHarness();
  harness.up();
  const policy = { name: "unknown", type: 0x12345678, value: new Uint8Array(0) } as const;
  harness.part([pool("EchoPool", element(1)), pool("StrangePool", element(2, { policy }))]);

  assert.match(harness.report("refused")?.reason ?? "", /policy/);
  assert.equal(harness.report("state")?.state.handlespace.elementCount, 1);
});

Deno.test("HandlespaceReader aborts an association that comes when it is not waited for any more", () => {
  const harness = new ReaderHarness({ repeatMs: 1000 });
  harness.run(10_000);
  harness.up();
  assert.deepEqual(harness.commands.at(-1), { type: "abort", association: 1, reason: "too late" });
});

Deno.test("HandlespaceReader survives any octets at any time", () => {
  for (let seed = 0; seed < 300; seed++) {
    const harness = new ReaderHarness();
    harness.up();
    const octets = new Uint8Array(12 + seed % 40).map((_, index) => seed * 31 + index * 7);
    octets.set([1 + seed % 10, seed & 3, 0, octets.length]);
    harness.octets(octets);
    harness.octets(octets, 9);
    harness.run(1000);
    assert.ok(harness.reports.length > 0);
  }
});
