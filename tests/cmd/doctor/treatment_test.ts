import assert from "node:assert/strict";
import type { HostFacts } from "../../../cmd/doctor/facts.ts";
import { planTreatment, treat, type TreatmentWish } from "../../../cmd/doctor/treatment.ts";
import { BARE, KERNEL, withGroup, withKernel } from "./hosts.ts";

const WISH: TreatmentWish = { heartbeatIntervalMs: 3000, exactly: false, multicastInterface: undefined };

const INSTALLED = withKernel({ moduleFile: "/lib/modules/6.1.0/sctp.ko" });

function commandsFor(facts: HostFacts, wish: Partial<TreatmentWish> = {}): string[] {
  return planTreatment(facts, { ...WISH, ...wish }).map(({ command }) => command);
}

Deno.test("planTreatment() does nothing to a host without the module", () =>
  assert.deepEqual(commandsFor(BARE), []));

Deno.test("planTreatment() loads the module, then sets the heartbeat interval", () => {
  assert.deepEqual(commandsFor(INSTALLED), ["modprobe sctp", "sysctl -w net.sctp.hb_interval=3000"]);
});

Deno.test("planTreatment() takes back what it does", () => {
  const plan = planTreatment(withGroup({ route: undefined }, KERNEL), WISH);

  assert.deepEqual(plan.map(({ undo }) => undo), [
    "sysctl -w net.sctp.hb_interval=30000",
    "ip route del 224.0.0.0/4 dev eth0",
  ]);
});

Deno.test("planTreatment() leaves a shorter heartbeat interval alone, unless it is asked for", () => {
  const facts = { ...KERNEL, settings: { "net.sctp.hb_interval": "1000" } };

  assert.deepEqual(commandsFor(facts), []);
  assert.deepEqual(commandsFor(facts, { exactly: true }), ["sysctl -w net.sctp.hb_interval=3000"]);
  assert.deepEqual(commandsFor(facts, { heartbeatIntervalMs: 1000, exactly: true }), []);
});

Deno.test("planTreatment() sends multicast to the interface that is named", () => {
  const facts = withGroup({ route: undefined });

  assert.deepEqual(commandsFor(facts, { multicastInterface: "eth1" }), ["ip route add 224.0.0.0/4 dev eth1"]);
});

Deno.test("planTreatment() adds no route where none could be asked for", () => {
  assert.deepEqual(commandsFor({ ...withGroup({ route: undefined }), sockets: undefined }), []);
});

Deno.test("treat() runs nothing in a dry run", async () => {
  const outcomes = await treat(planTreatment(INSTALLED, WISH), undefined);

  assert.deepEqual(outcomes.map(({ result }) => result), ["planned", "planned"]);
});

Deno.test("treat() tells what was done and what the system said", async () => {
  const run: string[] = [];

  const outcomes = await treat(planTreatment(INSTALLED, WISH), (command) => {
    run.push(command);
    return Promise.resolve({ ok: true, words: "fine" });
  });

  assert.deepEqual(run, ["modprobe sctp", "sysctl -w net.sctp.hb_interval=3000"]);
  assert.deepEqual(outcomes.map(({ result, words }) => `${result} ${words}`), ["done fine", "done fine"]);
});

Deno.test("treat() skips what cannot be done after a failure, and nothing else", async () => {
  const plan = planTreatment({ ...INSTALLED, groups: withGroup({ route: undefined }).groups }, WISH);

  const outcomes = await treat(plan, (command) =>
    Promise.resolve(
      command.startsWith("modprobe") ? { ok: false, words: "no permission" } : { ok: true, words: "" },
    ));

  assert.deepEqual(outcomes.map(({ result, words }) => [result, words]), [
    ["failed", "no permission"],
    ["skipped", "modprobe sctp failed"],
    ["done", ""],
  ]);
});
