/** Socket options on kernel SCTP: each one is read and set. */
import assert from "node:assert/strict";
import {
  SOCKET_OPTIONS,
  type SocketOptionName,
  type SocketOptionTarget,
  type SocketOptionValue,
} from "../../protocol/net.ts";
import { withPair } from "./kernel_pair.ts";
import { withSetting } from "./settings.ts";

/** What is set, and what is read then where that is something else. */
interface Case {
  readonly set: SocketOptionValue;
  readonly read?: SocketOptionValue;
}

const KEY = { keynumber: 3 };

/** Options of an endpoint, for associations to come. */
const OF_ENDPOINT: { readonly [name in SocketOptionName]?: Case } = {
  rtoinfo: { set: { initial: 500, max: 5000, min: 300 } },
  associnfo: { set: { asocmaxrxt: 7, cookie_life: 30_000 } },
  initmsg: { set: { num_ostreams: 3, max_instreams: 4, max_attempts: 5, max_init_timeo: 6000 } },
  nodelay: { set: { value: false } },
  autoclose: { set: { value: 30 } },
  adaptation_layer: { set: { value: 0xffff_fffe } },
  disable_fragments: { set: { value: true } },
  peer_addr_params: { set: { sackdelay: 120, hbinterval: 7000, pathmaxrxt: 3 } },
  i_want_mapped_v4_addr: { set: { value: true } },
  maxseg: { set: { value: 1000 } },
  delayed_sack: { set: { delay: 100, freq: 3 } },
  context: { set: { value: 77 } },
  fragment_interleave: { set: { value: 1 } },
  partial_delivery_point: { set: { value: 5000 } },
  max_burst: { set: { value: 9 } },
  event: { set: { sender_dry: true, remote_error: false } },
  sndbuf: { set: { value: 100_000 }, read: { value: 200_000 } },
  rcvbuf: { set: { value: 150_000 }, read: { value: 300_000 } },
  auto_asconf: { set: { value: false } },
  peer_addr_thlds: { set: { pathmaxrxt: 6, pathpfthld: 2, pathcpthld: 3 } },
  pr_supported: { set: { value: false } },
  default_prinfo: { set: { policy: "rtx", value: 4 } },
  reconfig_supported: { set: { value: false } },
  enable_stream_reset: { set: { streams: true, association: false, change: true } },
  stream_scheduler: { set: { value: "rr" } },
  ecn_supported: { set: { value: false } },
  auth_supported: { set: { value: true } },
  asconf_supported: { set: { value: true } },
  expose_potentially_failed_state: { set: { value: true } },
  remote_udp_encaps_port: { set: { port: 9899 } },
  plpmtud_probe_interval: { set: { interval: 5000 } },
  hmac_ident: { set: { idents: [1, 3] } },
  interleaving_supported: { set: { value: true } },
};

/** Options of a living association. */
const OF_ASSOCIATION: { readonly [name in SocketOptionName]?: Case } = {
  rtoinfo: { set: { max: 9000 } },
  associnfo: { set: { asocmaxrxt: 4 } },
  nodelay: { set: { value: false } },
  primary_addr: { set: { address: "127.0.0.1" } },
  disable_fragments: { set: { value: true } },
  peer_addr_params: { set: { hbinterval: 0, heartbeat: true } },
  maxseg: { set: { value: 900 } },
  delayed_sack: { set: { delay: 150, freq: 4 } },
  context: { set: { value: 5 } },
  max_burst: { set: { value: 2 } },
  event: { set: { sender_dry: true } },
  sndbuf: { set: { value: 90_000 }, read: { value: 180_000 } },
  rcvbuf: { set: { value: 90_000 }, read: { value: 180_000 } },
  auth_active_key: { set: KEY },
  peer_addr_thlds: { set: { pathmaxrxt: 6, pathpfthld: 2 } },
  default_prinfo: { set: { policy: "ttl", value: 400 } },
  enable_stream_reset: { set: { association: false } },
  stream_scheduler: { set: { value: "prio" } },
  stream_scheduler_value: { set: { value: 8 } },
  expose_potentially_failed_state: { set: { value: true } },
  plpmtud_probe_interval: { set: { interval: 6000 } },
  fragment_interleave: { set: { value: 0 } },
  partial_delivery_point: { set: { value: 4000 } },
  i_want_mapped_v4_addr: { set: { value: false } },
  remote_udp_encaps_port: { set: { port: 0 } },
};

function compare(actual: SocketOptionValue, { set, read = set }: Case, name: string): void {
  for (const [field, value] of Object.entries(read)) {
    assert.deepEqual(actual[field], value, `${name}.${field}`);
  }
}

const refusal = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code && pattern.test(error.message);

