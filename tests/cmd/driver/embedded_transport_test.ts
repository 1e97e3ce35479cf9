import assert from "node:assert/strict";
import {
  type EmbeddedTransportOptions,
  openEmbeddedTransport,
} from "../../../cmd/driver/embedded_transport.ts";
import { SctpError } from "../../../ffi/errno.ts";
import type {
  Endpoint,
  EndpointOptions,
  Transport,
  TransportCommand,
  TransportEvent,
} from "../../../protocol/net.ts";
import { StateError } from "../../../protocol/wire/errors.ts";
import type { PeerReport, PeerTask } from "../../interop/peer_protocol.ts";

const DEADLINE_MS = 30_000;

/** Ports of this run alone, below those from which endpoints choose: a test's own client could have one of them. */
const FREE_PORT = 16_000 + Deno.pid % 700 * 4;
/** A UDP port and the one behind it, which belong to no SCTP port; of this run alone, too. */
const EXTRA_UDP_PORT = 21_000 + Deno.pid % 400 * 2;
const SERVER_PORT = FREE_PORT + 1, KILLED_PORT = FREE_PORT + 2, WANTED_PORT = FREE_PORT + 3;
const rawAllowed = openEmbeddedTransport().description.includes("IP and UDP");

type EventOf<Type extends TransportEvent["type"]> = Extract<TransportEvent, { type: Type }>;

/** An endpoint that keeps its events and lets a test wait for them. */
class Station {
  readonly endpoint: Endpoint;
  readonly events: TransportEvent[] = [];
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(transport: Transport, options: EndpointOptions, echo = false) {
    this.endpoint = transport.open(options, (events) => {
      this.events.push(...events);
      for (const event of events) {
        if (!echo || event.type !== "message") continue;
        const { association, data, stream, ppid, unordered } = event;
        this.endpoint.execute({ type: "send", association, data, stream, ppid, unordered });
      }
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
  }

  execute(command: TransportCommand): void {
    this.endpoint.execute(command);
  }

  /** Takes the first event of a type out, waiting for it if need be. */
  async next<Type extends TransportEvent["type"]>(type: Type): Promise<EventOf<Type>> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const index = this.events.findIndex((event) => event.type === type);
      if (index >= 0) return this.events.splice(index, 1)[0] as EventOf<Type>;
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`no "${type}"; there were: ${this.events.map((one) => one.type).join(" ")}`);
      }
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, left);
      await Promise.race([this.#arrived.promise, timeout.promise]);
      clearTimeout(timer);
    }
  }
}

async function withTransports(
  options: EmbeddedTransportOptions,
  run: (client: Transport, server: Transport) => Promise<void>,
): Promise<void> {
  const client = openEmbeddedTransport(options), server = openEmbeddedTransport(options);
  try {
    await run(client, server);
  } finally {
    await Promise.all([client.close(), server.close()]);
  }
}

function connectTo(station: Station, port: number, addresses = ["127.0.0.1"]): void {
  station.execute({ type: "connect", request: 7, addresses, port });
}

const CARRIERS: readonly { readonly name: string; readonly options: EmbeddedTransportOptions }[] = [
  { name: "UDP", options: { raw: "off" } },
  { name: "raw IP", options: { raw: "on" } },
  { name: "UDP by the portable driver", options: { portable: true } },
];

for (const { name, options } of CARRIERS) {
  const ignore = options.raw === "on" && !rawAllowed;

  Deno.test({
    name: `two transports over ${name}: messages of all lengths come back whole, and all ends in order`,
    ignore,
    fn: () =>
      withTransports(options, async (clientTransport, serverTransport) => {
        const server = new Station(serverTransport, { listen: true }, true);
        const client = new Station(clientTransport, {});
        connectTo(client, server.endpoint.port);
        const up = await client.next("up");
        assert.equal(up.request, 7);
        assert.equal(up.peerPort, server.endpoint.port);
        const { association } = up;
        for (const length of [1, 1000, 5000, 100_000]) {
          const data = new Uint8Array(length).map((_, i) => i * 7 + length);
          client.execute({ type: "send", association, data, stream: 2, ppid: 0x12345678 });
          const message = await client.next("message");
          assert.deepEqual(message.data, data);
          assert.equal(message.stream, 2);
          assert.equal(message.ppid, 0x12345678);
        }
        client.execute({ type: "shutdown", association });
        assert.equal((await client.next("down")).reason, "shutdown");
        assert.equal((await server.next("down")).reason, "shutdown");
        assert.equal(client.endpoint.status(association), undefined);
      }),
  });

  Deno.test({
    name: `two transports over ${name}: IPv6`,
    ignore,
    fn: () =>
      withTransports(options, async (clientTransport, serverTransport) => {
        const server = new Station(serverTransport, { listen: true }, true);
        const client = new Station(clientTransport, { addresses: ["::1"] });
        connectTo(client, server.endpoint.port, ["::1"]);
        const { association } = await client.next("up");
        client.execute({ type: "send", association, data: new Uint8Array([1, 2, 3]), ppid: 0 });
        assert.deepEqual((await client.next("message")).data, new Uint8Array([1, 2, 3]));
      }),
  });
}

