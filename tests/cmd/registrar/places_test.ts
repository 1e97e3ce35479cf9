import assert from "node:assert/strict";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { registrarOptionTable } from "../../../cmd/registrar/options.ts";
import type { RegistrarOptionValues } from "../../../cmd/registrar/options.ts";
import { registrarChannels, registrarEndpoints } from "../../../cmd/registrar/places.ts";
import { isIpv4 } from "../../../protocol/net.ts";

const parse = (...line: string[]) =>
  parseOptions(registrarOptionTable, line, () => undefined).values as RegistrarOptionValues;

Deno.test("registrarEndpoints() are at the well-known ports, or others, of all addresses by default", async () => {
  const { asap, enrp } = await registrarEndpoints(parse());
  assert.deepEqual([asap.port, asap.elseEphemeral, asap.addresses], [3863, true, []]);
  assert.deepEqual([enrp.port, enrp.elseEphemeral, enrp.addresses], [9901, true, []]);
  assert.deepEqual([asap.autoCloseMs, enrp.autoCloseMs], [300_000, 300_000]);
});

Deno.test("registrarEndpoints() are where the options say, and close when they say", async () => {
  const { asap, enrp } = await registrarEndpoints(
    parse("-asap=10.1.0.1,10.2.0.1:4000", "-enrp=fd01::1!4001", "-autoclosetimeout=7"),
  );
  assert.deepEqual([asap.port, asap.elseEphemeral, asap.addresses], [4000, undefined, [
    "10.1.0.1",
    "10.2.0.1",
  ]]);
  assert.deepEqual([enrp.port, enrp.elseEphemeral, enrp.addresses], [4001, undefined, ["fd01::1"]]);
  assert.deepEqual([asap.autoCloseMs, enrp.autoCloseMs], [7000, 7000]);
});

Deno.test("registrarEndpoints() have IPv4 addresses only with -disable-ipv6, and refuse others", async () => {
  const { asap, enrp } = await registrarEndpoints(parse("-disable-ipv6"));
  for (const { addresses = [] } of [asap, enrp]) {
    assert.ok(addresses.includes("127.0.0.1"));
    assert.ok(addresses.every(isIpv4));
  }
  await assert.rejects(registrarEndpoints(parse("-disable-ipv6", "-asap=fd01::1")), {
    name: "OptionError",
    message: "option -asap names an IPv6 address, and -disable-ipv6 forbids them",
  });
});

Deno.test("registrarChannels() are RSPLIB's groups, others, or none, and go as far as -announcettl says", async () => {
  const channels = await registrarChannels(parse("-announcettl=3"));
  assert.deepEqual(channels["asap-announce"], {
    group: { address: "239.0.0.50", port: 3863 },
    sendFrom: "asap",
    hops: 3,
  });
  assert.deepEqual(channels["enrp-presence"], {
    group: { address: "239.0.0.51", port: 9901 },
    sendFrom: "enrp",
    hear: true,
    hops: 3,
  });
  assert.equal((await registrarChannels(parse()))["asap-announce"]?.hops, 30);
  assert.deepEqual(await registrarChannels(parse("-asapannounce=off", "-enrpannounce=none")), {});
});

Deno.test("registrarChannels() take the group of other registrars by its old option, too", async () => {
  for (const name of ["enrpannounce", "enrpmulticast"]) {
    const channels = await registrarChannels(
      parse("-asapannounce=239.1.1.1:1111", `-${name}=239.2.2.2:2222`),
    );
    assert.deepEqual(channels["asap-announce"]?.group, { address: "239.1.1.1", port: 1111 });
    assert.deepEqual(channels["enrp-presence"]?.group, { address: "239.2.2.2", port: 2222 });
  }
});

const LOOPBACK: Promise<readonly string[]> = Promise.resolve([
  "127.0.0.1",
  "::1",
  "192.0.2.1",
  "2001:db8::1",
]);

Deno.test("registrarEndpoints() of a name are this host's addresses among those of the name", async () => {
  const { asap, enrp } = await registrarEndpoints(
    parse("-asap=pc1:4000", "-enrp=pc1,10.1.0.1"),
    () => LOOPBACK,
  );
  const found = asap.addresses ?? [];
  assert.ok(found.includes("127.0.0.1") && !found.includes("192.0.2.1") && !found.includes("2001:db8::1"));
  assert.deepEqual([asap.port, asap.elseEphemeral], [4000, undefined]);
  assert.deepEqual([enrp.port, enrp.addresses], [9901, [...found, "10.1.0.1"]]);
});

Deno.test("registrarEndpoints() of a name are IPv4 addresses only with -disable-ipv6", async () => {
  const { asap } = await registrarEndpoints(parse("-disable-ipv6", "-asap=pc1"), () => LOOPBACK);
  assert.deepEqual(asap.addresses, ["127.0.0.1"]);
});

Deno.test("registrarChannels() may have names", async () => {
  const options = parse("-asapannounce=lab.example", "-enrpannounce=lab.example:5000");
  const channels = await registrarChannels(options, () => Promise.resolve(["239.7.7.7"]));
  assert.deepEqual(channels["asap-announce"]?.group, { address: "239.7.7.7", port: 3863 });
  assert.deepEqual(channels["enrp-presence"]?.group, { address: "239.7.7.7", port: 5000 });
});
