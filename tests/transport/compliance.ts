/**
 * The contract of `Transport` (protocol/net.ts) as tests, the same for every backend.
 *
 * No test sleeps: each waits for an event with a deadline.
 */
import assert from "node:assert/strict";
import { SocketOptionError } from "../../protocol/net.ts";
import type {
  AssociationUp,
  EndpointOptions,
  IpAddress,
  Transport,
  TransportEvent,
} from "../../protocol/net.ts";
import { assertSameOctets, pattern, Peer } from "./peer.ts";

/** A backend under test. */
export interface ComplianceTarget {
  /** Stands before the name of each test. */
  readonly name: string;
  /** Opens a transport; called for each side of each test: two processes, so to speak. */
  readonly open: (side: "server" | "client") => Transport;
  /** One or two addresses of this host, of one family; without a second one the test that needs it is left out. */
  readonly addresses: readonly [IpAddress] | readonly [IpAddress, IpAddress];
  /** The client's where it is another host. Default: those of the server. */
  readonly clientAddresses?: readonly IpAddress[];
  /** The side that is on another host: it answers nothing at once. */
  readonly remote?: "server" | "client";
  /** Waits until what was asked of another host is done. */
  readonly settled?: () => Promise<void>;
  /** UDP port at which the server is reached. Default: the transport finds out. */
  readonly encapsulationPort?: number;
  /** An address that is not one of this host. */
  readonly foreignAddress: IpAddress;
  /** Options that all endpoints get. */
  readonly options?: EndpointOptions;
  /** All associations of an endpoint share its buffers, so that a slow reader holds up the others. Default false. */
  readonly sharedBuffers?: boolean;
  /** Hears that a port is not in use (node:dgram does not). Default true. */
  readonly hearsUnreachable?: boolean;
  /** A one-to-one socket of the kernel: its ABORT carries no reason, and idle associations are kept. Default false. */
  readonly oneToOneSockets?: boolean;
  /** Resets and adds streams (RFC 6525) without further ado. Default false. */
  readonly reconfiguration?: boolean;
  readonly ignore?: boolean;
}

/** Both ends of a test. */
interface Bench {
  readonly server: Peer;
  readonly client: Peer;
  readonly serverTransport: Transport;
  readonly clientTransport: Transport;
  /** Opens one more endpoint of the client's transport, which the test closes with the others. */
  readonly another: (options?: EndpointOptions) => Peer;
  /** Opens one more endpoint to connect to: beside the client's where that is on the server's host. */
  readonly anotherServer: (options?: EndpointOptions) => Promise<Peer>;
  /** Sets up an association from client to server. */
  readonly associate: () => Promise<{ client: AssociationUp; server: AssociationUp }>;
}

interface BenchOptions {
  readonly server?: EndpointOptions;
  readonly client?: EndpointOptions;
}

/** Messages of these lengths go both ways: around a DATA chunk, a packet, a receive slot, and above the window. */
const LENGTHS = [1, 2, 3, 4, 5, 15, 100, 1000, 1432, 1452, 1453, 4096, 65_535, 65_536, 100_000, 1_048_576];
const ASSOCIATIONS = 40;
/** How long a close may take that is to be no abort: the usual two seconds are over where a side is stopped for so long. */
const PATIENCE_MS = 20_000;
/** How long a close waits that says nothing of it. */
const LINGER_MS = 2000;
const USER_INITIATED_ABORT = 12; // RFC 9260 §3.3.10.12

