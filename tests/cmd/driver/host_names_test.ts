import assert from "node:assert/strict";
import { HostNameError, resolveHosts, resolveLocal } from "../../../cmd/driver/host_names.ts";

Deno.test("resolveHosts() joins the addresses of all names, each once", async () => {
  const book: Record<string, string[]> = {
    pc1: ["10.1.0.1", "FD01::1"],
    "pc1-yellow": ["10.2.0.1", "10.1.0.1"],
  };
  const ask = (name: string) => Promise.resolve(book[name] ?? []);
  const sockets = [{ hosts: ["pc1", "pc1-yellow", "10.9.0.1"], port: 3863 }, { hosts: ["fd02::1"], port: 7 }];
  assert.deepEqual(await resolveHosts(sockets, ask), [
    { addresses: ["10.1.0.1", "fd01::1", "10.2.0.1", "10.9.0.1"], port: 3863 },
    { addresses: ["fd02::1"], port: 7 },
  ]);
});

Deno.test("resolveHosts() says which name has no address, and why", async () => {
  const ask = () => Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" }));
  await assert.rejects(
    resolveHosts([{ hosts: ["nowhere"], port: 1 }], ask),
    /no address is known for host "nowhere" \(ENOTFOUND\)/,
  );
});

Deno.test("resolveHosts() refuses a zone by its name, which the resolver would let through", async () => {
  await assert.rejects(
    resolveHosts([{ hosts: ["fe80::1%eth0"], port: 1 }]),
    /^OptionError: "fe80::1%eth0" is no address: .* the number of an interface/,
  );
});

Deno.test("resolveHosts() asks the system for localhost", async () => {
  const [socket] = await resolveHosts([{ hosts: ["localhost"], port: 3863 }]);
  assert.ok(socket!.addresses.includes("127.0.0.1") || socket!.addresses.includes("::1"));
});

Deno.test("resolveLocal() takes those addresses of a name that this host has, and written ones as they are", async () => {
  const book: Record<string, string[]> = {
    pool: ["10.1.0.1", "10.1.0.2", "FD01::2"],
    debian: ["127.0.1.1"],
  };
  const names = {
    ask: (name: string) => Promise.resolve(book[name] ?? []),
    own: ["127.0.0.1", "10.1.0.2", "fd01::2"],
  };
  const local = (...hosts: string[]) => resolveLocal({ hosts, port: 7 }, names);
  assert.deepEqual(await local("pool"), { addresses: ["10.1.0.2", "fd01::2"], port: 7 });
  assert.deepEqual(
    await local("debian"),
    { addresses: ["127.0.1.1"], port: 7 },
    "all of 127.0.0.0/8 is here",
  );
  assert.deepEqual(await local("192.0.2.1", "pool", "10.1.0.2"), {
    addresses: ["192.0.2.1", "10.1.0.2", "fd01::2"],
    port: 7,
  });
  assert.deepEqual(await local("::", "0.0.0.0"), { addresses: ["::", "0.0.0.0"], port: 7 });
});

Deno.test("resolveLocal() says which name is another machine's", async () => {
  const names = { ask: () => Promise.resolve(["10.1.0.1", "fd01::1"]), own: ["127.0.0.1", "::1"] };
  await assert.rejects(resolveLocal({ hosts: ["127.0.0.1", "pc1"], port: 0 }, names), (error) => {
    return error instanceof HostNameError &&
      error.message === 'host "pc1" is 10.1.0.1, fd01::1, and this machine has no such address; ' +
          "`ip address` shows those it has";
  });
});

Deno.test("resolveLocal() finds localhost by itself", async () => {
  const { addresses } = await resolveLocal({ hosts: ["localhost"], port: 0 });
  assert.ok(addresses.includes("127.0.0.1") || addresses.includes("::1"));
});
