import assert from "node:assert/strict";
import { renderState, stateObject } from "../../../protocol/dump/mod.ts";
import type { RegistrarState } from "../../../protocol/dump/mod.ts";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import type { ElementEntry } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { element, REGISTRAR_ID } from "./harness.ts";

const OTHER_ID = 0xc2818128;

function someState(): RegistrarState {
  const handlespace = new Handlespace(new Prng(1));
  handlespace.register(encodeText("PingPongPool"), element(0xfc5c564e));
  handlespace.register(encodeText("EchoPool"), element(0x11223344, { homeRegistrarId: OTHER_ID }));
  const peers = [
    { registrarId: OTHER_ID, addresses: ["10.1.1.2", "fd01::2"], port: 9901, silentMs: 1234.5 },
    { registrarId: 0, addresses: ["10.1.1.3"], port: 9901, isStatic: true },
  ];
  return { registrarId: REGISTRAR_ID, peers, handlespace };
}

Deno.test("renderState() has RSPLIB's layout: peers, index, selection, ownership", () => {
  const element1 = [
    "     chsum=$00004deb home=$c2818128 life=90000ms ur=0",
    "     t=$01 [w=0 l=0.000%($00000000) ldeg=0.000%($00000000) ldpf=0.000000($00000000) " +
    "wdpf=0.000000($00000000) dist=0]",
    "     seq=0 val=0 rd=0 vrt=0 deg=$0 {sel=0 s/w=-}",
    "     userT: {10.1.1.1} 42976/SCTP+CtrlCh",
    "     regT:  {10.1.1.1} 44257/SCTP",
  ];
  const element2 = [
    element1[0]!.replace("4deb", "6fd1").replace("c2818128", "e7bbf4ba"),
    ...element1.slice(1),
  ];
  const echo = ' +-- Pool "EchoPool", Policy "RoundRobin", Protocol SCTP, CtrlCh=yes: (1 nodes)';
  const ping = echo.replace("EchoPool", "PingPongPool");

  assert.deepEqual(renderState(someState()), [
    "PeerList of $e7bbf4ba (2 peers)",
    " +-- Peers by Index:",
    "   - idx:#0001: $00000000 chsum=$0000ffff flags=(static)",
    "        addrs: {10.1.1.3} 9901/SCTP",
    "   - idx:#0002: $c2818128 silent=1235ms chsum=$00004deb flags=[dynamic]",
    "        addrs: {10.1.1.2, fd01::2} 9901/SCTP",
    " +-- Peers by Timer:",
    "   - idx:#0001: $c2818128 silent=1235ms chsum=$00004deb flags=[dynamic]",
    "        addrs: {10.1.1.2, fd01::2} 9901/SCTP",
    "Handlespace[home=$e7bbf4ba]: (2 Pools, 2 PoolElements, 1 Owned)",
    "-- Checksums: Handlespace=$0000bdbc, Ownership=$00006fd1",
    "*-- Index:",
    echo,
    " +-- Index:",
    "   - idx:#0001: $11223344 flags=[foreign]",
    ...element1,
    ping,
    " +-- Index:",
    "   - idx:#0001: $fc5c564e flags=[own]",
    ...element2,
    "*-- Selection:",
    echo,
    " +-- Selection:",
    "   - sel:#0001: $11223344 flags=[foreign]",
    ...element1,
    ping,
    " +-- Selection:",
    "   - sel:#0001: $fc5c564e flags=[own]",
    ...element2,
    "*-- Ownership:",
    '   - $c2818128 -> "EchoPool" / $11223344 flags=[foreign]',
    '   - $e7bbf4ba -> "PingPongPool" / $fc5c564e flags=[own] (property of local handlespace)',
  ]);
});

