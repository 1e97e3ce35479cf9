import assert from "node:assert/strict";
import type { networkInterfaces } from "node:os";
import { localHostAddresses, withZone } from "../../../cmd/darn/hosts.ts";

const common = { netmask: "", mac: "", internal: false, cidr: null };
const ipv4 = { ...common, family: "IPv4", address: "10.1.0.1" } as const;
const routable = { ...common, family: "IPv6", address: "fd01::1", scopeid: 0 } as const;
const linkLocal = { ...common, family: "IPv6", address: "fe80::1", scopeid: 2 } as const;

const INTERFACES: ReturnType<typeof networkInterfaces> = {
  eth0: [ipv4, routable, linkLocal],
  eth1: [ipv4, routable],
};

Deno.test("withZone() finds the zone of an interface that has a routable IPv6 address, too", () => {
  const found = withZone(["10.1.0.2", "fe80::2", "fe80::3%7", "fd01::2"], "eth0", INTERFACES);
  assert.deepEqual(found, ["10.1.0.2", "fe80::2%2", "fe80::3%7", "fd01::2"]);
});

Deno.test("withZone() says that an interface has no link-local address, if one is needed", () => {
  for (const name of ["eth1", "eth2"]) {
    assert.throws(() => withZone(["fe80::2"], name, INTERFACES), {
      name: "OptionError",
      message: `option --interface: ${name} has no link-local IPv6 address here`,
    });
    assert.deepEqual(withZone(["fd01::2"], name, INTERFACES), ["fd01::2"]);
  }
});

Deno.test("withZone() leaves addresses alone where no interface is named", () => {
  assert.deepEqual(withZone(["fe80::2"], undefined, INTERFACES), ["fe80::2"]);
});

Deno.test("localHostAddresses() finds names that this host has, and leaves written addresses alone", async () => {
  const [first, ...others] = await localHostAddresses(["[192.0.2.1]", "localhost"]);
  assert.equal(first, "192.0.2.1");
  assert.ok(others.includes("127.0.0.1") || others.includes("::1"));
});
