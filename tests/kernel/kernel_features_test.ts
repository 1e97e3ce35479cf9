/** Extensions of SCTP on kernel SCTP, between two endpoints of it. */
import assert from "node:assert/strict";
import type { CapturedPacket, TransportEvent } from "../../protocol/net.ts";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { pattern, Peer } from "../transport/peer.ts";
import { withPair } from "./kernel_pair.ts";
import { withSetting } from "./settings.ts";

const FULL = {
  server: { manualReceive: true, receiveBuffer: 16 * 1024 },
  client: { sendBuffer: 512 * 1024 },
} as const;

Deno.test("kernel features: both sides know what they agreed upon", async () => {
  await withPair({}, ({ client, atClient }) => {
    assert.deepEqual(client.endpoint.status(atClient.association)?.extensions, {
      partialReliability: true,
      reconfiguration: true,
      interleaving: false,
      authentication: false,
      dynamicAddresses: false,
    });
  });
  const off = { partialReliability: false, reconfiguration: false };
  await withPair({ both: off }, ({ client, atClient }) => {
    const extensions = client.endpoint.status(atClient.association)?.extensions;
    assert.deepEqual([extensions?.partialReliability, extensions?.reconfiguration], [false, false]);
  });
});

Deno.test("kernel features: streams are reset in either direction", async () => {
  await withPair({}, async ({ client, server, atClient, atServer }) => {
    const ssnOf = async (stream: number) => {
      client.send(atClient.association, pattern(10, 1), 0, stream);
      return (await server.message(atServer.association)).ssn;
    };
    assert.deepEqual([await ssnOf(1), await ssnOf(1), await ssnOf(2)], [0, 1, 0]);
    client.execute({
      type: "resetStreams",
      association: atClient.association,
      direction: "outgoing",
      streams: [1],
    });
    const here = await client.next("streamsReset"), there = await server.next("streamsReset");
    assert.deepEqual([here.direction, here.streams, here.outcome], ["outgoing", [1], "performed"]);
    assert.deepEqual([there.direction, there.streams, there.outcome], ["incoming", [1], "performed"]);
    assert.deepEqual([await ssnOf(1), await ssnOf(2)], [0, 1]);
    server.execute({
      type: "resetStreams",
      association: atServer.association,
      direction: "incoming",
      streams: [2],
    });
    const asked = await server.next("streamsReset");
    assert.deepEqual([asked.direction, asked.streams, asked.outcome], ["incoming", [2], "performed"]);
    assert.equal(await ssnOf(2), 0);
  });
});

Deno.test("kernel features: streams are added, and the association is reset", async () => {
  await withPair({ client: { outboundStreams: 3 }, server: { outboundStreams: 3 } }, async (pair) => {
    const { client, server, atClient, atServer } = pair;
    client.execute({ type: "addStreams", association: atClient.association, outbound: 4, inbound: 0 });
    const here = await client.next("streamsAdded"), there = await server.next("streamsAdded");
    assert.deepEqual([here.outboundStreams, here.inboundStreams, here.outcome], [7, 3, "performed"]);
    assert.deepEqual([there.outboundStreams, there.inboundStreams], [3, 7]);
    client.send(atClient.association, pattern(10, 1), 0, 6);
    assert.equal((await server.message(atServer.association)).stream, 6);
    // Nothing may be without an answer when the association is reset.
    await until(() => client.endpoint.status(atClient.association)?.unacknowledgedChunks === 0);
    client.execute({ type: "resetAssociation", association: atClient.association });
    const reset = await client.next("associationReset"), peer = await server.next("associationReset");
    assert.deepEqual([reset.outcome, peer.outcome], ["performed", "performed"]);
    assert.deepEqual([reset.localTsn, reset.peerTsn], [peer.peerTsn, peer.localTsn]);
    client.send(atClient.association, pattern(20, 1), 0, 6);
    const { ssn, tsn } = await server.message(atServer.association);
    assert.deepEqual([ssn, tsn], [0, reset.localTsn]);
    server.send(atServer.association, pattern(20, 1));
    assert.equal((await client.message(atClient.association)).tsn, reset.peerTsn);
  });
});

