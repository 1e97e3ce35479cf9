import assert from "node:assert/strict";
import { resolveHosts } from "../../../cmd/driver/host_names.ts";

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
