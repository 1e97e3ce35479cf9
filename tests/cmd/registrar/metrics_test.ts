import assert from "node:assert/strict";
import { Log } from "../../../cmd/driver/log.ts";
import { MetricsError, serveMetrics } from "../../../cmd/registrar/metrics.ts";
import { MAX_POOL_SERIES, metricsText } from "../../../cmd/registrar/metrics_text.ts";
import type { Measured } from "../../../cmd/registrar/metrics_text.ts";
import { observe } from "../../../cmd/registrar/observers.ts";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { newStatistics } from "../../../protocol/registrar/statistics.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { element, RegistrarHarness } from "../../protocol/registrar/harness.ts";
import { Wire } from "../web/http.ts";
import { readMetrics } from "./prometheus_text.ts";

const OWN_ID = 0xc2818128;
const PROCESS = { registrarId: OWN_ID, version: "1.2.3", startedAt: new Date(1_700_000_000_500) };

function measured(): Measured & { readonly handlespace: Handlespace } {
  const statistics = { ...newStatistics(), registrations: 3, keepAliveAcks: 7 };
  return { statistics, handlespace: new Handlespace(new Prng(1)), peers: { size: 2 }, associationCount: 4 };
}

Deno.test("metricsText() is Prometheus' text format", () => {
  const registrar = measured();
  for (const id of [1, 2]) {
    registrar.handlespace.register(
      encodeText("EchoPool"),
      element(id, { homeRegistrarId: id === 1 ? OWN_ID : 5 }),
    );
  }
  const metrics = readMetrics(metricsText(registrar, PROCESS));

  const value = (name: string, labels = "") => metrics.get(`rsp_registrar_${name}`)?.samples.get(labels);
  assert.equal(value("info", 'registrar_id="0xc2818128",version="1.2.3"'), 1);
  assert.equal(value("start_time_seconds"), 1_700_000_000.5);
  assert.equal(value("pools"), 1);
  assert.equal(value("elements"), 2);
  assert.equal(value("owned_elements"), 1);
  assert.equal(value("pool_elements", 'pool="EchoPool",policy="RoundRobin"'), 2);
  assert.equal(value("peers"), 2);
  assert.equal(value("associations"), 4);
  assert.equal(value("registrations_total"), 3);
  assert.equal(value("keep_alive_acks_total"), 7);
});

Deno.test("metricsText() has every counter of the registrar", () => {
  const metrics = readMetrics(metricsText(measured(), PROCESS));
  const counters = [...metrics.values()].filter(({ type }) => type === "counter");
  assert.equal(counters.length, Object.keys(newStatistics()).length);
  assert.ok([...metrics.keys()].every((name) => name.startsWith("rsp_registrar_")));
});

Deno.test("metricsText() survives any pool handle", () => {
  const registrar = measured();
  registrar.handlespace.register(encodeText('a"b\\c\nd'), element(1));
  const metrics = readMetrics(metricsText(registrar, PROCESS));
  const samples = metrics.get("rsp_registrar_pool_elements")?.samples;
  assert.deepEqual([...samples ?? []], [[String.raw`pool="a\"b\\x5cc\\x0ad",policy="RoundRobin"`, 1]]);
});

Deno.test("metricsText() has a series for 100 pools at most", () => {
  const registrar = measured();
  for (let pool = 0; pool <= MAX_POOL_SERIES; pool++) {
    registrar.handlespace.register(encodeText(`Pool${pool}`), element(1));
  }
  const metrics = readMetrics(metricsText(registrar, PROCESS));
  assert.equal(metrics.get("rsp_registrar_pool_elements")?.samples.size, MAX_POOL_SERIES);
  assert.equal(metrics.get("rsp_registrar_pools")?.samples.get(""), MAX_POOL_SERIES + 1);
});

Deno.test("serveMetrics() answers GET /metrics anew each time, and nothing else", async () => {
  let count = 0;
  await using server = serveMetrics({ address: "127.0.0.1", port: 0 }, () => `rsp_test ${++count}\n`);
  const base = `http://127.0.0.1:${server.address.port}`;
  for (const expected of ["rsp_test 1\n", "rsp_test 2\n"]) {
    const response = await fetch(`${base}/metrics`);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(await response.text(), expected);
  }
  const statuses: number[] = [];
  for (const [method, path] of [["GET", "/"], ["GET", "/other"], ["POST", "/metrics"]] as const) {
    const response = await fetch(base + path, { method });
    statuses.push(response.status);
    await response.text();
  }
  assert.deepEqual([statuses, count], [[200, 404, 405], 2]);
});

Deno.test("serveMetrics() ends at once, whoever has begun a request", { timeout: 20_000 }, async () => {
  const server = serveMetrics({ address: "127.0.0.1", port: 0 }, () => "");
  await using wire = await Wire.open(`http://127.0.0.1:${server.address.port}`);
  await wire.write("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it");
  await wire.reads(/ 405 /); // so the server has read the beginning
  await server[Symbol.asyncDispose]();
});

Deno.test("observe() serves no metrics when one of their addresses cannot be had", async () => {
  const { registrar } = new RegistrarHarness();
  const log = new Log({ level: 0, color: false, json: false, write: () => {}, now: () => new Date() });
  const metrics = { addresses: ["127.0.0.1", "192.0.2.1"], port: 0 }; // the second one is nobody's (RFC 5737)
  // What serves at the first one would be found left over at the end of this test.
  await assert.rejects(() => observe({ registrar, registrarId: OWN_ID, metrics, log }), MetricsError);
});

Deno.test("serveMetrics() says when the port is in use", async () => {
  await using server = serveMetrics({ address: "127.0.0.1", port: 0 }, () => "");
  assert.throws(
    () => serveMetrics(server.address, () => ""),
    (error) => error instanceof MetricsError && /127\.0\.0\.1:\d+.*in use/.test(error.message),
  );
});
