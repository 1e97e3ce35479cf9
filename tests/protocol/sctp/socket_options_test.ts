/** Socket options of the embedded stack: what they say and what they do. */
import assert from "node:assert/strict";
import { SOCKET_OPTIONS, SocketOptionError } from "../../../protocol/net.ts";
import type { SocketOptionName, SocketOptionTarget, SocketOptionValue } from "../../../protocol/net.ts";
import { connectedPair, message } from "./harness.ts";
import type { Host } from "./harness.ts";

const NAMES = Object.keys(SOCKET_OPTIONS) as SocketOptionName[];

function get(host: Host, name: SocketOptionName, target: SocketOptionTarget = {}): SocketOptionValue {
  return host.stack.getOption(1, name, target);
}

function set(
  host: Host,
  name: SocketOptionName,
  value: SocketOptionValue,
  target: SocketOptionTarget = {},
): void {
  host.stack.setOption(1, name, value, target, host.world.now);
  host.world.check(host);
}

function refuses(code: string, action: () => void): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof SocketOptionError);
    assert.equal(error.code, code);
    assert.match(error.message, / /, "a sentence for people");
    return true;
  });
}

Deno.test("getOption() gives every field of an option, or says why there is none", () => {
  const { client, a } = connectedPair();
  let answered = 0;
  for (const name of NAMES) {
    for (const target of [{}, { association: a }, { association: a, address: "10.1.0.2" }]) {
      try {
        const value = get(client, name, target);
        assert.deepEqual(Object.keys(value).sort(), Object.keys(SOCKET_OPTIONS[name].fields).sort(), name);
        answered++;
      } catch (error) {
        assert.ok(error instanceof SocketOptionError, `${name}: ${error}`);
        assert.match(error.message, / /);
      }
    }
  }
  assert.ok(answered > 80, `${answered} answers`);
});

Deno.test("setOption() takes back what getOption() has given", () => {
  const { client, a } = connectedPair();
  for (const name of NAMES) {
    const { access, readOnly = [], scope } = SOCKET_OPTIONS[name];
    if (access !== "read-write") continue;
    const target = scope === "endpoint" || name.endsWith("_supported") ? {} : { association: a };
    let value: SocketOptionValue;
    try {
      value = get(client, name, target);
    } catch {
      continue; // the first test sees to those
    }
    const own = Object.fromEntries(
      Object.entries(value).filter(([field]) => !readOnly.includes(field) && field !== "pathmtu"),
    );
    if (Object.values(own).every((field) => field === undefined)) continue;
    set(client, name, own, target);
    assert.deepEqual(get(client, name, target), value, name);
  }
});

Deno.test("setOption() changes single fields and leaves the others", () => {
  const { client, a } = connectedPair();
  set(client, "rtoinfo", { max: 5000 }, { association: a });
  assert.deepEqual(get(client, "rtoinfo", { association: a }), { initial: 1000, max: 5000, min: 1000 });
  assert.deepEqual(get(client, "rtoinfo"), { initial: 1000, max: 60_000, min: 1000 }, "the endpoint's stay");
  set(client, "peer_addr_params", { hbinterval: 700, pathmaxrxt: 3 }, { association: a });
  const params = get(client, "peer_addr_params", { association: a, address: "10.1.0.2" });
  assert.deepEqual([params["hbinterval"], params["pathmaxrxt"], params["pathmtu"]], [700, 3, 1500]);
});

