import assert from "node:assert/strict";
import { ParameterReader } from "../../../protocol/param/parameter_reader.ts";
import {
  MAX_TRANSPORT_ADDRESSES,
  takeTransport,
  type TransportParameter,
  writeTransport,
} from "../../../protocol/param/transport.ts";
import { DecodeError, StateError } from "../../../protocol/wire/errors.ts";
import { Writer } from "../../../protocol/wire/writer.ts";
import { fromHex, testSamples } from "./codec_checks.ts";

function read(octets: Uint8Array): TransportParameter {
  const parameters = new ParameterReader(octets, 0);
  const transport = takeTransport(parameters, "transport");
  parameters.end();
  return transport;
}

function write(transport: TransportParameter): Uint8Array {
  const writer = new Writer();
  writeTransport(writer, transport);
  return writer.finish();
}

testSamples<TransportParameter>({ name: "takeTransport", read, write }, [
  {
    name: "SCTP with three addresses",
    hex: `0004002c 12670001 00010008 0a010001 00020014 fd010000000000000000000000000001 00010008 7f000001`,
    value: {
      protocol: "sctp",
      port: 4711,
      use: "data+control",
      addresses: ["10.1.0.1", "fd01::1", "127.0.0.1"],
    },
  },
  {
    name: "TCP",
    hex: "00050010 12670000 00010008 0a010001",
    value: { protocol: "tcp", port: 4711, use: "data", addresses: ["10.1.0.1"] },
  },
  {
    name: "UDP",
    hex: "0006001c 12670000 00020014 fe800000000000000000000000000001",
    value: { protocol: "udp", port: 4711, use: "data", addresses: ["fe80::1"] },
  },
  {
    name: "UDP-Lite",
    hex: "00070010 12670000 00010008 0a010001",
    value: { protocol: "udp-lite", port: 4711, use: "data", addresses: ["10.1.0.1"] },
  },
  {
    name: "DCCP",
    hex: "00030014 12670000 64697363 00010008 0a010001",
    value: { protocol: "dccp", port: 4711, use: "data", serviceCode: 0x64697363, addresses: ["10.1.0.1"] },
  },
  {
    name: "opaque",
    hex: "00100008 61626364",
    value: { protocol: "opaque", port: 0, use: "data", addresses: [], value: fromHex("61626364") },
  },
]);

Deno.test("takeTransport() ignores reserved fields", () => {
  const transport = read(fromHex("00060010 1267ffff 00010008 0a010001"));
  assert.deepEqual(transport, { protocol: "udp", port: 4711, use: "data", addresses: ["10.1.0.1"] });
});

Deno.test("an IPv4-mapped address is the IPv4 address that it means", () => {
  const transport = read(fromHex("0005001c 12670000 00020014 00000000000000000000ffff0a010001"));
  assert.deepEqual(transport.addresses, ["10.1.0.1"]);
  assert.equal(write(transport).toHex(), "0005001012670000000100080a010001");
});

Deno.test("the zone of a link-local address stays at home", () => {
  const octets = write({ protocol: "tcp", port: 1, use: "data", addresses: ["fe80::1%2"] });
  assert.deepEqual(read(octets).addresses, ["fe80::1"]);
});

Deno.test("an SCTP transport has at most 64 addresses", () => {
  const most = Array.from({ length: MAX_TRANSPORT_ADDRESSES }, (_, i) => `10.0.0.${i}`);
  const transport: TransportParameter = { protocol: "sctp", port: 1, use: "data", addresses: most };
  const octets = write(transport);
  assert.deepEqual(read(octets), transport);

  const tooMany = new Uint8Array(octets.length + 8);
  tooMany.set(octets);
  tooMany.set(octets.subarray(-8), octets.length);
  new DataView(tooMany.buffer).setUint16(2, tooMany.length);
  assert.throws(() => read(tooMany), (error) => error instanceof DecodeError && error.reason === "too-many");
  assert.throws(() => write({ ...transport, addresses: [...most, "10.1.0.1"] }), StateError);
});

Deno.test("writeTransport() refuses what cannot be said", () => {
  const transport: TransportParameter = { protocol: "tcp", port: 1, use: "data", addresses: [] };
  assert.throws(() => write(transport), StateError);
  assert.throws(() => write({ ...transport, addresses: ["10.1.0.1", "10.2.0.1"] }), StateError);
  assert.throws(() => write({ ...transport, addresses: ["localhost"] }), StateError);
});
