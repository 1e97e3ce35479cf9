import assert from "node:assert/strict";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import type { ElementEntry } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { IpAddress } from "../../../protocol/net.ts";
import { Adoption, MAX_PARALLEL_ADOPTIONS } from "../../../protocol/registrar/adoption.ts";
import { AssociationRecord } from "../../../protocol/registrar/associations.ts";
import { MembershipTable } from "../../../protocol/registrar/membership_table.ts";
import { element, POOL } from "./harness.ts";

const OURS = 1;
const THEIRS = 2;
const TIMEOUT_MS = 5000;

/** Adoptions without a registrar around them. */
class Bench {
  readonly handlespace = new Handlespace(new Prng(1));
  readonly members: MembershipTable;
  readonly adoption: Adoption;
  readonly connects: { request: number; addresses: readonly IpAddress[]; port: number }[] = [];
  readonly shutdowns: number[] = [];
  readonly claimed: [elementId: number, association: number][] = [];
  readonly removed: number[] = [];
  now = 0;

  constructor() {
    this.members = new MembershipTable({
      keepAliveIntervalMs: 5000,
      keepAliveTimeoutMs: 5000,
      keepAliveJitter: 0,
    }, new Prng(1));
    this.adoption = new Adoption({
      members: this.members,
      timeoutMs: TIMEOUT_MS,
      connect: (request, addresses, port) => this.connects.push({ request, addresses, port }),
      shutdown: (record) => this.shutdowns.push(record.association),
      claim: (entry, record, now) => {
        this.members.asked(entry, now);
        this.claimed.push([entry.elementId, record.association]);
      },
      remove: (entry) => {
        this.removed.push(entry.elementId);
        this.remove(entry);
      },
      accept: (entry) => {
        if (this.handlespace.find(POOL, entry.elementId) !== entry || entry.homeRegistrarId === OURS) {
          return false;
        }
        this.handlespace.rehome(entry, OURS);
        return true;
      },
    });
  }

  /** An element of another registrar. */
  foreign(elementId: number, host = "10.1.1.1", port = 40_000, registrationLifeMs = 90_000): ElementEntry {
    const asapTransport = { protocol: "sctp", port, use: "data", addresses: [host] } as const;
    const fields = { homeRegistrarId: THEIRS, asapTransport, registrationLifeMs };
    const result = this.handlespace.register(POOL, element(elementId, fields));
    assert.ok(result.type === "added");
    return result.entry;
  }

  /** What a takeover does with an element. */
  adopt(entry: ElementEntry): void {
    this.handlespace.rehome(entry, OURS);
    this.adoption.adopt(entry, this.now);
  }

  remove(entry: ElementEntry): void {
    this.members.removed(entry);
    this.handlespace.remove(entry);
  }

  up(request: number, association = 100 + request): AssociationRecord {
    const record = this.record(association, request);
    this.adoption.up(request, record, this.now);
    this.check();
    return record;
  }

  record(association: number, request?: number): AssociationRecord {
    return new AssociationRecord("asap", {
      type: "up",
      association,
      request,
      peerAddresses: ["10.1.1.1"],
      peerPort: 40_000,
      outboundStreams: 1,
      inboundStreams: 1,
    });
  }

  run(durationMs: number): void {
    const end = this.now + durationMs;
    for (let at = this.adoption.nextTimeout(); at !== undefined && at <= end;) {
      this.now = Math.max(this.now, at);
      this.adoption.tick(this.now);
      this.check();
      at = this.adoption.nextTimeout();
    }
    this.now = end;
  }

  check(): void {
    this.members.checkInvariants(new Set(this.handlespace.page(undefined, Infinity, OURS)));
  }
}

