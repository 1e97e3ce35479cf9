/** `rsp cspmonitor` as it is used: in a pipe, with -json, and in a terminal with keys. */
import assert from "node:assert/strict";
import net from "node:net";
import { OptionError } from "../../../cmd/options.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { componentId } from "../../../protocol/csp/mod.ts";
import { Program, startRegistrar } from "../program.ts";
import { MonitorProgram } from "./monitor_program.ts";

Deno.test("rsp cspmonitor writes a line for each change into a pipe", async () => {
  await using monitor = new MonitorProgram(false, "-full");
  const associations = [{ receiver: componentId(1, 0x22), durationUs: undefined, protocol: 132, ppid: 11 }];
  await monitor.send({ associations });
  await monitor.says(
    /\d appeared {2}PE \$000000f1 \[pc2: 10\.1\.0\.2:4711\] U=00:00:\d\d l=\d+\.\ds A=1 L= 50% "1 Session"\n {3}-> PR \$00000022 ASAP\/SCTP\n/,
  );
  await monitor.send({ associations, uptimeUs: 500_000n });
  await monitor.send({ associations, uptimeUs: 1_000_000n, status: "2 Sessions" });
  await monitor.says(/\d changed {3}PE \$000000f1 .* "2 Sessions"\n/);
  await monitor.send(new Uint8Array(7));
  await monitor.says(/is no status report/);
  await monitor.send({ isFinal: true, uptimeUs: 1_100_000n });
  await monitor.says(/\d left {6}PE \$000000f1 \(it ends\)\n/);
  assert.equal(await monitor.stop(), 0);
  assert.equal(monitor.text.match(/ changed /g)?.length, 1, "the time alone is no change");
});

Deno.test("rsp cspmonitor -json writes objects, and -filter leaves out what nobody wants to see", async () => {
  await using monitor = new MonitorProgram(false, "-json", "-filter=pc2");
  await monitor.send({ sender: componentId(3, 9), location: "pc9" });
  await monitor.send({ intervalUs: 1000 });
  await monitor.says(/"event":"left","reason":"silent"/);
  const [listening, ...events] = monitor.objects();
  assert.equal(listening?.["event"], "listening");
  assert.deepEqual(events.map(({ event, group, object }) => [event, group, object]), [
    ["appeared", "PE", "0x000000f1"],
    ["left", "PE", "0x000000f1"],
  ]);
});

Deno.test("rsp cspmonitor -snapshots writes pictures of all", async () => {
  await using monitor = new MonitorProgram(false, "-snapshots", "-maxpe=1");
  await monitor.send({});
  await monitor.send({ sender: componentId(2, 0xf2) });
  await monitor.says(
    /Component Status -- 0 PRs, 2 PEs, 0 PUs\n\nPE \$000000f1 .*\n\(1 further PE has been hidden\)\n\n/,
  );
});

Deno.test("rsp cspmonitor -count ends after so many pictures", async () => {
  await using monitor = new MonitorProgram(false, "-snapshots", "-count=3", "-json");
  assert.equal(await monitor.ended, 0);
  assert.deepEqual(monitor.objects().map(({ event }) => event), [
    "listening",
    ...["snapshot", "snapshot", "snapshot"],
  ]);
});

Deno.test("rsp cspmonitor fills the window of a terminal, follows keys and sizes, and gives the window back", async () => {
  await using monitor = new MonitorProgram(true);
  await monitor.says(/Current Component Status -- nobody/);
  await monitor.send({
    associations: [{ receiver: componentId(1, 0x22), durationUs: 1n, protocol: 132, ppid: 11 }],
  });
  await monitor.says(/Current Component Status -- 1 PE/);
  await monitor.says(/PE \$000000f1 {2}pc2: 10\.1\.0\.2:4711/);
  monitor.input.write("a");
  await monitor.says(/ -> PR \$00000022 ASAP\/SCTP/);
  monitor.input.write("/zzz");
  await monitor.says(/filter: zzz_/);
  monitor.input.write("\r");
  await monitor.says(/filter "zzz" leaves out 1/);
  monitor.text = "";
  monitor.size = { columns: 40, rows: 10 };
  await monitor.says(/\[2J[^]*COMPONENT/);
  monitor.input.write("q");
  assert.equal(await monitor.ended, 0);
  assert.match(monitor.text, /\?25h[^]*\?1049l/);
});

Deno.test("rsp cspmonitor shows a registrar and an element with their own IDs", async () => {
  await using monitor = new MonitorProgram(false, "-full");
  // Silent is who misses ten of these. That is longer than a process may be late before it counts as having stood still.
  const options = [`-cspserver=127.0.0.1:${await monitor.port()}`, "-cspinterval=200"];
  const { program: registrar, option } = await startRegistrar(
    "-identifier=0x1111",
    "-endpointkeepalivetransmissioninterval=300",
    ...options,
  );
  const element = new Program(server, "-echo", "-identifier=0x22", option, ...options);
  try {
    await monitor.says(/ PR \$00001111 .*"1\[1\] PEs in 1 Pool, 0 Peers"\n/);
    await monitor.says(
      / PE \$00000022 .*"0 Sessions in \w+"\n {3}-> PR \$00001111 ASAP\/SCTP +duration=0:00:\d\d\n/,
    );
  } finally {
    for (const one of [element, registrar]) assert.equal(await one.stop(), 0);
  }
  await monitor.says(/left {6}PE \$00000022 \(it ends\)/);
  await monitor.says(/left {6}PR \$00001111 \(it ends\)/);
});

for (const isTerminal of [false, true]) {
  Deno.test(`rsp cspmonitor says who holds its ports in a ${isTerminal ? "terminal" : "pipe"}`, async () => {
    await using first = new MonitorProgram(false);
    await using second = new MonitorProgram(isTerminal, `-localaddress=127.0.0.1:${await first.port()}`);
    assert.equal(await second.ended, 1);
    assert.match(second.text, /another program holds UDP port \d+ of 127\.0\.0\.1: `ss -lunp` shows it/);
    const held = net.createServer();
    const port = await new Promise((resolve) => {
      held.listen(0, "127.0.0.1", () => resolve((held.address() as net.AddressInfo).port));
    });
    await using third = new MonitorProgram(isTerminal, `-web=127.0.0.1:${port}`);
    assert.equal(await third.ended, 1);
    assert.match(third.text, /no page at 127\.0\.0\.1:\d+: another program holds TCP port/);
    await new Promise((resolve) => held.close(resolve));
  });
}

Deno.test("rsp cspmonitor tells a terminal where its page is before the window, and the rest within it", async () => {
  await using monitor = new MonitorProgram(true, "-web=127.0.0.1:0");
  await monitor.says(/^[\d:.]+ page for a browser: http:\S+\n[^]{1,2}\[\?1049h/);
  await monitor.send(new Uint8Array(7));
  await monitor.says(/1 datagram refused \| [\d:.]+ a datagram from \S+ is no status report/);
  assert.equal(await monitor.stop(), 0);
  assert.doesNotMatch(monitor.text, /^[\d:.]+ a datagram/m, "no line of its own between those of the window");
});

Deno.test("rsp cspmonitor says which options contradict each other", async () => {
  const contradicting = new MonitorProgram(false, "-compact", "-full");
  await assert.rejects(contradicting.ended, OptionError);
});
