import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

const POOL = encodeText("BenchPool");

function element(elementId: number, port = 7): PoolElement {
  return {
    elementId,
    homeRegistrarId: 1,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port, use: "data+control", addresses: ["10.1.1.1"] },
    policy: { name: "RoundRobin", type: 1 },
  };
}

for (const count of [1000, 10_000, 100_000]) {
  const handlespace = new Handlespace(new Prng(1));
  for (let id = 1; id <= count; id++) handlespace.register(POOL, element(id));
  const group = `${count} elements`;
  let next = 0;
  Deno.bench({ name: `select 1 of ${count}`, group, fn: () => void handlespace.select(POOL, 1) });
  Deno.bench({ name: `select 3 of ${count}`, group, fn: () => void handlespace.select(POOL, 3) });
  Deno.bench({ name: `select 64 of ${count}`, group, fn: () => void handlespace.select(POOL, 64) });
  Deno.bench({
    name: `re-register among ${count}`,
    group,
    fn: () => void handlespace.register(POOL, element(1 + next++ % count)),
  });
  Deno.bench({
    name: `deregister and register among ${count}`,
    group,
    fn: () => {
      const id = 1 + next++ % count;
      const entry = handlespace.find(POOL, id);
      if (entry !== undefined) handlespace.remove(entry);
      handlespace.register(POOL, element(id));
    },
  });
  Deno.bench({ name: `checksum of ${count}`, group, fn: () => void handlespace.checksum(1) });
  Deno.bench({
    name: `page of 128 among ${count}`,
    group,
    fn: () => void handlespace.page({ pool: { key: "BenchPool" }, elementId: next++ % count }, 128),
  });
}