Deno.test("setOption() refuses what cannot be, with a code and a sentence, and changes nothing", () => {
  const { client, a } = connectedPair();
  const association = a;
  const before = get(client, "rtoinfo", { association });
  refuses("EINVAL", () => set(client, "rtoinfo", { min: 9000, max: 500 }, { association }));
  assert.deepEqual(get(client, "rtoinfo", { association }), before);
  refuses("EINVAL", () => set(client, "rtoinfo", { smallest: 1 }));
  refuses("EINVAL", () => set(client, "rtoinfo", { min: "soon" }));
  refuses("EINVAL", () => set(client, "associnfo", { peer_rwnd: 1 }));
  refuses("ENOTCONN", () => set(client, "rtoinfo", { min: 1 }, { association: 999 }));
  refuses("EINVAL", () => set(client, "rtoinfo", { min: 1 }, { address: "10.1.0.2" }));
  refuses("EINVAL", () => get(client, "peer_addr_params", { association, address: "10.9.9.9" }));
  refuses("EINVAL", () => get(client, "status"));
  refuses("ENOPROTOOPT", () => set(client, "status", { state: "closed" }, { association }));
  refuses("EINVAL", () => set(client, "delayed_sack", { delay: 501 }, { association }));
  refuses("EINVAL", () => set(client, "initmsg", { num_ostreams: 5 }, { association }));
  refuses("EINVAL", () => set(client, "maxseg", { value: 4 }, { association }));
  refuses("EINVAL", () => set(client, "reconfig_supported", { value: false }, { association }));
  refuses("EINVAL", () => set(client, "primary_addr", { address: "10.9.9.9" }, { association }));
  refuses("EINVAL", () => set(client, "peer_addr_params", { pathmtu: 1000 }, { association }));
  refuses("EINVAL", () => set(client, "peer_addr_params", { pathmtu: 300, pmtud: false }, { association }));
  refuses("EINVAL", () => set(client, "plpmtud_probe_interval", { interval: 10 }, { association }));
  refuses("EINVAL", () => set(client, "peer_addr_thlds", { pathpfthld: 3, pathcpthld: 2 }, { association }));
  refuses("EINVAL", () => set(client, "default_prinfo", { policy: "luck" }, { association }));
  for (
    const [name, value] of [
      ["partial_delivery_point", { value: 100 }],
      ["fragment_interleave", { value: 1 }],
      ["context", { value: 1 }],
      ["reuse_port", { value: true }],
      ["ecn_supported", { value: true }],
      ["i_want_mapped_v4_addr", { value: true }],
      ["event", { association: false }],
      ["peer_addr_params", { dscp: 4 }],
    ] as const
  ) refuses("EOPNOTSUPP", () => set(client, name, value));
});

Deno.test("an endpoint's options hold for associations to come", () => {
  const { world, client, server, a } = connectedPair({ networks: 1 });
  set(client, "initmsg", { num_ostreams: 3, max_instreams: 4 });
  set(client, "delayed_sack", { delay: 50, freq: 5 });
  set(client, "sndbuf", { value: 5000 });
  assert.deepEqual(get(client, "delayed_sack", { association: a }), { delay: 200, freq: 2 });
  server.open(2, { port: 99, listen: true });
  client.execute(1, { type: "connect", request: 8, addresses: [server.addresses[0]!], port: 99 });
  world.pass(200);
  const up = client.of(1, "up")[1]!;
  assert.deepEqual([up.outboundStreams, up.inboundStreams], [3, 4]);
  assert.deepEqual(get(client, "delayed_sack", { association: up.association }), { delay: 50, freq: 5 });
  assert.deepEqual(get(client, "get_assoc_id_list"), { ids: [a, up.association] });
  assert.deepEqual(get(client, "get_assoc_number"), { value: 2 });
  client.execute(1, { type: "send", association: up.association, data: message(1, 6000), ppid: 0 });
  world.pass(1);
  assert.equal(client.of(1, "blocked").length, 1);
});

Deno.test("delayed_sack of an association holds at once", () => {
  const { world, client, server, a, b } = connectedPair();
  set(server, "delayed_sack", { delay: 500 }, { association: b });
  client.execute(1, { type: "send", association: a, data: message(1, 10), ppid: 0 });
  world.pass(400);
  assert.equal(client.stack.statistics(a)!.sacksReceived, 0);
  world.pass(200);
  assert.equal(client.stack.statistics(a)!.sacksReceived, 1);
});

Deno.test("peer_addr_params sets the heartbeats of one path, and of all", () => {
  const { world, client, a } = connectedPair({ networks: 2 });
  world.pass(5000);
  const probes = (): number[] => {
    client.sent.length = 0;
    client.record = true;
    world.pass(60_000);
    client.record = false;
    return ["10.1.0.2", "10.2.0.2"].map((address) =>
      client.sent.filter(({ packet, transmit }) => transmit.destination === address && packet[12] === 4)
        .length
    );
  };
  const association = a;
  set(client, "peer_addr_params", { hbinterval: 1000 }, { association, address: "10.2.0.2" });
  const [slow, fast] = probes();
  assert.ok(slow! <= 3 && fast! >= 20, `${slow} and ${fast} HEARTBEATs`);
  set(client, "peer_addr_params", { heartbeat: false }, { association, address: "10.2.0.2" });
  assert.equal(probes()[1], 0);
  set(client, "peer_addr_params", { heartbeat: true, hbinterval: 2000 }, { association });
  assert.ok(probes().every((count) => count >= 10));
});