Deno.test("renderState() shows the elements of a pool by ID and in the order of selection", () => {
  const handlespace = new Handlespace(new Prng(1));
  const poolHandle = encodeText("EchoPool");
  for (const id of [3, 1, 2]) handlespace.register(poolHandle, element(id));
  handlespace.select(poolHandle, 1);
  const lines = renderState({ registrarId: REGISTRAR_ID, peers: [], handlespace });

  const order = (key: string) =>
    lines.flatMap((line) => new RegExp(`${key}:#\\d+: \\$0*(\\d+) `).exec(line)?.[1] ?? []);
  assert.deepEqual(order("idx"), ["1", "2", "3"]);
  assert.deepEqual(order("sel"), ["1", "2", "3"]);
  assert.match(lines.join("\n"), /\{sel=1 s\/w=-\}/);
});

Deno.test("renderState() writes printable ASCII whatever the pool is called", () => {
  const handlespace = new Handlespace(new Prng(1));
  handlespace.register(Uint8Array.of(0x1b, 0x5b, 0x32, 0x4a, 0xff), element(1));
  const lines = renderState({ registrarId: REGISTRAR_ID, peers: [], handlespace });

  assert.ok(lines.every((line) => /^[\x20-\x7e]*$/.test(line)));
  assert.ok(
    lines.includes(' +-- Pool "\\x1b[2J\\xff", Policy "RoundRobin", Protocol SCTP, CtrlCh=yes: (1 nodes)'),
  );
});

Deno.test("renderState() shows an empty handlespace", () => {
  const lines = renderState({
    registrarId: REGISTRAR_ID,
    peers: [],
    handlespace: new Handlespace(new Prng(1)),
  });
  assert.deepEqual(lines, [
    "PeerList of $e7bbf4ba (0 peers)",
    " +-- Peers by Index:",
    " +-- Peers by Timer:",
    "Handlespace[home=$e7bbf4ba]: (0 Pools, 0 PoolElements, 0 Owned)",
    "-- Checksums: Handlespace=$0000ffff, Ownership=$0000ffff",
    "*-- Index:",
    "*-- Selection:",
    "*-- Ownership:",
  ]);
});

Deno.test("stateObject() tells the same to programs", () => {
  assert.deepEqual(stateObject(someState()), {
    registrarId: "0xe7bbf4ba",
    poolCount: 2,
    elementCount: 2,
    ownedCount: 1,
    checksum: "0xbdbc",
    ownershipChecksum: "0x6fd1",
    peers: [
      {
        registrarId: "0x00000000",
        addresses: ["10.1.1.3:9901"],
        isStatic: true,
        elementCount: 0,
        ownershipChecksum: "0xffff",
      },
      {
        registrarId: "0xc2818128",
        addresses: ["10.1.1.2:9901", "[fd01::2]:9901"],
        silentMs: 1234.5,
        elementCount: 1,
        ownershipChecksum: "0x4deb",
      },
    ],
    pools: [
      {
        poolHandle: "EchoPool",
        policy: "RoundRobin",
        protocol: "sctp",
        hasControlChannel: true,
        elements: [{
          elementId: "0x11223344",
          homeRegistrarId: "0xc2818128",
          registrationLifeMs: 90_000,
          addresses: ["10.1.1.1:42976"],
          asapAddresses: ["10.1.1.1:44257"],
          policy: {},
          selections: 0,
        }],
      },
      {
        poolHandle: "PingPongPool",
        policy: "RoundRobin",
        protocol: "sctp",
        hasControlChannel: true,
        elements: [{
          elementId: "0xfc5c564e",
          homeRegistrarId: "0xe7bbf4ba",
          registrationLifeMs: 90_000,
          addresses: ["10.1.1.1:42976"],
          asapAddresses: ["10.1.1.1:44257"],
          policy: {},
          selections: 0,
        }],
      },
    ],
  });
});

Deno.test("a dump shows the unreachable reports that count, where the registrar itself makes it", () => {
  const state = { ...someState(), unreachableReports: ({ elementId }: ElementEntry) => elementId & 3 };

  const shown = renderState(state).filter((line) => line.includes(" ur="));
  const counts = stateObject(state).pools.map(({ elements }) => elements[0]?.unreachableReports);

  assert.deepEqual(shown.map((line) => line.slice(-4)), ["ur=0", "ur=2", "ur=0", "ur=2"]);
  assert.deepEqual(counts, [0, 2]);
});
