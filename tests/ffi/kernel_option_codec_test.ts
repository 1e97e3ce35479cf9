/** Structures of socket options, against the table of offsets in linux/sctp.h. */
import assert from "node:assert/strict";
import { decodeOption, encodeOption, encodeQuestion, layoutOf } from "../../ffi/kernel_option_codec.ts";
import { OPTION_LAYOUTS } from "../../ffi/kernel_option_layout.ts";
import {
  SOCKET_OPTION_WORDS,
  SOCKET_OPTIONS,
  SocketOptionError,
  type SocketOptionName,
  type SocketOptionValue,
} from "../../protocol/net.ts";

const NAMES = Object.keys(OPTION_LAYOUTS) as SocketOptionName[];
const TARGET = { kernelId: 0x01020304, port: 0x1234 };

/** The octets of an option that was set on top of nothing. */
function encoded(name: SocketOptionName, value: SocketOptionValue, target = TARGET): string {
  const view = encodeOption(name, value, encodeQuestion(layoutOf(name), target), target.port);
  return new Uint8Array(view.buffer).toHex();
}

const refused = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof SocketOptionError && error.code === code && pattern.test(error.message);

Deno.test("every option of one structure has a layout with the fields of SOCKET_OPTIONS", () => {
  for (const name of NAMES) {
    const { fields, tail, bytes } = layoutOf(name);
    const own = [...Object.keys(fields), ...(tail === undefined ? [] : [tail.field])];
    assert.deepEqual(new Set(own), new Set(Object.keys(SOCKET_OPTIONS[name].fields)), name);
    for (const { at, as } of Object.values(fields)) {
      const size = { u8: 1, u16: 2, be16: 2, u32: 4, u64: 8, address: 128 }[as];
      assert.ok(at + size <= bytes, `${name}: a field ends behind the structure`);
    }
  }
  const missing = Object.keys(SOCKET_OPTIONS).filter((name) => !(name in OPTION_LAYOUTS));
  assert.deepEqual(missing.sort(), [ // several calls, or what the transport itself knows
    "event",
    "get_assoc_id_list",
    "get_assoc_number",
    "pr_assoc_status",
    "pr_stream_status",
  ]);
});

Deno.test("encodeOption() puts fields where linux/sctp.h has them", () => {
  assert.equal(
    encoded("rtoinfo", { initial: 1, max: 2, min: 3 }),
    "04030201" + "01000000" + "02000000" + "03000000",
  );
  assert.equal(
    encoded("initmsg", { num_ostreams: 1, max_instreams: 2, max_attempts: 3, max_init_timeo: 4 }),
    "0100020003000400",
  );
  assert.equal(encoded("nodelay", { value: true }), "01000000");
  assert.equal(encoded("delayed_sack", { delay: 200, freq: 2 }), "04030201" + "c8000000" + "02000000");
  assert.equal(encoded("max_burst", { value: 4 }), "04030201" + "04000000");
  assert.equal(
    encoded("default_prinfo", { policy: "rtx", value: 5 }),
    "04030201" + "05000000" + "2000" + "0000",
  );
  assert.equal(
    encoded("enable_stream_reset", { streams: true, association: false, change: true }),
    "04030201" + "05000000",
  );
  assert.equal(encoded("stream_scheduler", { value: "rr" }), "04030201" + "02000000");
  assert.equal(encoded("expose_potentially_failed_state", { value: true }), "04030201" + "02000000");
  assert.equal(encoded("expose_potentially_failed_state", { value: false }), "04030201" + "01000000");
  assert.equal(encoded("auth_active_key", { keynumber: 7 }), "04030201" + "0700" + "0000");
  assert.equal(encoded("auth_chunk", { chunk: 0xc1 }), "c1");
});

Deno.test("encodeOption() knows packed structures from others", () => {
  const address = "10.0.0.1", sockaddr = "0200" + "1234" + "0a000001" + "00".repeat(120);
  assert.equal(encoded("primary_addr", { address }), "04030201" + sockaddr);
  const parameters = encoded(
    "peer_addr_params",
    { pathmaxrxt: 0x0506, pathmtu: 0x0708, heartbeat: true, dscp: 9 },
    {
      ...TARGET,
      address,
    } as typeof TARGET,
  );
  assert.equal(
    parameters,
    "04030201" + sockaddr + "00000000" + "0605" + "08070000" + "00000000" + "01000000" + "00000000" + "0900",
  );
  const encapsulation = encoded(
    "remote_udp_encaps_port",
    { port: 9899 },
    { ...TARGET, address } as typeof TARGET,
  );
  assert.equal(encapsulation, "04030201" + "00000000" + sockaddr + "26ab" + "000000000000");
  const thresholds = encoded("peer_addr_thlds", { pathmaxrxt: 5, pathpfthld: 1, pathcpthld: 2 });
  assert.equal(
    thresholds,
    "04030201" + "00000000" + "0200" + "00".repeat(126) + "0500" + "0100" + "0200" + "0000",
  );
});