Deno.test("kernel features: a peer that does not allow it denies a reset", async () => {
  await withPair({}, async ({ client, server, atClient, atServer }) => {
    server.endpoint.setOption("enable_stream_reset", { streams: false, association: false, change: false }, {
      association: atServer.association,
    });
    client.execute({
      type: "resetStreams",
      association: atClient.association,
      direction: "outgoing",
      streams: [],
    });
    const { outcome, streams } = await client.next("streamsReset");
    assert.deepEqual([outcome, streams], ["denied", []]);
  });
  await withPair({ server: { reconfiguration: false } }, async ({ client, atClient }) => {
    client.execute({ type: "addStreams", association: atClient.association, outbound: 1, inbound: 0 });
    assert.equal((await client.next("streamsAdded")).outcome, "failed");
  });
});

Deno.test("kernel features: messages are abandoned when their time is up", async () => {
  await withPair(FULL, async ({ client, atClient: { association } }) => {
    for (let i = 0; i < 8; i++) {
      client.execute({
        type: "send",
        association,
        data: pattern(16_384, i),
        ppid: i,
        context: 100 + i,
        reliability: { policy: "ttl", lifetimeMs: 50 },
      });
    }
    // What was sent without an answer may be given up before what was not sent.
    const failed = await client.next("sendFailed", ({ sent }) => !sent);
    assert.deepEqual([failed.failure, failed.context], ["abandoned", 100 + failed.ppid]);
    assert.equal(failed.data.length, 16_384);
    const counts = client.endpoint.getOption("pr_assoc_status", { association });
    assert.ok(Number(counts["ttl_unsent"]) > 0, JSON.stringify(counts));
    assert.deepEqual([counts["rtx_unsent"], counts["prio_unsent"]], [0, 0]);
    assert.notEqual(client.endpoint.status(association), undefined);
  });
});

Deno.test("kernel features: default_prinfo is for messages that do not say it themselves", async () => {
  await withPair(FULL, async ({ client, atClient: { association } }) => {
    client.endpoint.setOption("default_prinfo", { policy: "ttl", value: 50 }, { association });
    for (let i = 0; i < 8; i++) client.send(association, pattern(16_384, i), i);
    assert.equal((await client.next("sendFailed")).failure, "abandoned");
  });
});

