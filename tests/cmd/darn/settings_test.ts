import assert from "node:assert/strict";
import { darnOptionTable } from "../../../cmd/darn/options.ts";
import { checkOptions, endpointOptions, sessionSettings } from "../../../cmd/darn/settings.ts";
import type { DarnOptions } from "../../../cmd/darn/settings.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";

function read(...line: readonly string[]): DarnOptions {
  return parseOptions(darnOptionTable, line, () => undefined).values as DarnOptions;
}

Deno.test("one -rto-* option says nothing of the others, which the transport has from the system", () => {
  const { rto } = endpointOptions(read("-l", "-rto-min=300"));
  assert.deepEqual(JSON.parse(JSON.stringify(rto)), { minMs: 300 });
  assert.equal(endpointOptions(read("-l")).rto, undefined);
});

Deno.test("-rto-min above -rto-max is refused", () => {
  assert.throws(() => checkOptions(read("-l", "-rto-min=900", "-rto-max=800")), {
    message: "-rto-min is longer than -rto-max",
  });
});

const PEERS: readonly (readonly [line: readonly string[], addresses: readonly string[]])[] = [
  [["-h", "10.1.0.2"], ["10.1.0.2"]],
  [["-c", "10.1.0.2", "--connectx", "fd01::2"], ["10.1.0.2", "fd01::2"]],
  [["-c", "10.1.0.2", "-c", "10.2.0.2", "-c", "10.1.0.2"], ["10.1.0.2", "10.2.0.2"]],
];

for (const [line, addresses] of PEERS) {
  Deno.test(`-s -p 7 ${line.join(" ")} names the peer's addresses`, async () => {
    const options = read("-s", "-p", "7", ...line);
    checkOptions(options);
    const { peer } = await sessionSettings(options);
    assert.deepEqual(peer, { addresses, port: 7, encapsulationPort: undefined });
  });
}

const LOCAL: readonly (readonly [line: readonly string[], addresses: readonly string[]])[] = [
  [["-H", "10.1.0.1"], ["10.1.0.1"]],
  [["-H", "::"], []],
  [["-H", "10.1.0.1", "-B", "10.2.0.1", "--bindx-add", "fd01::1"], ["10.1.0.1", "10.2.0.1", "fd01::1"]],
  [["-H", "10.1.0.1", "-B", "10.2.0.1", "-B", "10.3.0.1", "-b", "10.2.0.1"], ["10.1.0.1", "10.3.0.1"]],
  [["-H", "10.1.0.1", "-B", "10.2.0.1", "--bindx-rem", "10.1.0.1"], ["10.2.0.1"]],
];

for (const [line, addresses] of LOCAL) {
  Deno.test(`-l -P 7 ${line.join(" ")} binds just these addresses`, async () => {
    const options = read("-l", "-P", "7", ...line);
    checkOptions(options);
    const { endpoint } = await sessionSettings(options);
    assert.deepEqual(endpoint.addresses, addresses);
  });
}

Deno.test("-H 0.0.0.0 is every IPv4 address of this host, and -b takes one away", async () => {
  const line = ["-l", "-P", "7", "-H", "0.0.0.0", "-B", "192.0.2.1"];
  const addresses = async (...more: readonly string[]) =>
    (await sessionSettings(read(...line, ...more))).endpoint.addresses ?? [];
  const all = await addresses();
  assert.ok(all.includes("127.0.0.1") && all.includes("192.0.2.1") && !all.includes("0.0.0.0"));
  assert.deepEqual(await addresses("-b", "127.0.0.1"), all.filter((address) => address !== "127.0.0.1"));
});

for (
  const [line, sentence] of [
    [["-H", "::", "-b", "10.1.0.1"], /-b cannot take an address away from ::/],
    [["-H", "10.1.0.1", "-b", "10.1.0.1"], /-b leaves no address of this host/],
  ] as const
) {
  Deno.test(`-l ${line.join(" ")} is refused`, async () => {
    await assert.rejects(sessionSettings(read("-l", ...line)), { name: "OptionError", message: sentence });
  });
}

Deno.test("-m sets both buffers, and they are the transport's own without it", () => {
  const { sendBuffer, receiveBuffer } = endpointOptions(read("-l", "-m", "131072"));
  assert.deepEqual([sendBuffer, receiveBuffer], [131_072, 131_072]);
  const none = endpointOptions(read("-l"));
  assert.deepEqual([none.sendBuffer, none.receiveBuffer], [undefined, undefined]);
});

Deno.test("--interface is eth0 without a name, and concerns link-local addresses alone", async () => {
  assert.equal(read("-l", "--interface").interface, "eth0");
  const options = read("-s", "-h", "10.1.0.2", "-p", "7", "--interface=lo");
  assert.deepEqual((await sessionSettings(options)).peer?.addresses, ["10.1.0.2"]);
  const linkLocal = read("-s", "-h", "fe80::2", "-p", "7", "--interface=lo");
  await assert.rejects(sessionSettings(linkLocal), /lo has no link-local IPv6 address here/);
});