/** Registers the tests of one backend. */
export function testTransport(target: ComplianceTarget): void {
  const test = (name: string, options: BenchOptions, body: (bench: Bench) => Promise<void>, ignore = false) =>
    Deno.test({
      name: `${target.name} transport: ${name}`,
      ignore: ignore || (target.ignore ?? false),
      fn: () => withBench(target, options, body),
    });
  const [address, secondAddress = address] = target.addresses;
  const clientAddresses = target.clientAddresses ?? [address, secondAddress];

  test("both sides learn of an association", {}, async ({ associate, server, client }) => {
    const up = await associate();
    assert.equal(up.client.peerPort, server.endpoint.port);
    assert.equal(up.server.peerPort, client.endpoint.port);
    assert.equal(up.server.request, undefined);
    assert.ok(up.client.peerAddresses.includes(address));
    assert.equal(up.client.outboundStreams, up.server.inboundStreams);
    assert.equal(up.client.inboundStreams, up.server.outboundStreams);
    assert.notEqual(up.client.association, 0);
  });

  test("negotiates numbers of streams", {
    client: { outboundStreams: 7, maxInboundStreams: 3 },
    server: { outboundStreams: 20, maxInboundStreams: 5 },
  }, async ({ associate }) => {
    const up = await associate();
    assert.deepEqual([up.client.outboundStreams, up.client.inboundStreams], [5, 3]);
    assert.deepEqual([up.server.outboundStreams, up.server.inboundStreams], [3, 5]);
  });

  test(
    "messages of many lengths arrive whole in both directions",
    {},
    async ({ associate, server, client }) => {
      const up = await associate();
      for (const [index, length] of LENGTHS.entries()) {
        client.send(up.client.association, pattern(length, index));
        server.send(up.server.association, pattern(length, index + 100));
      }
      for (const [index, length] of LENGTHS.entries()) {
        assertSameOctets((await server.message(up.server.association)).data, pattern(length, index));
        assertSameOctets((await client.message(up.client.association)).data, pattern(length, index + 100));
      }
    },
  );

  test("PPID, stream and order of delivery are kept", {}, async ({ associate, server, client }) => {
    const up = await associate();
    client.send(up.client.association, pattern(10, 1), 0x01020304, 3);
    client.send(up.client.association, pattern(20, 2), 11, 3);
    client.send(up.client.association, pattern(30, 3), 0xffffffff, 0, true);
    client.send(up.client.association, pattern(40, 4), 0, 9);
    const found = new Map<number, unknown>();
    for (let i = 0; i < 4; i++) {
      const { data, ppid, stream, ssn, unordered } = await server.message(up.server.association);
      found.set(data.length, { ppid, stream, ssn, unordered });
    }
    assert.deepEqual(found.get(10), { ppid: 0x01020304, stream: 3, ssn: 0, unordered: false });
    assert.deepEqual(found.get(20), { ppid: 11, stream: 3, ssn: 1, unordered: false });
    assert.deepEqual(found.get(30), { ppid: 0xffffffff, stream: 0, ssn: 0, unordered: true });
    assert.deepEqual(found.get(40), { ppid: 0, stream: 9, ssn: 0, unordered: false });
  });

  test(
    "each stream keeps its order under load in both directions",
    {},
    async ({ associate, server, client }) => {
      const up = await associate();
      const count = 400, streams = 4;
      for (let i = 0; i < count; i++) {
        client.send(up.client.association, pattern(1 + i * 7 % 3000, i), i, i % streams);
        server.send(up.server.association, pattern(1 + i * 11 % 3000, i), i, i % streams);
      }
      for (
        const [peer, association] of [[server, up.server.association], [
          client,
          up.client.association,
        ]] as const
      ) {
        const last = Array<number>(streams).fill(-1);
        for (let i = 0; i < count; i++) {
          const { ppid, stream, ssn, data } = await peer.message(association);
          assert.equal(stream, ppid % streams);
          assert.ok(ppid > last[stream]!, `stream ${stream}: ${ppid} after ${last[stream]}`);
          assert.equal(ssn, Math.floor(ppid / streams));
          assertSameOctets(data, pattern(1 + ppid * (peer === server ? 7 : 11) % 3000, ppid));
          last[stream] = ppid;
        }
      }
    },
  );

  const blocked = (title: string, client: EndpointOptions, most: number, ignore = false) =>
    test(title, { server: { manualReceive: true, receiveBuffer: 128 * 1024 }, client }, async (bench) => {
      await blocksAndLosesNothing(bench, most);
    }, ignore || target.remote === "client");
  blocked(
    "a reader that does not read blocks the sender, and nothing is lost",
    { sendBuffer: 128 * 1024 },
    2000,
  );
  blocked(
    "a send buffer that is to drain within a time is full soon, and nothing is lost",
    { sendBuffer: 4 * 1024 * 1024, sendBufferMs: 2000 },
    64,
    target.sharedBuffers,
  );

  test("one slow reader does not hold up another association", {
    server: { manualReceive: true, receiveBuffer: 64 * 1024 },
    client: { sendBuffer: 64 * 1024 },
  }, async ({ associate, another, server, client }) => {
    const slow = await associate();
    for (let i = 0; i < 100; i++) client.send(slow.client.association, pattern(8192, i));
    await client.next("blocked");
    const other = another();
    const up = await other.up(other.connect([address], server.endpoint.port, target.encapsulationPort));
    const peer = await server.next("up", (event) => event.peerPort === other.endpoint.port);
    for (let i = 0; i < 30; i++) {
      other.send(up.association, pattern(8192, i));
      assertSameOctets((await server.message(peer.association)).data, pattern(8192, i));
      server.execute({ type: "consumed", association: peer.association, octets: 8192 });
    }
  }, target.sharedBuffers ?? false);

  test("shutdown delivers what is queued and ends both sides", {}, async ({ associate, server, client }) => {
    const up = await associate();
    for (let i = 0; i < 20; i++) client.send(up.client.association, pattern(20_000, i));
    client.execute({ type: "shutdown", association: up.client.association });
    for (let i = 0; i < 20; i++) {
      assertSameOctets((await server.message(up.server.association)).data, pattern(20_000, i));
    }
    const [atClient, atServer] = [
      await client.down(up.client.association),
      await server.down(up.server.association),
    ];
    assert.deepEqual([atClient.reason, atClient.origin], ["shutdown", "local"]);
    assert.deepEqual([atServer.reason, atServer.origin], ["shutdown", "peer"]);
    assert.ok(server.events.some((event) => event.type === "peerShutdown"));
    assert.equal(client.endpoint.status(up.client.association), undefined);
  });

  test("abort tells the peer why", {}, async ({ associate, server, client }) => {
    const up = await associate();
    client.execute({ type: "abort", association: up.client.association, reason: "no time" });
    const [atClient, atServer] = [
      await client.down(up.client.association),
      await server.down(up.server.association),
    ];
    assert.deepEqual([atClient.reason, atClient.origin], ["aborted", "local"]);
    assert.deepEqual([atServer.reason, atServer.origin], ["aborted", "peer"]);
    assert.equal(atServer.cause?.code, USER_INITIATED_ABORT);
    const reason = target.oneToOneSockets ? "" : "no time";
    assert.equal(new TextDecoder().decode(atServer.cause?.info), reason);
  });

  test("the acceptor can end an association too", {}, async ({ associate, server, client }) => {
    const up = await associate();
    server.execute({ type: "shutdown", association: up.server.association });
    const [atClient, atServer] = [
      await client.down(up.client.association),
      await server.down(up.server.association),
    ];
    assert.deepEqual([atClient.reason, atClient.origin], ["shutdown", "peer"]);
    assert.deepEqual([atServer.reason, atServer.origin], ["shutdown", "local"]);
  });

  test("an abort gives back what was not acknowledged, before the end", {
    server: { manualReceive: true, receiveBuffer: 64 * 1024 },
    client: { sendBuffer: 64 * 1024 },
  }, async ({ associate, client }) => {
    const up = await associate();
    for (let i = 0; i < 64; i++) client.send(up.client.association, pattern(16_384, i), i);
    await client.next("blocked");
    const failed: number[] = [];
    let ended = false;
    client.onEvent = (event) => {
      if (event.type === "sendFailed") {
        assert.ok(!ended, "nothing comes after `down`");
        failed.push(event.ppid);
        if (!event.sent) assertSameOctets(event.data, pattern(16_384, event.ppid));
      }
      if (event.type === "down") ended = true;
    };
    client.execute({ type: "abort", association: up.client.association });
    await client.down(up.client.association);
    assert.ok(failed.length >= 32, `${failed.length} of 64 messages came back`);
    assert.equal(failed.at(-1), 63);
    assert.equal(new Set(failed).size, failed.length, "each message comes back once");
  });

  const unread = {
    server: { manualReceive: true, receiveBuffer: 16 * 1024 },
    client: { manualReceive: true, receiveBuffer: 16 * 1024, sendBuffer: 512 * 1024 },
  };

  /** Sets an association up whose server reads no more. */
  const associateUnread = async (bench: Bench) => {
    const up = await bench.associate();
    for (let i = 0; i < 8; i++) bench.client.send(up.client.association, pattern(16_384, i));
    await untilItReadsNoMore(bench);
    return { atClient: up.client.association, atServer: up.server.association };
  };

  test("a reader that does not read can abort", unread, async (bench) => {
    const { atServer } = await associateUnread(bench), { server } = bench;
    server.execute({ type: "abort", association: atServer });
    assert.equal((await server.down(atServer)).reason, "aborted");
  });

  test("a reader that does not read hears of an abort", unread, async (bench) => {
    const { atClient, atServer } = await associateUnread(bench), { server, client } = bench;
    client.execute({ type: "abort", association: atClient });
    assert.equal((await server.down(atServer)).reason, "aborted");
  }, target.sharedBuffers ?? false);

  test("an echo that is stuck hears of an abort", unread, async (bench) => {
    const { atClient, atServer } = await associateUnread(bench), { server, client } = bench;
    for (let i = 0; i < 200; i++) server.send(atServer, pattern(16_384, i));
    await server.next("blocked");
    client.execute({ type: "abort", association: atClient });
    assert.equal((await server.down(atServer)).reason, "aborted");
  });

  const hearsUnreachable = target.hearsUnreachable ?? true;
  test("a port that nobody has refuses", {
    // Only who waits in vain does not wait long: a refusal may be late.
    client: hearsUnreachable
      ? {}
      : { maxInitRetransmissions: 2, rto: { initialMs: 200, minMs: 200, maxMs: 1000 } },
  }, async ({ client, anotherServer }) => {
    const gone = await anotherServer();
    const { port } = gone.endpoint;
    await gone.endpoint.close();
    const request = client.connect([address], port, target.encapsulationPort);
    const down = await client.next("down", (event) => event.request === request);
    assert.equal(down.reason, hearsUnreachable ? "refused" : "timeout");
  });

  test("an endpoint that does not listen refuses", {}, async ({ client, anotherServer }) => {
    const deaf = await anotherServer();
    const request = client.connect([address], deaf.endpoint.port, target.encapsulationPort);
    const down = await client.next("down", (event) => event.request === request);
    assert.equal(down.reason, "refused");
  });

  test(
    "a port is had once, and free again after close",
    {},
    async ({ server, serverTransport, clientTransport }) => {
      const { port } = server.endpoint;
      const open = () => clientTransport.open({ ...target.options, port, addresses: [address] }, () => {});
      assert.throws(open, { code: "EADDRINUSE" });
      assert.throws(() => serverTransport.open({ ...target.options, port, addresses: [address] }, () => {}), {
        code: "EADDRINUSE",
      });
      await server.endpoint.close();
      const again = open();
      assert.equal(again.port, port);
      await again.close();
    },
    target.remote !== undefined,
  );

  test("an address of another host cannot be had", {}, ({ clientTransport }) => {
    assert.throws(
      () => clientTransport.open({ ...target.options, addresses: [target.foreignAddress] }, () => {}),
      { code: "EADDRNOTAVAIL" },
    );
    return Promise.resolve();
  }, target.remote === "client");

  test(`carries ${ASSOCIATIONS} associations at once`, {}, async ({ server, another }) => {
    server.onEvent = (event) => { // an echo
      if (event.type !== "message") return;
      const { association, data, ppid, stream } = event;
      queueMicrotask(() => server.send(association, data, ppid, stream));
    };
    const clients = Array.from({ length: ASSOCIATIONS }, () => another());
    const ups = await Promise.all(
      clients.map((client) =>
        client.up(client.connect([address], server.endpoint.port, target.encapsulationPort))
      ),
    );
    await Promise.all(clients.map(async (client, i) => {
      client.send(ups[i]!.association, pattern(3000 + i, i), i);
      const { data, ppid } = await client.message(ups[i]!.association);
      assert.equal(ppid, i);
      assertSameOctets(data, pattern(3000 + i, i));
    }));
    const names = server.events.filter((event) => event.type === "up").map((event) => event.association);
    assert.equal(new Set(names).size, ASSOCIATIONS);
  });

  test("one endpoint has associations with several peers", {}, async (bench) => {
    const { server, client, anotherServer } = bench;
    const second = await anotherServer({ listen: true });
    const requests = [
      client.connect([address], server.endpoint.port, target.encapsulationPort),
      client.connect([address], second.endpoint.port, target.encapsulationPort),
    ];
    const [first, other] = [await client.up(requests[0]!), await client.up(requests[1]!)];
    assert.notEqual(first.association, other.association);
    client.send(first.association, pattern(50, 1));
    client.send(other.association, pattern(60, 2));
    assert.equal((await server.next("message")).data.length, 50);
    assert.equal((await second.next("message")).data.length, 60);
  });

  test("status tells of an association and its paths", {}, async ({ associate, server, client }) => {
    const up = await associate();
    const status = client.endpoint.status(up.client.association);
    assert.equal(status?.state, "established");
    assert.equal(status?.peerPort, server.endpoint.port);
    assert.equal(status?.outboundStreams, up.client.outboundStreams);
    assert.ok(status!.peerReceiveWindow > 10_000);
    const path = status?.paths.find((candidate) => candidate.address === address);
    assert.ok(path !== undefined);
    assert.equal(path.state, "active");
    assert.ok(path.primary);
    assert.ok(path.mtu >= 512 && path.cwnd >= path.mtu && path.rtoMs > 0);
    assert.equal(client.endpoint.status(4_000_000_000), undefined);
  }, target.remote === "client");

  test("paths of a peer with two addresses are known, and the primary can be set", {
    server: { addresses: [address, secondAddress] },
    client: { addresses: clientAddresses, heartbeatIntervalMs: 200 },
  }, async ({ associate, server, client }) => {
    const up = await associate();
    assert.deepEqual(new Set(up.client.peerAddresses), new Set([address, secondAddress]));
    await client.next("path", (event) => event.address === secondAddress && event.change === "confirmed");
    client.execute({ type: "setPrimary", association: up.client.association, address: secondAddress });
    client.execute({ type: "heartbeat", association: up.client.association });
    client.send(up.client.association, pattern(3000, 1));
    assertSameOctets((await server.message(up.server.association)).data, pattern(3000, 1));
    const paths = client.endpoint.status(up.client.association)?.paths ?? [];
    assert.deepEqual(paths.filter((path) => path.primary).map((path) => path.address), [secondAddress]);
  }, target.addresses.length < 2 || target.remote === "client");

  test(
    "statistics count what an association has sent and received",
    {},
    async ({ associate, server, client }) => {
      const up = await associate();
      for (let i = 0; i < 10; i++) {
        client.send(up.client.association, pattern(100, i));
        await server.message(up.server.association);
      }
      const sender = client.endpoint.statistics(up.client.association);
      const receiver = server.endpoint.statistics(up.server.association);
      assert.equal(sender?.orderedChunksSent, 10);
      assert.equal(receiver?.orderedChunksReceived, 10);
      assert.ok(sender.packetsSent >= 10 && receiver.packetsReceived >= 10);
      assert.ok(sender.maxRtoMs > 0);
      assert.equal(client.endpoint.statistics(4_000_000_000), undefined);
    },
    target.remote !== undefined,
  );

  test("socket options of the endpoint and of an association are read and set", {}, async (bench) => {
    const { associate, client: { endpoint } } = bench;
    const up = await associate();
    const { association } = up.client;
    endpoint.setOption("rtoinfo", { initial: 2500, max: 5000, min: 500 }, { association });
    assert.deepEqual(endpoint.getOption("rtoinfo", { association }), { initial: 2500, max: 5000, min: 500 });
    endpoint.setOption("rtoinfo", { max: 7000 }, { association });
    assert.equal(endpoint.getOption("rtoinfo", { association })["initial"], 2500);
    endpoint.setOption("peer_addr_params", { hbinterval: 7000 }, { association, address });
    assert.equal(endpoint.getOption("peer_addr_params", { association, address })["hbinterval"], 7000);
    endpoint.setOption("delayed_sack", { delay: 50, freq: 3 });
    assert.deepEqual(endpoint.getOption("delayed_sack"), { delay: 50, freq: 3 });
    assert.equal(endpoint.getOption("status", { association })["state"], "established");
    assert.throws(() => endpoint.setOption("rtoinfo", { max: 1, min: 1000 }, { association }), {
      code: "EINVAL",
    });
    assert.throws(() => endpoint.getOption("status", { association: 4_000_000_000 }), SocketOptionError);
  }, target.remote === "client");

  test("an association that is peeled off lives on when its endpoint is closed", {}, async (bench) => {
    const { associate, server, client } = bench;
    const up = await associate();
    const heard: TransportEvent[] = [];
    const message = Promise.withResolvers<void>();
    const peeled = server.endpoint.peelOff(up.server.association, (events) => {
      heard.push(...events);
      if (events.some(({ type }) => type === "message")) message.resolve();
    });
    await server.endpoint.close();
    client.send(up.client.association, pattern(5000, 1));
    await message.promise;
    const data = pattern(6000, 2);
    peeled.execute({ type: "send", association: up.server.association, data, ppid: 7 });
    assertSameOctets((await client.message(up.client.association)).data, pattern(6000, 2));
    const closing = peeled.close(PATIENCE_MS);
    assert.equal((await client.down(up.client.association)).reason, "shutdown");
    await closing;
    assert.deepEqual(heard.map(({ type }) => type).filter((type) => type === "message"), ["message"]);
    assert.ok(!server.events.some(({ type }) => type === "down"), "its end is told to its own endpoint");
  }, target.remote === "server");

  test("streams start again at 0 where a reset stands between their messages", {}, async (bench) => {
    const { associate, server, client } = bench;
    const up = await associate();
    const { association } = up.client;
    for (let i = 0; i < 3; i++) client.send(association, pattern(100, i), i, 2);
    for (let i = 0; i < 3; i++) assert.equal((await server.message(up.server.association)).ssn, i);
    client.execute({ type: "resetStreams", association, direction: "outgoing", streams: [2] });
    const told = await client.next("streamsReset");
    assert.deepEqual([told.direction, told.streams, told.outcome], ["outgoing", [2], "performed"]);
    client.send(association, pattern(100, 9), 9, 2);
    assert.equal((await server.message(up.server.association)).ssn, 0);
    client.execute({ type: "addStreams", association, outbound: 2, inbound: 0 });
    assert.equal((await client.next("streamsAdded")).outboundStreams, up.client.outboundStreams + 2);
    client.send(association, pattern(100, 10), 10, up.client.outboundStreams + 1);
    assert.equal((await server.message(up.server.association)).ppid, 10);
  }, !(target.reconfiguration ?? false));

  test(
    "an idle association is shut down",
    { client: { autoCloseMs: 1000 } },
    async ({ associate, server, client }) => {
      const up = await associate();
      assert.equal((await client.down(up.client.association)).reason, "shutdown");
      assert.equal((await server.down(up.server.association)).reason, "shutdown");
    },
    target.oneToOneSockets,
  );

  test(
    "a message above the sender's limit is given back",
    { client: { maxMessage: 5000 } },
    async (bench) => {
      const { associate, server, client } = bench;
      const up = await associate();
      client.send(up.client.association, pattern(5001, 1), 77);
      client.send(up.client.association, pattern(5000, 2), 78);
      const failed = await client.next("sendFailed");
      assert.deepEqual([failed.ppid, failed.sent, failed.data.length], [77, false, 5001]);
      assert.equal((await server.message(up.server.association)).ppid, 78);
    },
  );

  test(
    "a message above the receiver's limit ends the association",
    { server: { maxMessage: 5000 } },
    async (bench) => {
      const { associate, server, client } = bench;
      const up = await associate();
      client.send(up.client.association, pattern(50_000, 1));
      assert.equal((await server.down(up.server.association)).reason, "aborted");
      assert.equal((await client.down(up.client.association)).reason, "aborted");
      assert.ok(!server.events.some((event) => event.type === "message"));
    },
  );

  test("commands for an association that is gone are ignored", {}, async ({ associate, server, client }) => {
    const up = await associate();
    const { association } = up.client;
    client.execute({ type: "abort", association });
    await client.down(association);
    client.send(association, pattern(10, 1));
    client.execute({ type: "shutdown", association });
    client.execute({ type: "abort", association });
    client.execute({ type: "heartbeat", association });
    await server.down(up.server.association);
    const again = await associate();
    assert.notEqual(again.client.association, association);
  });

  test(
    "close shuts everything down, once, and nothing comes after it",
    {},
    async ({ associate, server, client }) => {
      const up = await associate();
      client.send(up.client.association, pattern(100_000, 1));
      const closing = client.endpoint.close(PATIENCE_MS);
      const again = client.endpoint.close();
      await Promise.all([closing, again]);
      const { length } = client.events;
      assert.ok(client.events.some((event) => event.type === "down" && event.reason === "shutdown"));
      assertSameOctets((await server.message(up.server.association)).data, pattern(100_000, 1));
      assert.equal((await server.down(up.server.association)).reason, "shutdown");
      client.send(up.client.association, pattern(10, 1)); // harmless
      await client.endpoint.close();
      assert.equal(client.events.length, length);
    },
  );

  test("close aborts what does not end in time", {
    server: { manualReceive: true, receiveBuffer: 32 * 1024 },
    client: { sendBuffer: 64 * 1024 },
  }, async ({ associate, server, client }) => {
    const up = await associate();
    for (let i = 0; i < 40; i++) client.send(up.client.association, pattern(16_384, i));
    await client.next("blocked");
    await client.endpoint.close(100);
    assert.ok(client.events.some((event) => event.type === "down" && event.reason === "aborted"));
    await drained(server, up.server.association);
  });

  test(
    "closing a transport closes its endpoints, once",
    {},
    async ({ associate, server, client, clientTransport }) => {
      const up = await associate();
      const startedAt = performance.now();
      await Promise.all([clientTransport.close(), clientTransport.close()]);
      const tookMs = performance.now() - startedAt;
      const down = client.events.find((event) => event.type === "down");
      assert.ok(down?.type === "down", "it is told before the transport is closed");
      if (tookMs < LINGER_MS) assert.equal(down.reason, "shutdown"); // else another host was stopped for so long
      await server.down(up.server.association);
      assert.equal(client.endpoint.status(up.client.association), undefined);
    },
  );
}