Deno.test("kernel options: an endpoint keeps what was set, field by field", async () => {
  using _ = withSetting("intl_enable", 1);
  await withPair({}, ({ client: { endpoint } }) => {
    for (const [name, entry] of Object.entries(OF_ENDPOINT) as [SocketOptionName, Case][]) {
      endpoint.setOption(name, entry.set);
      compare(endpoint.getOption(name), entry, name);
      const [[first, value] = []] = Object.entries(entry.set);
      if (Object.keys(entry.set).length < 2 || first === undefined) continue;
      endpoint.setOption(name, { [first]: value }); // one field alone leaves the others
      compare(endpoint.getOption(name), entry, name);
    }
  });
});

/** As for the course sheet's `sysctl net.sctp.hb_interval=3000`. */
const SYSTEM = {
  hb_interval: 3000,
  rto_initial: 1500,
  path_max_retrans: 3,
  association_max_retrans: 7,
  valid_cookie_life: 50_000,
  max_init_retransmits: 4,
} as const;

Deno.test("kernel options: what nobody has given is as the system has it", async () => {
  using settings = new DisposableStack();
  for (const [name, value] of Object.entries(SYSTEM)) settings.use(withSetting(name, value));
  await withPair({}, ({ client: { endpoint }, atClient: { association } }) => {
    const read = (name: SocketOptionName, target?: SocketOptionTarget) => endpoint.getOption(name, target);
    const path = read("peer_addr_params", { association, address: "127.0.0.1" });
    assert.deepEqual([path["heartbeat"], path["hbinterval"], path["pathmaxrxt"]], [true, 3000, 3]);
    assert.equal(read("rtoinfo", { association })["initial"], 1500);
    const { asocmaxrxt, cookie_life } = read("associnfo");
    assert.deepEqual([asocmaxrxt, cookie_life], [7, 50_000]);
    assert.equal(read("initmsg")["max_attempts"], 4);
  });
  const own = {
    heartbeatIntervalMs: 0,
    pathMaxRetransmissions: 2,
    associationMaxRetransmissions: 6,
    rto: { initialMs: 700, minMs: 600, maxMs: 900 },
  };
  await withPair({ both: own }, ({ client: { endpoint }, atClient: { association } }) => {
    const path = endpoint.getOption("peer_addr_params", { association, address: "127.0.0.1" });
    assert.deepEqual([path["heartbeat"], path["pathmaxrxt"]], [false, 2]);
    assert.deepEqual(endpoint.getOption("rtoinfo", { association }), { initial: 700, max: 900, min: 600 });
    assert.equal(endpoint.getOption("associnfo")["asocmaxrxt"], 6);
  });
});

Deno.test("kernel options: one retransmission time-out that is given leaves the system's others", async () => {
  using settings = new DisposableStack();
  settings.use(withSetting("rto_initial", 2500));
  settings.use(withSetting("rto_max", 5000));
  await withPair({ both: { rto: { minMs: 300 } } }, ({ client: { endpoint }, atClient: { association } }) => {
    const times = { initial: 2500, max: 5000, min: 300 };
    assert.deepEqual(endpoint.getOption("rtoinfo"), times);
    assert.deepEqual(endpoint.getOption("rtoinfo", { association }), times);
  });
});

Deno.test("kernel options: an association keeps what was set", async () => {
  await withPair(
    { both: { authentication: true } },
    ({ client: { endpoint }, atClient: { association } }) => {
      const target = { association };
      endpoint.setOption("auth_key", { ...KEY, key: "secret" }, target);
      for (const [name, entry] of Object.entries(OF_ASSOCIATION) as [SocketOptionName, Case][]) {
        endpoint.setOption(name, entry.set, target);
        compare(endpoint.getOption(name, target), entry, name);
      }
      endpoint.setOption("auth_active_key", { keynumber: 0 }, target);
      endpoint.setOption("auth_deactivate_key", KEY, target);
      endpoint.setOption("auth_delete_key", KEY, target);
    },
  );
});

Deno.test("kernel options: a path keeps what was set", async () => {
  await withPair({}, ({ client: { endpoint }, atClient: { association } }) => {
    const target = { association, address: "127.0.0.1" };
    const value = { hbinterval: 4000, pathmaxrxt: 2, dscp: 0x28, pmtud: false, pathmtu: 1400 };
    endpoint.setOption("peer_addr_params", value, target);
    compare(endpoint.getOption("peer_addr_params", target), { set: { ...value, heartbeat: true } }, "path");
    endpoint.setOption("peer_addr_params", { heartbeat: false }, target);
    assert.equal(endpoint.getOption("peer_addr_params", target)["heartbeat"], false);
    endpoint.setOption("peer_addr_params", { hbinterval: 5000 }, target);
    const { heartbeat, hbinterval } = endpoint.getOption("peer_addr_params", target);
    assert.deepEqual([heartbeat, hbinterval], [false, 5000]);
    endpoint.setOption("peer_addr_params", { pmtud: true }, target);
    assert.throws(
      () => endpoint.setOption("peer_addr_params", { pathmtu: 1300 }, target),
      refusal("EINVAL", /set pmtud off/),
    );
    assert.equal(endpoint.getOption("get_peer_addr_info", target)["state"], "active");
  });
});