for (const { name, options } of CARRIERS.slice(0, 2)) {
  const ignore = options.raw === "on" && !rawAllowed;

  Deno.test({
    name: `a port that nobody has is refused at once (${name})`,
    ignore,
    fn: () =>
      withTransports(options, async (transport) => {
        const client = new Station(transport, {});
        connectTo(client, FREE_PORT);
        const down = await client.next("down"); // by a time-out it would be another reason
        assert.equal(down.reason, "refused");
        assert.equal(down.request, 7);
      }),
  });

  Deno.test({
    name: `an endpoint may be at any address of 127.0.0.0/8, as on Debian the host's own name is (${name})`,
    ignore,
    fn: () =>
      withTransports(options, async (clientTransport, serverTransport) => {
        const server = new Station(serverTransport, { listen: true, addresses: ["127.0.1.1"] }, true);
        const client = new Station(clientTransport, { addresses: ["127.0.1.2"] });
        client.execute({ type: "connect", addresses: ["127.0.1.1"], port: server.endpoint.port, request: 1 });
        const { association, peerAddresses } = await client.next("up");
        assert.deepEqual(peerAddresses, ["127.0.1.1"]);
        assert.deepEqual((await server.next("up")).peerAddresses, ["127.0.1.2"]);
        client.execute({ type: "send", association, stream: 0, ppid: 7, data: Uint8Array.of(1, 2, 3) });
        assert.deepEqual((await client.next("message")).data, Uint8Array.of(1, 2, 3));
      }),
  });

  Deno.test({
    name: `two processes over ${name}: messages come back, and both end by themselves`,
    ignore,
    fn: async () => {
      const raw = options.raw === "on" ? "on" : "off";
      const common = {
        udpPort: 0,
        addresses: ["127.0.0.1"],
        peerPort: SERVER_PORT,
        raw,
        ipv6: false,
      } as const;
      const server = startPeer({ ...common, role: "server", port: SERVER_PORT, sizes: [] });
      await server.ready;
      const client = startPeer({ ...common, role: "client", port: 0, sizes: [10, 5000, 100_000] });
      const results = await Promise.all([client.ended, server.ended]);
      assert.deepEqual(results, [
        { code: 0, told: ["up", "echoed", "echoed", "echoed", "paths", "down"] },
        { code: 0, told: ["ready", "up", "down"] },
      ]);
    },
  });
}

Deno.test("a peer over UDP that was killed is noticed with the next message", () =>
  withTransports({ raw: "off" }, async (transport) => { // plain IP has nobody left to tell
    const common = { udpPort: 0, addresses: [], peerPort: 0, raw: "off", ipv6: false, sizes: [] } as const;
    const server = startPeer({ ...common, role: "server", port: KILLED_PORT });
    await server.ready;
    const client = new Station(transport, {});
    connectTo(client, KILLED_PORT);
    const { association } = await client.next("up");
    server.kill();
    await server.ended;
    client.execute({ type: "send", association, data: new Uint8Array(10), ppid: 0 });
    const down = await client.next("down"); // time-outs would take longer than it waits
    assert.equal(down.association, association);
  }));

Deno.test("open() says EADDRINUSE for people when another program has the port", () =>
  withTransports({ raw: "off" }, async (first, second) => {
    const { port } = first.open({ port: WANTED_PORT }, () => {});
    assert.throws(() => second.open({ port }, () => {}), (error) => {
      assert.ok(error instanceof SctpError);
      assert.equal(error.code, "EADDRINUSE");
      assert.match(
        error.message,
        new RegExp(`^Cannot open SCTP port ${WANTED_PORT}: another program has it`),
      );
      return true;
    });
    assert.throws(() => first.open({ port }, () => {}), { code: "EADDRINUSE" });
    await first.close();
    assert.equal(second.open({ port }, () => {}).port, port, "free again");
  }));

Deno.test("open() says EADDRNOTAVAIL of an address that is not this host's", () =>
  withTransports({ raw: "off" }, (transport) => {
    for (const address of ["192.0.2.250", "127.255.255.255", "224.0.0.1", "0.0.0.0", "::", "ff02::1"]) {
      const open = () => transport.open({ addresses: ["127.0.0.1", address] }, () => {});
      assert.throws(open, { code: "EADDRNOTAVAIL" }, address);
    }
    assert.throws(() => transport.open({ port: 70_000 }, () => {}), { name: "StateError" });
    return Promise.resolve();
  }));