Deno.test("encodeOption() writes lists and keys behind the structure", () => {
  assert.equal(encoded("hmac_ident", { idents: [3, 1] }), "02000000" + "0300" + "0100" + "00000000");
  assert.equal(
    encoded("auth_key", { keynumber: 2, key: "key" }),
    "04030201" + "0200" + "0300" + "6b6579" + "00000000",
  );
  assert.equal(
    encoded("auth_key", { keynumber: 2, key: "0xFF00" }),
    "04030201" + "0200" + "0200" + "ff00" + "00000000",
  );
  assert.equal(encoded("auth_key", { keynumber: 2, key: "" }), "04030201" + "0200" + "0000" + "00000000");
  assert.throws(
    () => encoded("auth_key", { keynumber: 2, key: "x".repeat(70_000) }),
    refused("EINVAL", /too many/),
  );
  assert.throws(() => encoded("hmac_ident", { idents: [70_000] }), refused("EINVAL", /70000/));
  assert.throws(() => encoded("hmac_ident", {}), refused("EINVAL", /do without/));
});

Deno.test("decodeOption() gives back what encodeOption() has written, for every option that can be set", () => {
  for (const name of NAMES) {
    const { fields, access, readOnly = [] } = SOCKET_OPTIONS[name];
    if (access === "read") continue;
    const value: Record<string, SocketOptionValue[string]> = {};
    for (const [field, kind] of Object.entries(fields)) {
      if (readOnly.includes(field)) continue;
      if (kind === "boolean") value[field] = true;
      else if (kind === "address") value[field] = "fd00::7";
      else if (kind === "list") value[field] = [3, 1];
      else if (kind === "text") continue; // is never read
      else if (kind in SOCKET_OPTION_WORDS) value[field] = SOCKET_OPTION_WORDS[kind as "scheduler"]![1];
      else value[field] = 77;
    }
    const all = "key" in fields ? { ...value, key: "k" } : value;
    const view = encodeOption(name, all, encodeQuestion(layoutOf(name), TARGET), TARGET.port);
    const decoded = decodeOption(name, view);
    for (const [field, given] of Object.entries(value)) {
      assert.deepEqual(decoded[field], given, `${name}.${field}`);
    }
  }
});

Deno.test("encodeOption() keeps what is not given", () => {
  const before = encodeQuestion(layoutOf("enable_stream_reset"), TARGET);
  before.setUint32(4, 5, true);
  const view = encodeOption("enable_stream_reset", { association: true, change: false }, before, 0);
  assert.deepEqual(decodeOption("enable_stream_reset", view), {
    streams: true,
    association: true,
    change: false,
  });
});

Deno.test("encodeOption() refuses what an option does not take", () => {
  const cases: [SocketOptionName, SocketOptionValue, RegExp][] = [
    ["rtoinfo", { maximum: 1 }, /initial, max, min/],
    ["rtoinfo", { min: 0 }, /leave it as it is/],
    ["rtoinfo", { min: -1 }, /0 to 4294967295/],
    ["rtoinfo", { min: 1.5 }, /1\.5/],
    ["initmsg", { num_ostreams: 65_536 }, /0 to 65535/],
    ["associnfo", { peer_rwnd: 1 }, /read only/],
    ["nodelay", { value: 2 }, /on or off/],
    ["primary_addr", { address: "here" }, /IP address/],
    ["primary_addr", { address: 1 }, /IP address/],
    ["stream_scheduler", { value: "lottery" }, /fcfs, prio, rr/],
    ["rtoinfo", { toString: 1 } as SocketOptionValue, /Cannot set rtoinfo.toString/],
  ];
  for (const [name, value, pattern] of cases) {
    assert.throws(() => encoded(name, value), refused("EINVAL", pattern), `${name} ${JSON.stringify(value)}`);
  }
});

Deno.test("decodeOption() reads the statistics of struct sctp_assoc_stats", () => {
  const view = encodeQuestion(layoutOf("get_assoc_stats"), TARGET);
  for (let i = 0; i < 15; i++) view.setBigUint64(136 + 8 * i, BigInt(i + 1), true);
  view.setUint16(8, 2, true);
  view.setUint32(12, 0x7f000001);
  const { maxrto, maxrto_address, isacks, ictrlchunks } = decodeOption("get_assoc_stats", view);
  assert.deepEqual([maxrto, maxrto_address, isacks, ictrlchunks], [1, "127.0.0.1", 2, 15]);
});

Deno.test("decodeOption() does not believe a count that is longer than the answer", () => {
  const view = encodeQuestion(layoutOf("peer_auth_chunks"), TARGET);
  view.setUint32(4, 0xffff_ffff, true);
  const { chunks } = decodeOption("peer_auth_chunks", view);
  assert.equal((chunks as readonly number[]).length, view.byteLength - 8);
});