Deno.test("kernel features: a message of priority is taken when the buffer is full, and arrives", async () => {
  const both = { rto: { initialMs: 100, minMs: 100, maxMs: 200 } }; // what is abandoned is passed over soon
  await withPair({ ...FULL, both }, async ({ client, server, atClient: { association } }) => {
    client.endpoint.setOption("sndbuf", { value: 32 * 1024 }, { association });
    const send = (priority: number) => {
      client.execute({
        type: "send",
        association,
        data: pattern(8192, priority),
        ppid: priority,
        reliability: { policy: "prio", priority },
      });
    };
    const isBlocked = () => client.events.some(({ type }) => type === "blocked");
    for (let sent = 0; sent < 1000 && !isBlocked(); sent++) {
      send(9);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(isBlocked());
    send(0);
    server.onEvent = (event) => {
      if (event.type !== "message") return;
      const { association, data } = event;
      queueMicrotask(() => server.execute({ type: "consumed", association, octets: data.length }));
    };
    for (const event of server.events) server.onEvent(event);
    await server.next("message", ({ ppid }) => ppid === 0);
    assert.ok(!client.events.some((event) => event.type === "sendFailed" && event.ppid === 0));
  });
});

Deno.test("kernel features: senderDry, adaptation and no-authentication are told", async () => {
  const both = { senderDryEvents: true, adaptation: 0x12345678 };
  await withPair({ both }, async ({ client, server, atClient, atServer }) => {
    assert.equal((await client.next("adaptation")).indication, 0x12345678);
    assert.equal((await server.next("adaptation")).association, atServer.association);
    client.send(atClient.association, pattern(10, 1));
    assert.equal((await client.next("senderDry")).association, atClient.association);
  });
  await withPair({ client: { authentication: true } }, async ({ client }) => {
    const { indication, keyId } = await client.next("authentication");
    assert.deepEqual([indication, keyId], ["no-authentication", 0]);
  });
});

Deno.test("kernel features: DATA is authenticated with a shared key, by message", async () => {
  const transport = openKernelTransport();
  try {
    const options = { addresses: ["127.0.0.1"], authentication: true };
    const server = new Peer(transport, { ...options, listen: true }), client = new Peer(transport, options);
    for (const { endpoint } of [server, client]) {
      endpoint.setOption("auth_chunk", { chunk: 0 }); // DATA
      for (const keynumber of [0, 5]) endpoint.setOption("auth_key", { keynumber, key: "0x0102" });
    }
    const { association } = await client.up(client.connect(["127.0.0.1"], server.endpoint.port));
    const peer = await server.next("up");
    assert.equal(client.endpoint.status(association)?.extensions?.authentication, true);
    assert.deepEqual(client.endpoint.getOption("peer_auth_chunks", { association })["chunks"], [0]);
    client.execute({ type: "send", association, data: pattern(10, 1), ppid: 1, authKeyId: 5 });
    client.send(association, pattern(10, 1), 2);
    assert.equal((await server.message(peer.association)).ppid, 1);
    assert.equal((await server.next("authentication")).keyId, 5);
    assert.equal((await server.message(peer.association)).ppid, 2);
    client.execute({ type: "send", association, data: pattern(10, 1), ppid: 3, authKeyId: 77 });
    const failed = await client.next("sendFailed");
    assert.deepEqual([failed.ppid, failed.failure], [3, "refused"]);
  } finally {
    await transport.close();
  }
});

Deno.test("kernel features: addresses come and go on a living association", async () => {
  const both = { authentication: true, dynamicAddresses: true, heartbeatIntervalMs: 500 };
  await withPair({ both }, async ({ client, server, atClient, atServer }) => {
    assert.equal(client.endpoint.status(atClient.association)?.extensions?.dynamicAddresses, true);
    server.endpoint.addAddress("127.0.0.2");
    assert.deepEqual(new Set(server.endpoint.addresses), new Set(["127.0.0.1", "127.0.0.2"]));
    await client.next("path", ({ address, change }) => address === "127.0.0.2" && change === "added");
    const paths = () => client.endpoint.status(atClient.association)?.paths.map(({ address }) => address);
    assert.deepEqual(new Set(paths()), new Set(["127.0.0.1", "127.0.0.2"]));
    await client.next("path", ({ address, change }) => address === "127.0.0.2" && change === "confirmed");
    server.endpoint.setPeerPrimary(atServer.association, "127.0.0.2");
    await until(() =>
      client.endpoint.getOption("primary_addr", { association: atClient.association })["address"] ===
        "127.0.0.2"
    );
    client.execute({
      type: "send",
      association: atClient.association,
      data: pattern(9, 1),
      ppid: 0,
      destination: "127.0.0.2",
    });
    assert.equal((await server.message(atServer.association)).data.length, 9);
    server.endpoint.removeAddress("127.0.0.1");
    await client.next("path", ({ address, change }) => address === "127.0.0.1" && change === "removed");
    assert.deepEqual(paths(), ["127.0.0.2"]);
    client.send(atClient.association, pattern(11, 1));
    assert.equal((await server.message(atServer.association)).data.length, 11);
  });
});

Deno.test("kernel features: an address that cannot be added or removed is refused in words", async () => {
  await withPair({}, ({ server: { endpoint } }) => {
    const refusal = (code: string, pattern: RegExp) => (error: unknown) =>
      error instanceof Error && "code" in error && error.code === code && pattern.test(error.message);
    assert.throws(() => endpoint.addAddress("192.0.2.1"), refusal("EADDRNOTAVAIL", /no such address/));
    assert.throws(() => endpoint.addAddress("127.0.0.1"), refusal("EINVAL", /has it already/));
    assert.throws(() => endpoint.removeAddress("127.0.0.1"), refusal("EINVAL", /the last one/));
    endpoint.addAddress("127.0.0.2");
    assert.throws(() => endpoint.removeAddress("127.0.0.3"), refusal("EINVAL", /not an address/));
    endpoint.removeAddress("127.0.0.2");
    assert.deepEqual(endpoint.addresses, ["127.0.0.1"]);
  });
});

Deno.test("kernel features: messages are interleaved where both sides and the system allow it", async () => {
  using _ = withSetting("intl_enable", 1);
  await withPair({ both: { interleaving: true } }, async ({ client, server, atClient, atServer }) => {
    assert.equal(client.endpoint.status(atClient.association)?.extensions?.interleaving, true);
    for (let i = 0; i < 4; i++) client.send(atClient.association, pattern(100_000, i), i, i);
    for (let i = 0; i < 4; i++) {
      const { data, ppid } = await server.message(atServer.association);
      assert.deepEqual(data, pattern(100_000, ppid));
    }
  });
});

Deno.test("kernel features: interleaving that the system does not allow is refused in words", () => {
  const transport = openKernelTransport();
  assert.throws(() => transport.open({ interleaving: true }, () => {}), {
    code: "EPERM",
    message: /intl_enable=1/,
  });
});

Deno.test("kernel features: a destination that is not the peer's is refused", async () => {
  await withPair({}, async ({ client, atClient: { association } }) => {
    client.execute({ type: "send", association, data: pattern(9, 1), ppid: 7, destination: "127.0.0.9" });
    const { ppid, failure } = await client.next("sendFailed");
    assert.deepEqual([ppid, failure], [7, "refused"]);
  });
});

Deno.test("kernel features: a peeled-off association lives on in its own endpoint", async () => {
  await withPair({}, async ({ transport, client, server, atClient, atServer }) => {
    client.send(atClient.association, pattern(10, 1), 1);
    await server.message(atServer.association);
    const events: TransportEvent[] = [];
    const own = server.endpoint.peelOff(atServer.association, (batch) => events.push(...batch));
    assert.equal(own.port, server.endpoint.port);
    assert.deepEqual(own.addresses, ["127.0.0.1"]);
    assert.equal(server.endpoint.status(atServer.association), undefined);
    assert.equal(own.status(atServer.association)?.state, "established");
    assert.throws(() => server.endpoint.peelOff(atServer.association, () => {}), { code: "ENOTCONN" });
    client.send(atClient.association, pattern(20, 2), 2);
    await until(() => events.some((event) => event.type === "message" && event.ppid === 2));
    own.execute({ type: "send", association: atServer.association, data: pattern(30, 3), ppid: 3 });
    assert.equal((await client.message(atClient.association)).ppid, 3);
    await server.endpoint.close(); // does not touch what was peeled off
    own.execute({ type: "send", association: atServer.association, data: pattern(40, 4), ppid: 4 });
    assert.equal((await client.message(atClient.association)).ppid, 4);
    own.execute({ type: "connect", request: 9, addresses: ["127.0.0.1"], port: 7 });
    await until(() => events.some((event) => event.type === "down" && event.request === 9));
    await own.close();
    assert.equal((await client.down(atClient.association)).reason, "shutdown");
    assert.deepEqual(events.at(-1)?.type, "down");
    assert.equal(transport.kind, "kernel");
  });
});

Deno.test("kernel features: capture shows the packets of both sides", async () => {
  await withPair({}, async ({ transport, client, server, atClient, atServer }) => {
    const packets: CapturedPacket[] = [];
    {
      using _ = transport.capture((packet) => packets.push({ ...packet, sctp: packet.sctp.slice() }));
      client.send(atClient.association, pattern(50, 1));
      await server.message(atServer.association);
      await until(() => packets.some(({ direction, sctp }) => direction === "received" && sctp[12] === 3)); // SACK
    }
    const data = packets.filter(({ sctp }) => sctp[12] === 0);
    assert.deepEqual(data.map(({ direction }) => direction).sort(), ["received", "sent"]);
    const [{ source, destination, sctp, sourceUdpPort }] = data as [CapturedPacket];
    assert.deepEqual([source, destination, sourceUdpPort], ["127.0.0.1", "127.0.0.1", 0]);
    assert.equal(sctp[0]! << 8 | sctp[1]!, client.endpoint.port);
    const { length } = packets;
    client.send(atClient.association, pattern(50, 1));
    await server.message(atServer.association);
    assert.equal(packets.length, length);
  });
});

Deno.test("kernel features: a silent path is potentially failed before it is unreachable", async () => {
  await ip("addr", "add", "10.96.0.1/32", "dev", "lo");
  const both = {
    rto: { initialMs: 100, minMs: 100, maxMs: 200 },
    heartbeatIntervalMs: 200,
    pathMaxRetransmissions: 3,
    potentiallyFailedMaxRetransmissions: 1,
    exposePotentiallyFailed: true,
  };
  const server = { addresses: ["127.0.0.1", "10.96.0.1"] };
  await withPair({ both, server }, async ({ client, atClient: { association } }) => {
    const lost = (change: string) =>
      client.next("path", (event) => event.address === "10.96.0.1" && event.change === change);
    await lost("confirmed");
    await ip("addr", "del", "10.96.0.1/32", "dev", "lo");
    await lost("potentially-failed");
    await lost("unreachable");
    const states = client.endpoint.status(association)?.paths.map(({ address, state }) => [address, state]);
    assert.deepEqual(new Map(states as [string, string][]).get("10.96.0.1"), "inactive");
  });
});

Deno.test("kernel features: an association runs over UDP where the connect says so", async () => {
  using _ = withSetting("udp_port", 9896);
  const transport = openKernelTransport();
  const packets: CapturedPacket[] = [];
  using _capture = transport.capture((packet) => packets.push({ ...packet, sctp: packet.sctp.slice() }));
  try {
    const addresses = ["127.0.0.1"];
    const server = new Peer(transport, { addresses, listen: true }),
      client = new Peer(transport, { addresses });
    const { association } = await client.up(client.connect(addresses, server.endpoint.port, 9896));
    const peer = await server.next("up");
    client.send(association, pattern(5000, 1));
    assert.equal((await server.message(peer.association)).data.length, 5000);
    assert.equal(client.endpoint.status(association)?.paths[0]?.encapsulationPort, 9896);
    assert.equal(server.endpoint.status(peer.association)?.paths[0]?.encapsulationPort, 9896);
    assert.equal(client.endpoint.getOption("remote_udp_encaps_port")["port"], 0); // of the next one
    await until(() => packets.some(({ sctp }) => sctp[12] === 0));
    assert.ok(
      packets.every(({ sourceUdpPort, destinationUdpPort }) =>
        sourceUdpPort === 9896 && destinationUdpPort === 9896
      ),
    );
  } finally {
    await transport.close();
  }
});

Deno.test("kernel features: an abort gives back thousands of messages that were not acknowledged", async () => {
  const options = {
    server: { manualReceive: true, receiveBuffer: 64 * 1024 },
    client: { sendBuffer: 8 * 1024 * 1024 },
  };
  await withPair(options, async ({ client, server, atClient: { association }, atServer }) => {
    const failed: number[] = [];
    client.onEvent = (event) => {
      if (event.type === "sendFailed") failed.push(event.ppid);
    };
    for (let i = 0; i < 5000; i++) client.send(association, pattern(200, i), i);
    await server.message(atServer.association); // the kernel has all of them
    client.execute({ type: "abort", association });
    await client.down(association);
    assert.ok(failed.length > 4000, `${failed.length} of 5000 messages came back`);
    assert.equal(failed.at(-1), 4999);
  });
});

Deno.test("kernel features: the answer to a HEARTBEAT is told, with its round-trip time", async () => {
  const both = { addresses: ["127.0.0.1", "127.0.0.2"] };
  await withPair({ both }, async ({ client, atClient: { association } }) => {
    client.execute({ type: "heartbeat", association });
    for (const address of both.addresses) {
      const { roundTripMs } = await client.next("heartbeatAck", (event) => event.address === address);
      assert.ok(roundTripMs > 0 && roundTripMs < 60_000, `${roundTripMs} ms`);
    }
    client.execute({ type: "heartbeat", association, address: "127.0.0.2" });
    assert.equal((await client.next("heartbeatAck")).address, "127.0.0.2");
    client.execute({ type: "heartbeat", association, address: "127.0.0.9" }); // not the peer's: nothing comes of it
  });
});

Deno.test("kernel features: a one-to-one endpoint starts and takes several associations on its port", async () => {
  const transport = openKernelTransport();
  const addresses = ["127.0.0.1"], style = "one-to-one" as const;
  try {
    const first = new Peer(transport, { addresses, listen: true, style });
    const second = new Peer(transport, { addresses, listen: true, style });
    const client = new Peer(transport, { addresses, style });
    client.endpoint.setOption("max_burst", { value: 7 });
    for (const server of [first, second]) {
      const { association } = await client.up(client.connect(addresses, server.endpoint.port));
      const peer = await server.next("up");
      assert.equal(peer.peerPort, client.endpoint.port);
      assert.equal(client.endpoint.getOption("max_burst", { association })["value"], 7);
      client.send(association, pattern(70_000, 1), 5, 3);
      assert.equal((await server.message(peer.association)).data.length, 70_000);
      server.send(peer.association, pattern(10, 1), 6);
      assert.equal((await client.message(association)).ppid, 6);
    }
    assert.equal(client.endpoint.getOption("get_assoc_number")["value"], 2);
    const { association } = await second.up(second.connect(addresses, first.endpoint.port)); // a listener connects, too
    const peer = await first.next("up", ({ peerPort }) => peerPort === second.endpoint.port);
    const events: TransportEvent[] = [];
    const own = first.endpoint.peelOff(peer.association, (batch) => events.push(...batch));
    second.send(association, pattern(10, 2), 9);
    await until(() => events.some((event) => event.type === "message" && event.ppid === 9));
    own.execute({ type: "abort", association: peer.association });
    assert.equal((await second.down(association)).reason, "aborted");
    assert.throws(() => own.addAddress("127.0.0.2"), { code: "ENOTCONN" });
    assert.throws(() => own.getOption("nodelay"), { name: "SocketOptionError" });
  } finally {
    await transport.close();
  }
});

Deno.test("kernel features: events of a one-to-one endpoint are told of the associations that it starts", async () => {
  const transport = openKernelTransport(),
    common = { addresses: ["127.0.0.1"], style: "one-to-one" } as const;
  try {
    const server = new Peer(transport, { ...common, listen: true }), client = new Peer(transport, common);
    client.endpoint.setOption("event", { sender_dry: true });
    const { association } = await client.up(client.connect(common.addresses, server.endpoint.port));
    client.send(association, pattern(10, 1));
    assert.equal((await client.next("senderDry")).association, association);
  } finally {
    await transport.close();
  }
});

Deno.test("kernel features: what is held up is sent when the peer of a one-to-one socket shuts down", async () => {
  const both = { style: "one-to-one" } as const;
  const server = { manualReceive: true, receiveBuffer: 32 * 1024 };
  await withPair({ both, server, client: { sendBuffer: 256 * 1024 } }, async (pair) => {
    const { client, server, atClient, atServer } = pair;
    const count = 12;
    for (let i = 0; i < count; i++) client.send(atClient.association, pattern(16_384, i), i);
    server.execute({ type: "shutdown", association: atServer.association });
    await client.next("peerShutdown");
    for (let i = 0; i < count; i++) {
      assert.equal((await server.message(atServer.association)).ppid, i);
      server.execute({ type: "consumed", association: atServer.association, octets: 16_384 });
    }
    assert.equal((await client.down(atClient.association)).reason, "shutdown");
    assert.equal((await server.down(atServer.association)).reason, "shutdown");
  });
});

async function ip(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** Waits for a condition of what events have left behind, with a deadline. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, "it did not come about within 20 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}
