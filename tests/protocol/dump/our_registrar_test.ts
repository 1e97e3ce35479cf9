import assert from "node:assert/strict";
import { HandlespaceReader } from "../../../protocol/dump/mod.ts";
import type { RegistrarState } from "../../../protocol/dump/mod.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import { MessageNetwork } from "../message_network.ts";
import { element, pool, READER_ID, REGISTRAR_ID } from "./harness.ts";

const ENDPOINTS = { asap: { port: 3863, listen: true }, enrp: { port: 9901, listen: true } };

Deno.test("HandlespaceReader reads a registrar of this project, large as it is, and leaves no trace", () => {
  const network = new MessageNetwork(1);
  const registrar = new Registrar({ registrarId: REGISTRAR_ID, seed: 1, mentorDiscoveryTimeoutMs: 2000 });
  network.spawn(network.host("registrar", "10.1.1.1"), "registrar", registrar, { endpoints: ENDPOINTS });
  for (let id = 1; id <= 1000; id++) {
    const { poolHandle } = pool(`Pool${id % 7}`);
    registrar.handlespace.register(poolHandle, element(id));
  }
  const reader = new HandlespaceReader({
    readerId: READER_ID,
    seed: 1,
    addresses: ["10.1.1.1"],
    port: 9901,
  });
  const program = network.spawn(network.host("reader", "10.1.1.2"), "reader", reader, {
    endpoints: { enrp: { listen: true } },
  });
  let state: RegistrarState | undefined;
  const reports: string[] = [];
  program.onEffect = (effect) => {
    if (effect.type !== "report") return;
    reports.push(effect.report.type);
    if (effect.report.type === "state") state = effect.report.state;
  };
  const stopped = () => program.effects.some(({ effect }) => effect.type === "stopped");

  assert.ok(network.runUntil(stopped, 20_000));
  assert.equal(state?.handlespace.elementCount, 1000);
  assert.equal(state?.handlespace.poolCount, 7);
  assert.equal(state?.handlespace.checksum(REGISTRAR_ID), registrar.handlespace.checksum(REGISTRAR_ID));
  assert.deepEqual([...new Set(reports)], ["connected", "introduced", "starting", "part", "state"]);
  assert.ok(network.runUntil(() => registrar.peers.size === 0, 20_000), "it is forgotten");
});