Deno.test("peer_addr_params limits the errors of one path", () => {
  const { world, client, a } = connectedPair({ networks: 2, client: { heartbeatIntervalMs: 1000 } });
  world.pass(5000);
  set(client, "peer_addr_params", { pathmaxrxt: 0 }, { association: a, address: "10.2.0.2" });
  world.down.add("10.2");
  world.pass(5000);
  assert.deepEqual(client.of(1, "path").filter(({ change }) => change === "unreachable").length, 1);
});

Deno.test("peer_addr_params fixes the MTU of a path, and maxseg the length of a chunk", () => {
  const { world, client, server, a } = connectedPair();
  const association = a;
  set(client, "peer_addr_params", { pmtud: false, pathmtu: 700 }, { association, address: "10.1.0.2" });
  assert.equal(client.stack.status(a)!.fragmentationPoint, 700 - 20 - 12 - 16);
  set(client, "maxseg", { value: 100 }, { association });
  assert.equal(client.stack.status(a)!.fragmentationPoint, 100);
  client.execute(1, { type: "send", association, data: message(1, 1000), ppid: 0 });
  world.pass(1000);
  assert.equal(server.of(1, "message")[0]!.data.length, 1000);
  assert.equal(client.stack.statistics(a)!.orderedChunksSent, 10);
  set(client, "maxseg", { value: 0 }, { association });
  assert.equal(client.stack.status(a)!.fragmentationPoint, 700 - 20 - 12 - 16);
});

Deno.test("primary_addr changes the primary path and tells so", () => {
  const { world, client, a } = connectedPair({ networks: 2 });
  const association = a;
  world.pass(5000);
  set(client, "primary_addr", { address: "10.2.0.2" }, { association });
  assert.deepEqual(get(client, "primary_addr", { association }), { address: "10.2.0.2" });
  assert.equal(get(client, "status", { association })["primary"], "10.2.0.2");
  world.pass(1);
  assert.ok(client.of(1, "path").some(({ change }) => change === "made-primary"));
});

Deno.test("status, get_peer_addr_info and get_assoc_stats say what status() and statistics() say", () => {
  const { client, a } = connectedPair();
  const status = client.stack.status(a)!, association = a;
  const option = get(client, "status", { association });
  assert.deepEqual([option["state"], option["rwnd"], option["outstrms"]], [
    "established",
    status.peerReceiveWindow,
    status.outboundStreams,
  ]);
  const path = get(client, "get_peer_addr_info", { association, address: "10.1.0.2" });
  assert.deepEqual([path["state"], path["cwnd"], path["mtu"]], ["active", status.paths[0]!.cwnd, 1500]);
  const counted = get(client, "get_assoc_stats", { association });
  assert.equal(counted["ipackets"], client.stack.statistics(a)!.packetsReceived);
});

Deno.test("remote_udp_encaps_port of an endpoint says how peers are reached", () => {
  const { world, client } = connectedPair();
  set(client, "remote_udp_encaps_port", { port: 13_863 });
  client.record = true;
  client.execute(1, { type: "connect", request: 9, addresses: ["10.1.0.7"], port: 5 });
  world.pass(5000);
  assert.deepEqual(new Set(client.sent.map(({ transmit }) => transmit.udpPort)), new Set([13_863]));
});

Deno.test("an option of a closed endpoint is refused", () => {
  const { world, client } = connectedPair();
  client.close(1);
  world.pass(5000);
  refuses("EINVAL", () => get(client, "rtoinfo"));
});

Deno.test("nodelay=false lets small messages wait for the acknowledgement of those before them", () => {
  const packets = (value: boolean): number => {
    const { world, client, server } = connectedPair();
    set(client, "nodelay", { value });
    server.open(2, { port: 99, listen: true });
    client.execute(1, { type: "connect", request: 8, addresses: [server.addresses[0]!], port: 99 });
    world.pass(500);
    const { association } = client.of(1, "up")[1]!;
    const before = client.stack.statistics(association)!.packetsSent;
    for (let i = 0; i < 20; i++) {
      client.execute(1, { type: "send", association, data: message(i, 10), ppid: 0 });
      world.pass(1);
    }
    world.pass(2000);
    assert.equal(server.of(2, "message").length, 20);
    return client.stack.statistics(association)!.packetsSent - before;
  };
  assert.equal(packets(true), 20);
  assert.ok(packets(false) <= 3);
});
