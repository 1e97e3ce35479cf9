import assert from "node:assert/strict";
import { machineOptions } from "../../../cmd/registrar/machine_options.ts";
import { registrarOptionTable } from "../../../cmd/registrar/options.ts";
import type { RegistrarOptionValues } from "../../../cmd/registrar/options.ts";
import { OptionError } from "../../../cmd/options.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { RFC_TIMES, RSPLIB_TIMES } from "../../../protocol/registrar/presets.ts";

const parse = (...line: string[]) =>
  parseOptions(registrarOptionTable, line, () => undefined).values as RegistrarOptionValues;

const told = (...line: string[]) =>
  machineOptions(parse(...line), (name) => Promise.resolve(name === "pr2" ? ["10.1.1.2", "fd01::2"] : []));

Deno.test("machineOptions() takes RSPLIB's times unless told otherwise", async () => {
  const options = await told();
  for (const [name, value] of Object.entries(RSPLIB_TIMES)) {
    assert.equal(options[name as keyof typeof RSPLIB_TIMES], value, name);
  }
  assert.notEqual(options.registrarId, 0);
});

Deno.test("machineOptions() takes the RFCs' times with -preset=rfc, and a time that is given over both", async () => {
  const options = await told("-preset=rfc", "-peerheartbeatcycle=4000");
  for (const [name, value] of Object.entries(RFC_TIMES)) {
    const expected = name === "presenceIntervalMs" ? 4000 : value;
    assert.equal(options[name as keyof typeof RFC_TIMES], expected, name);
  }
});

Deno.test("machineOptions() carries each time to its place", async () => {
  const options = await told(
    "-serverannouncecycle=101",
    "-endpointkeepalivetransmissioninterval=302",
    "-endpointkeepalivetimeoutinterval=103",
    "-peerheartbeatcycle=104",
    "-peermaxtimelastheard=105",
    "-peermaxtimenoresponse=106",
    "-mentorhuntinterval=107",
    "-takeoverexpiryinterval=108",
  );
  const { announceIntervalMs, keepAliveIntervalMs, keepAliveTimeoutMs, presenceIntervalMs } = options;
  const { maxTimeLastHeardMs, maxTimeNoResponseMs, mentorDiscoveryTimeoutMs, takeoverExpiryMs } = options;
  assert.deepEqual([announceIntervalMs, keepAliveIntervalMs, keepAliveTimeoutMs, presenceIntervalMs], [
    101,
    302,
    103,
    104,
  ]);
  assert.deepEqual([maxTimeLastHeardMs, maxTimeNoResponseMs, mentorDiscoveryTimeoutMs, takeoverExpiryMs], [
    105,
    106,
    107,
    108,
  ]);
});

Deno.test("machineOptions() takes the scope of addresses in both spellings", async () => {
  const scopes = ["auto", "loopback", "sitelocal", "site-local", "global"];
  const found = await Promise.all(scopes.map((scope) => told(`-minaddressscope=${scope}`)));
  assert.deepEqual(
    found.map(({ minAddressScope }) => minAddressScope),
    ["auto", "loopback", "site-local", "site-local", "global"],
  );
});

Deno.test("machineOptions() finds the addresses of each peer", async () => {
  const { peers } = await told("-peer=pr2", "-peer=10.1.1.3,10.2.1.3:9902");
  assert.deepEqual(peers, [
    { addresses: ["10.1.1.2", "fd01::2"], port: 9901 },
    { addresses: ["10.1.1.3", "10.2.1.3"], port: 9902 },
  ]);
  await assert.rejects(told("-peer=10.1.1.2:0"), OptionError);
});

Deno.test("machineOptions() has no rate limit unless one is given", async () => {
  const without = await told("-maxhrrate=-1", "-maxeurate=0");
  assert.deepEqual([without.maxResolutionRate, without.maxUnreachableRate], [undefined, undefined]);
  const withThem = await told("-maxhrrate=2.5", "-maxeurate=0.1");
  assert.deepEqual([withThem.maxResolutionRate, withThem.maxUnreachableRate], [2.5, 0.1]);
});

Deno.test("machineOptions() carries each limit to its place", async () => {
  const options = await told(
    "-maxpools=1",
    "-maxelements=2",
    "-maxassociations=3",
    "-maxelementsperassociation=4",
    "-maxpeers=5",
    "-maxbadpereports=6",
    "-maxhresitems=7",
    "-maxelementsperhtrequest=8",
    "-maxincrement=9",
    "-distancestep=10",
    "-supporttakeoversuggestion",
  );
  assert.deepEqual([
    options.maxPools,
    options.maxElements,
    options.maxAssociations,
    options.maxElementsPerAssociation,
    options.maxPeers,
    options.maxBadReports,
    options.maxResolutionItems,
    options.maxElementsPerTableResponse,
    options.maxIncrement,
    options.distanceStepMs,
    options.takeoverSuggestion,
  ], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, true]);
});