/** Until a window of 16 KiB is full: the kernel opens it again for what is read, and reading stops beyond it. */
async function untilItReadsNoMore({ server, serverTransport }: Bench): Promise<void> {
  for (let count = serverTransport.kind === "kernel" ? 2 : 1; count > 0; count--) {
    await server.next("message");
  }
}

/** Reads all messages of an association until its end. */
async function drained(peer: Peer, association: number): Promise<void> {
  const consume = (octets: number) =>
    queueMicrotask(() => peer.execute({ type: "consumed", association, octets }));
  peer.onEvent = (event) => {
    if (event.type === "message") consume(event.data.length);
  };
  for (const event of peer.events) if (event.type === "message") consume(event.data.length);
  await peer.down(association);
}

async function withBench(
  target: ComplianceTarget,
  options: BenchOptions,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const serverTransport = target.open("server"), clientTransport = target.open("client");
  try {
    const [address] = target.addresses, [clientAddress = address] = target.clientAddresses ?? [];
    const server = new Peer(serverTransport, {
      addresses: [address],
      listen: true,
      ...target.options,
      ...options.server,
    });
    const client = new Peer(clientTransport, {
      addresses: [clientAddress],
      ...target.options,
      ...options.client,
    });
    await target.settled?.();
    const another = (own: EndpointOptions = {}) =>
      new Peer(clientTransport, { addresses: [clientAddress], ...target.options, ...own });
    const anotherServer = async (own: EndpointOptions = {}) => {
      const transport = target.remote === undefined ? clientTransport : serverTransport;
      const peer = new Peer(transport, { addresses: [address], ...target.options, ...own });
      await target.settled?.();
      return peer;
    };
    const associate = async () => {
      const up = await client.up(client.connect([address], server.endpoint.port, target.encapsulationPort));
      const peer = await server.next("up", (event) => event.peerPort === client.endpoint.port);
      return { client: up, server: peer };
    };
    await body({ server, client, serverTransport, clientTransport, another, anotherServer, associate });
  } finally {
    await Promise.all([clientTransport.close(), serverTransport.close()]);
  }
}

/** Sends until the sender is blocked, since nobody reads, after `most` messages at most; then reads everything. */
async function blocksAndLosesNothing({ associate, server, client }: Bench, most: number): Promise<void> {
  const up = await associate();
  const length = 16 * 1024;
  let sent = 0, blocked = false;
  client.onEvent = (event) => {
    if (event.type === "blocked") blocked = true;
    if (event.type === "writable") blocked = false;
  };
  while (!blocked) { // each turn lets the transport work and tell
    client.send(up.client.association, pattern(length, sent), sent);
    sent++;
    assert.ok(sent < most, `${most} messages were taken from the sender while nobody read`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let extra = 0; extra < 8; extra++, sent++) { // `blocked` is advice: what is sent nevertheless arrives too
    client.send(up.client.association, pattern(length, sent), sent);
  }
  for (let i = 0; i < sent; i++) {
    const message = await server.message(up.server.association);
    assert.equal(message.ppid, i);
    assertSameOctets(message.data, pattern(length, i));
    server.execute({ type: "consumed", association: up.server.association, octets: length });
  }
  await client.next("writable");
}
