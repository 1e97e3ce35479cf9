/** `rsp darn` on the embedded stack here and the original `sctp_darn` on kernel SCTP in the guest, over plain IP. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { GUEST, HOST, setCable } from "./host_and_guest.ts";
import { RemoteGuest } from "./remote_guest.ts";
import { HostProgram } from "./host_program.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A path is given up soon; the association survives that the other side stands still for seconds, on four paths at once. */
const TIMERS = [
  ...["-hbinterval=300", "-path-max=1", "-assoc-max=100"],
  ...["-rto-initial=300", "-rto-min=300", "-rto-max=600"],
];
const SETTINGS = {
  ...{ hb_interval: 300, path_max_retrans: 1, association_max_retrans: 100 },
  ...{ rto_initial: 300, rto_min: 300, rto_max: 600 },
};
const ORIGINAL = ["stdbuf", "-oL", "sctp_darn"];
/** Messages around the pulled cable. */
const COUNT = 100;

function darn(...words: string[]): HostProgram {
  return new HostProgram(Deno.execPath(), [
    ...["run", "--allow-all", "--quiet", "--no-check", `${ROOT}/cmd/main.ts`, "darn"],
    ...["-transport=embedded", "-encapsulation=raw", ...TIMERS, ...words],
  ]);
}

async function setTimers(guest: RemoteGuest): Promise<void> {
  for (const [name, value] of Object.entries(SETTINGS)) await guest.set(name, value);
}

Deno.test("rsp darn on the embedded stack sends to sctp_darn", async () => {
  await using guest = new RemoteGuest();
  await setTimers(guest);
  const listener = await guest.start(...ORIGINAL, "-H", "::", "-P", "1234", "-l");
  await listener.says(/listening/);
  await using sender = darn("-H", "::", "-P", "2345", "-h", GUEST[0]!, "-p", "1234", "-s", "-I");
  try {
    await sender.types("snd=10000 sid=3 ppid=47");
    await sender.says(/ASSOC_CHANGE - COMM_UP/);
    await listener.says(/sinfo_stream +3[^]*DATA\(10000\):/);
    for (const address of GUEST.slice(1)) await sender.says(pathLine("ADDR_CONFIRMED", address));
    await sender.types(`primary=${GUEST[0]}`);
    await setCable("out");
    await sender.types(`snd=33 count=${COUNT} rate=200`);
    await sender.says(pathLine("ADDR_UNREACHABLE", GUEST[0]!));
    await listener.says(/DATA\(33\)/, COUNT);
    await setCable("in");
    await sender.says(pathLine("ADDR_AVAILABLE", GUEST[0]!));
    await sender.signal("SIGINT");
    assert.equal(await sender.code, 0, sender.output);
    await listener.says(/ASSOC_CHANGE - SHUTDOWN_COMP/);
    assert.equal(listener.output.match(/DATA\(33\)/g)?.length, COUNT);
  } finally {
    await setCable("in");
    await listener.signal("SIGKILL");
  }
});

Deno.test("sctp_darn sends to rsp darn on the embedded stack", async () => {
  await using guest = new RemoteGuest();
  await setTimers(guest);
  await using listener = darn("-H", "::", "-P", "1234", "-l", "-json");
  await listener.says(/"event":"started"/);
  const sender = await guest.start(
    ...ORIGINAL,
    "-H",
    "::",
    "-P",
    "2345",
    "-h",
    HOST[0]!,
    "-p",
    "1234",
    "-s",
    "-I",
  );
  try {
    await sender.types("snd=10000");
    await listener.says(/"event":"message".*"length":10000/);
    await sender.says(/New connection, peer addresses/);
    for (const address of GUEST.slice(1)) await listener.says(changeOf(address, "confirmed"));
    await sender.types(`primary=${HOST[0]}`);
    await setCable("out");
    for (let i = 0; i < 10; i++) await sender.types("snd=500");
    await listener.says(changeOf(GUEST[0]!, "unreachable"));
    await listener.says(/"length":500,/, 10);
    await setCable("in");
    await listener.says(changeOf(GUEST[0]!, "available"));
    await sender.types("shutdown");
    await listener.says(/"event":"down","association":1.*"reason":"shutdown"/);
    await sender.says(/Successfully SHUTDOWN the original association/);
    await sender.types("snd=11");
    await listener.says(/"event":"message","association":2.*"length":11/);
    await sender.says(/New connection, peer addresses/, 2); // before that it does not know what to abort
    await sender.types("abort");
    await listener.says(/"event":"down","association":2.*"reason":"aborted","origin":"peer","code":12/);
    await listener.signal("SIGINT");
    await listener.code;
  } finally {
    await setCable("in");
    await sender.signal("SIGKILL");
  }
});

function pathLine(change: string, address: string): RegExp {
  return new RegExp(
    `${change}[^\\n]*${address.replaceAll(".", "\\.")}|${address.replaceAll(".", "\\.")}[^\\n]*${change}`,
  );
}

function changeOf(address: string, change: string): RegExp {
  return new RegExp(`"address":"${address.replaceAll(".", "\\.")}","change":"${change}"`);
}