Deno.test("Adoption connects to where an element registered from, and tells it who its home is", () => {
  const bench = new Bench();
  const entry = bench.foreign(7);
  bench.adopt(entry);
  bench.check();
  assert.deepEqual(bench.connects, [{ request: 1, addresses: ["10.1.1.1"], port: 40_000 }]);
  assert.ok(bench.members.isAdopted(entry));
  const record = bench.up(1);
  assert.deepEqual(bench.claimed, [[7, 101]]);
  assert.equal(bench.members.associationOf(entry), record);
  assert.ok(!bench.members.isAdopted(entry));
  assert.equal(bench.adoption.size, 0);
  assert.equal(bench.adoption.nextTimeout(), undefined);
  assert.deepEqual(bench.members.takeDue(TIMEOUT_MS)?.type, "keepAliveTimeout", "its answer is awaited");
});

Deno.test("Adoption reaches all elements of a process by one association", () => {
  const bench = new Bench();
  for (let elementId = 1; elementId <= 50; elementId++) bench.adopt(bench.foreign(elementId));
  bench.adopt(bench.foreign(51, "10.1.1.1", 40_001));
  assert.deepEqual(bench.connects.map(({ port }) => port), [40_000, 40_001]);
  bench.up(1);
  assert.equal(bench.claimed.length, 50);
  bench.up(2);
  assert.deepEqual(bench.claimed.at(-1), [51, 102]);
});

Deno.test("Adoption tries again, and removes elements that cannot be reached for the time of a keep-alive", () => {
  const bench = new Bench();
  bench.adopt(bench.foreign(7));
  for (let request = 1; request <= 5; request++) {
    bench.adoption.failed(request, bench.now);
    bench.run(1000);
  }
  assert.equal(bench.connects.length, 5);
  assert.deepEqual(bench.removed, [7]);
  assert.equal(bench.now, TIMEOUT_MS);
  assert.equal(bench.adoption.size, 0);
});

Deno.test("Adoption ends an association that came up too late", () => {
  const bench = new Bench();
  bench.adopt(bench.foreign(7));
  bench.run(TIMEOUT_MS);
  assert.deepEqual(bench.removed, [7]);
  bench.up(1);
  assert.deepEqual(bench.shutdowns, [101]);
  assert.deepEqual(bench.claimed, []);
  bench.adoption.failed(1, bench.now); // says the transport, at last
  assert.equal(bench.adoption.nextTimeout(), undefined);
});

Deno.test("Adoption leaves elements alone that came by themselves, went, or have another home meanwhile", () => {
  const bench = new Bench();
  const [came, went, moved] = [bench.foreign(1), bench.foreign(2), bench.foreign(3)];
  for (const entry of [came, went, moved]) bench.adopt(entry);
  bench.members.registered(came, bench.record(55), bench.now);
  bench.remove(went);
  bench.members.removed(moved);
  bench.handlespace.rehome(moved, THEIRS);
  bench.up(1);
  assert.deepEqual(bench.claimed, []);
  assert.deepEqual(bench.shutdowns, [101], "nobody is left who needs it");
  bench.run(10 * TIMEOUT_MS);
  assert.deepEqual(bench.removed, []);
  assert.deepEqual(bench.handlespace.page(undefined, 9), [came, moved]);
});

Deno.test("Adoption connects to no more places at a time than its limit, and to all in the end", () => {
  const bench = new Bench();
  const count = 3 * MAX_PARALLEL_ADOPTIONS;
  for (let i = 0; i < count; i++) bench.adopt(bench.foreign(i + 1, `10.1.${i >> 8}.${i & 255}`));
  assert.equal(bench.connects.length, MAX_PARALLEL_ADOPTIONS);
  bench.up(1);
  assert.equal(bench.connects.length, MAX_PARALLEL_ADOPTIONS + 1, "the next one has its turn");
  for (let request = 2; request <= MAX_PARALLEL_ADOPTIONS; request++) {
    bench.adoption.failed(request, bench.now);
  }
  bench.run(TIMEOUT_MS);
  assert.equal(
    bench.removed.length,
    MAX_PARALLEL_ADOPTIONS,
    "those that had their turn and were not reached",
  );
  bench.run(2 * TIMEOUT_MS);
  assert.equal(bench.adoption.size, 0);
  assert.equal(bench.removed.length + bench.claimed.length, count);
});