Deno.test("kernel options: whatever can be read can be read", async () => {
  await withPair(
    { both: { authentication: true } },
    ({ client: { endpoint }, atClient: { association } }) => {
      const failures: string[] = [];
      for (const name of Object.keys(SOCKET_OPTIONS) as SocketOptionName[]) {
        const { access, fields, scope } = SOCKET_OPTIONS[name];
        if (access === "write") continue;
        const target: SocketOptionTarget = scope === "endpoint" ? {} : { association };
        try {
          const value = endpoint.getOption(name, target);
          assert.deepEqual(new Set(Object.keys(value)), new Set(Object.keys(fields)), name);
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : error}`);
        }
      }
      assert.deepEqual(failures, []);
      const status = endpoint.getOption("status", { association });
      assert.deepEqual([status["state"], status["primary"], status["primary_state"]], [
        "established",
        "127.0.0.1",
        "active",
      ]);
      assert.equal(endpoint.getOption("get_assoc_number")["value"], 1);
      assert.deepEqual(endpoint.getOption("get_assoc_id_list")["ids"], [association]);
      assert.deepEqual(endpoint.getOption("hmac_ident")["idents"], [1]); // SHA-1, which everybody has to have
    },
  );
});

Deno.test("kernel options: refusals say why", async () => {
  await withPair({}, ({ client: { endpoint }, atClient: { association } }) => {
    const target = { association };
    const cases: [() => unknown, string, RegExp][] = [
      [() => endpoint.getOption("status"), "EINVAL", /without an association/],
      [
        () => endpoint.getOption("status", { association: 4_000_000_000 }),
        "ENOTCONN",
        /no association 4000000000/,
      ],
      [() => endpoint.getOption("auth_key"), "ENOPROTOOPT", /set only/],
      [() => endpoint.setOption("status", {}, target), "ENOPROTOOPT", /read only/],
      [() => endpoint.setOption("autoclose", { value: 1 }, target), "EINVAL", /belongs to the endpoint/],
      [
        () => endpoint.setOption("pr_supported", { value: true }, target),
        "EINVAL",
        /set it for the endpoint/,
      ],
      [
        () => endpoint.setOption("nodelay", { value: true }, { address: "127.0.0.1" }),
        "EINVAL",
        /without an association/,
      ],
      [() => endpoint.setOption("event", { association: false }), "EINVAL", /does not know what goes on/],
      [() => endpoint.setOption("event", { party: true }), "EINVAL", /party/],
      [() => endpoint.setOption("auth_chunk", { chunk: 0 }), "EACCES", /auth_enable=1/],
      [() => endpoint.setOption("interleaving_supported", { value: true }), "EPERM", /intl_enable=1/],
      [
        () => endpoint.setPeerPrimary(association, "127.0.0.1"),
        "EPERM",
        /net.sctp.addip_enable=1 net.sctp.auth_enable=1/,
      ],
      [() => endpoint.setPeerPrimary(4_000_000_000, "127.0.0.1"), "ENOTCONN", /no association/],
      [() => endpoint.setOption("rtoinfo", { min: 5000, max: 100 }), "EINVAL", /rtoinfo/],
    ];
    for (const [act, code, pattern] of cases) assert.throws(act, refusal(code, pattern), `${pattern}`);
  });
});

Deno.test("kernel options: an option of the endpoint reaches its associations' sockets", async () => {
  await withPair({}, ({ client: { endpoint }, atClient: { association } }) => {
    endpoint.setOption("nodelay", { value: false });
    assert.equal(endpoint.getOption("nodelay", { association })["value"], false);
  });
});

Deno.test("kernel options: statistics count what went over an association", async () => {
  // A time-out would send again what is only late, and no round trip takes so long that it makes the RTO longer.
  const minMs = 30_000;
  await withPair({ both: { rto: { initialMs: minMs, minMs, maxMs: 60_000 } } }, async (pair) => {
    const { client, server, atClient, atServer } = pair;
    for (let i = 0; i < 5; i++) client.send(atClient.association, new Uint8Array(100), 0, 0, i === 4);
    for (let i = 0; i < 5; i++) await server.message(atServer.association);
    const sent = client.endpoint.statistics(atClient.association);
    const received = server.endpoint.statistics(atServer.association);
    assert.deepEqual([sent?.orderedChunksSent, sent?.unorderedChunksSent], [4, 1]);
    assert.deepEqual([received?.orderedChunksReceived, received?.unorderedChunksReceived], [4, 1]);
    assert.ok(sent!.packetsSent >= 3 && sent!.sacksReceived >= 1 && received!.sacksSent >= 1);
    assert.equal(sent?.retransmittedChunks, 0);
    const { maxRtoMs } = client.endpoint.statistics(atClient.association)!;
    const least = maxRtoMs >= minMs && maxRtoMs <= minMs + 10; // the kernel counts in jiffies
    assert.ok(least, `the smallest RTO begins a new period, not ${maxRtoMs} ms`);
    assert.equal(client.endpoint.statistics(4_000_000_000), undefined);
  });
});