Deno.test("open() finds a free ephemeral port for each of many endpoints", () =>
  withTransports({ raw: "off" }, (transport) => {
    const ports = Array.from({ length: 50 }, () => transport.open({}, () => {}).port);
    assert.equal(new Set(ports).size, 50);
    assert.ok(ports.every((port) => port >= 20_000 && port <= 22_767));
    return Promise.resolve();
  }));

Deno.test("an endpoint knows its addresses: those it was given, or all of the host", () =>
  withTransports({ raw: "off" }, (transport) => {
    assert.deepEqual(transport.open({ addresses: ["127.0.0.1"] }, () => {}).addresses, ["127.0.0.1"]);
    assert.ok(transport.open({}, () => {}).addresses.includes("127.0.0.1"));
    return Promise.resolve();
  }));

Deno.test("an endpoint that was peeled off has the addresses of the other, whichever changes them", () =>
  withTransports({ raw: "off" }, async (clientTransport, serverTransport) => {
    const server = new Station(serverTransport, { listen: true });
    const client = new Station(clientTransport, { addresses: ["127.0.0.1"] });
    connectTo(client, server.endpoint.port);
    const { association } = await client.next("up");
    const peeled = client.endpoint.peelOff(association, () => {});
    client.endpoint.addAddress("127.0.0.2");
    assert.deepEqual(peeled.addresses, ["127.0.0.1", "127.0.0.2"]);
    peeled.removeAddress("127.0.0.1");
    assert.deepEqual(client.endpoint.addresses, ["127.0.0.2"]);
  }));

Deno.test("handlers are never called from within open(), execute() or close()", () =>
  withTransports({ raw: "off" }, async (clientTransport, serverTransport) => {
    let inside = false;
    const calls: boolean[] = [];
    const server = new Station(serverTransport, { listen: true }, true);
    const gone = Promise.withResolvers<void>();
    const guarded = <Result>(call: () => Result): Result => {
      inside = true;
      const result = call();
      inside = false;
      return result;
    };
    const client: Endpoint = guarded(() =>
      clientTransport.open({}, (events) => {
        calls.push(inside);
        for (const event of events) {
          if (event.type === "up") {
            guarded(() => client.execute({ type: "abort", association: event.association }));
          } else if (event.type === "down") gone.resolve();
        }
      })
    );
    const port = server.endpoint.port;
    guarded(() => client.execute({ type: "connect", request: 1, addresses: ["127.0.0.1"], port }));
    await gone.promise;
    await guarded(() => client.close());
    assert.ok(calls.length >= 2);
    assert.ok(!calls.includes(true));
  }));

Deno.test("close() shuts down what is open, is idempotent, and after it nothing is executed", () =>
  withTransports({ raw: "off" }, async (clientTransport, serverTransport) => {
    const server = new Station(serverTransport, { listen: true });
    const client = new Station(clientTransport, {});
    connectTo(client, server.endpoint.port);
    const { association } = await client.next("up");
    await Promise.all([client.endpoint.close(), client.endpoint.close(), clientTransport.close()]);
    assert.equal((await client.next("down")).reason, "shutdown");
    assert.equal((await server.next("down")).reason, "shutdown");
    client.execute({ type: "send", association, data: new Uint8Array(1), ppid: 0 });
    client.execute({ type: "connect", request: 1, addresses: ["127.0.0.1"], port: server.endpoint.port });
    await clientTransport.close();
    assert.equal(client.endpoint.status(association), undefined);
    assert.ok(client.events.every((event) => event.type !== "up" && event.type !== "down"));
  }));

Deno.test("close() aborts what does not answer within the linger time", () =>
  withTransports({ raw: "off" }, async (clientTransport, serverTransport) => {
    const server = new Station(serverTransport, { listen: true, manualReceive: true, receiveBuffer: 20_000 });
    const patient = new Station(clientTransport, {}), client = new Station(clientTransport, {});
    for (const station of [patient, client]) {
      connectTo(station, server.endpoint.port);
      const { association } = await station.next("up");
      for (let i = 0; i < 100; i++) { // more than the server's window, and it consumes nothing
        station.execute({ type: "send", association, data: new Uint8Array(1000), ppid: 0 });
      }
      await server.next("message");
    }
    const closed = [patient.endpoint.close(10 * DEADLINE_MS), client.endpoint.close(100)];
    assert.equal(await Promise.race(closed.map((one, i) => one.then(() => i))), 1, "each has its own time");
    assert.equal((await client.next("down")).reason, "aborted");
  }));

Deno.test("what came while the process stood still is read before a timer judges", () =>
  withTransports({ portable: true }, async (clientTransport, serverTransport) => {
    const client = new Station(clientTransport, {});
    const server = serverTransport.open({ listen: true }, (events) => {
      if (!events.some(({ type }) => type === "peerShutdown")) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000); // the answer leaves after that
    });
    connectTo(client, server.port);
    await client.next("up");
    await client.endpoint.close(5000);
    assert.equal((await client.next("down")).reason, "shutdown");
  }));