Deno.test("Adoption supervises the life of an element before it is reached, also of one that cannot be", () => {
  const bench = new Bench();
  const entry = bench.foreign(7, "10.1.1.1", 40_000, 3000);
  bench.adopt(entry);
  assert.deepEqual(bench.members.takeDue(3000), { type: "expired", entry });
  const unreachable = bench.handlespace.register(POOL, element(8, { homeRegistrarId: THEIRS }));
  assert.ok(unreachable.type === "added");
  bench.adopt(unreachable.entry);
  assert.equal(bench.connects.length, 1, "without an ASAP transport there is nowhere to connect to");
  assert.equal(bench.members.takeDue(90_000)?.type, "expired");
});

Deno.test("Adoption makes an element that was offered its own when it is reached, not before", () => {
  const bench = new Bench();
  const entry = bench.foreign(7);
  bench.adoption.offer(entry, bench.now);
  bench.adoption.offer(entry, bench.now);
  assert.equal(bench.connects.length, 1);
  assert.equal(entry.homeRegistrarId, THEIRS);
  bench.up(1);
  assert.equal(entry.homeRegistrarId, OURS);
  assert.deepEqual(bench.claimed, [[7, 101]]);
});

Deno.test("Adoption leaves an element that was offered to its home when it cannot be reached, or is not to be had", () => {
  const bench = new Bench();
  const [deaf, gone, ours] = [bench.foreign(1), bench.foreign(2, "10.1.1.2"), bench.foreign(3, "10.1.1.3")];
  for (const entry of [deaf, gone, ours]) bench.adoption.offer(entry, bench.now);
  bench.handlespace.remove(gone);
  bench.handlespace.rehome(ours, OURS);
  bench.members.registered(ours, bench.record(55), bench.now);
  bench.up(2);
  bench.up(3);
  bench.run(TIMEOUT_MS);
  assert.equal(deaf.homeRegistrarId, THEIRS);
  assert.deepEqual([bench.claimed, bench.removed], [[], []]);
  assert.deepEqual(bench.shutdowns, [102, 103]);
  assert.equal(bench.adoption.size, 0);
});

Deno.test("Adoption reaches an element again that ended the association before it said anything, a few times", () => {
  const bench = new Bench();
  const entry = bench.foreign(7);
  bench.adopt(entry);
  for (const attempt of [1, 2]) {
    bench.up(bench.connects.at(-1)!.request);
    assert.equal(bench.adoption.lost(entry, bench.now), true);
    bench.check();
    assert.equal(bench.connects.length, attempt + 1, "it is connected to at once");
  }
  const record = bench.up(bench.connects.at(-1)!.request);
  assert.equal(bench.adoption.lost(entry, bench.now), false);
  assert.equal(bench.connects.length, 3);
  assert.ok(record.entries.has(entry), "it is left as it was");
});

Deno.test("Adoption takes an element for gone that answered and is lost then", () => {
  const bench = new Bench();
  const entry = bench.foreign(7);
  bench.adopt(entry);
  bench.up(bench.connects[0]!.request);
  bench.members.acknowledged(entry, bench.now);
  assert.equal(bench.adoption.lost(entry, bench.now), false);
});

Deno.test("Adoption forgets everything when it is stopped", () => {
  const bench = new Bench();
  for (let i = 0; i < 2 * MAX_PARALLEL_ADOPTIONS; i++) {
    bench.adopt(bench.foreign(i + 1, `10.1.${i >> 8}.${i & 255}`));
  }
  bench.adoption.stop();
  assert.equal(bench.adoption.size, 0);
  assert.equal(bench.adoption.nextTimeout(), undefined);
  bench.up(1);
  assert.deepEqual(bench.shutdowns, [101]);
});