Deno.test("a sender that is too fast hears `blocked`, then `writable`, and all arrives", () =>
  withTransports({ raw: "off" }, async (clientTransport, serverTransport) => {
    const server = new Station(serverTransport, { listen: true });
    const client = new Station(clientTransport, { sendBuffer: 100_000 });
    connectTo(client, server.endpoint.port);
    const { association } = await client.next("up");
    for (let i = 0; i < 500; i++) {
      client.execute({ type: "send", association, data: new Uint8Array(1000).fill(i), ppid: i });
    }
    await client.next("blocked");
    await client.next("writable");
    for (let i = 0; i < 500; i++) {
      const message = await server.next("message");
      assert.equal(message.ppid, i);
      assert.equal(message.data[999], i & 255);
    }
  }));

Deno.test("a transport can be used again after all its endpoints were closed", () =>
  withTransports({ raw: "off" }, async (transport) => {
    await transport.open({ port: WANTED_PORT }, () => {}).close();
    assert.equal(transport.open({ port: WANTED_PORT }, () => {}).port, WANTED_PORT);
  }));

Deno.test("an extra UDP port serves peers that know no other, for the first endpoint that listens", () =>
  withTransports({ raw: "off", udpPort: EXTRA_UDP_PORT }, async (_unused, serverTransport) => {
    const quiet = serverTransport.open({}, () => {});
    const server = new Station(serverTransport, { listen: true }, true);
    const clientTransport = openEmbeddedTransport({ raw: "off" });
    const client = new Station(clientTransport, {});
    client.execute({
      type: "connect",
      request: 1,
      addresses: ["127.0.0.1"],
      port: server.endpoint.port,
      encapsulationPort: EXTRA_UDP_PORT,
    });
    const { association } = await client.next("up");
    client.execute({ type: "send", association, data: new Uint8Array(3000), ppid: 0 });
    assert.equal((await client.next("message")).data.length, 3000);
    await Promise.all([clientTransport.close(), quiet.close()]);
  }));

Deno.test("an extra UDP port waits for the next endpoint when the first one could not be opened", () =>
  withTransports({ raw: "off", udpPort: EXTRA_UDP_PORT + 1 }, async (clientTransport, serverTransport) => {
    const impossible = { potentiallyFailedMaxRetransmissions: 2, primarySwitchoverMaxRetransmissions: 1 };
    assert.throws(() => serverTransport.open({ listen: true, ...impossible }, () => {}), StateError);
    const { port } = new Station(serverTransport, { listen: true }).endpoint;
    const client = new Station(clientTransport, {});
    const addresses = ["127.0.0.1"];
    client.execute({ type: "connect", request: 1, addresses, port, encapsulationPort: EXTRA_UDP_PORT + 1 });
    await client.next("up");
  }));

Deno.test("maxMtu bounds the packets of every path", () =>
  withTransports({ raw: "off", maxMtu: 1400 }, async (clientTransport, serverTransport) => {
    const server = new Station(serverTransport, { listen: true }, true);
    const client = new Station(clientTransport, {});
    connectTo(client, server.endpoint.port);
    const { association } = await client.next("up");
    const { paths = [] } = client.endpoint.status(association) ?? {};
    assert.ok(paths.length > 0);
    assert.ok(paths.every(({ mtu }) => mtu === 1400));
  }));

Deno.test("the description says what carries SCTP, and why not plain IP", () => {
  assert.equal(
    openEmbeddedTransport({ raw: "off" }).description,
    "embedded SCTP over UDP (plain IP is switched off)",
  );
  assert.equal(
    openEmbeddedTransport({ portable: true }).description,
    "embedded SCTP over UDP (portable driver)",
  );
});

// --------------------------------------------------------------------------------------------------- other processes

interface PeerResult {
  readonly code: number;
  readonly told: readonly string[];
}

function startPeer(task: PeerTask): { ready: Promise<void>; ended: Promise<PeerResult>; kill(): void } {
  const script = new URL("../../interop/embedded_peer.ts", import.meta.url).pathname;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", script, JSON.stringify(task)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const follow = async (): Promise<PeerResult> => {
    const deadline = setTimeout(() => process.kill("SIGKILL"), 2 * DEADLINE_MS);
    const told: string[] = [];
    let rest = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { type } = JSON.parse(line) as PeerReport;
        told.push(type);
        if (type === "ready") ready.resolve();
      }
    }
    const { code } = await process.status;
    clearTimeout(deadline);
    ready.resolve();
    return { code, told };
  };
  return { ready: ready.promise, ended: follow(), kill: () => process.kill("SIGKILL") };
}
