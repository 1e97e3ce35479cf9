import assert from "node:assert/strict";
import dgram from "node:dgram";
import { joinGroup, multicastInterfaces } from "../../../cmd/driver/multicast.ts";

/** A port for each test, in a group that nothing else uses. */
const GROUP = "239.255.71.83";
let nextPort = 24_000 + Deno.pid % 1000 * 4;

function freshGroup() {
  return { address: GROUP, port: nextPort++ };
}

/** An announce that is sent again and again until somebody heard it. */
function speakUntil(group: { address: string; port: number }, sourcePort: number, heard: Promise<unknown>) {
  const speaker = joinGroup({ group, sourcePort, onDatagram: undefined, onProblem: () => {} });
  const timer = setInterval(() => speaker.send(Uint8Array.of(1, 2, 3)), 50);
  return heard.finally(() => {
    clearInterval(timer);
    return speaker.close();
  });
}

Deno.test("joinGroup() tells the source address and port of what it hears", async () => {
  const group = freshGroup(), heard = Promise.withResolvers<[string, number, string]>();
  const hearer = joinGroup({
    group,
    sourcePort: undefined,
    onDatagram: ({ address, port }, data) => heard.resolve([address, port, data.toHex()]),
    onProblem: (sentence) => heard.reject(new Error(sentence)),
  });
  const sourcePort = nextPort++;
  await speakUntil(group, sourcePort, heard.promise);
  const [address, port, data] = await heard.promise;
  await hearer.close();
  assert.ok(multicastInterfaces(GROUP).some((one) => one.address === address), address);
  assert.deepEqual([port, data], [sourcePort, "010203"]);
});

Deno.test("joinGroup() names a port that is held by another program, and hears when that is gone", async () => {
  const group = freshGroup(),
    problem = Promise.withResolvers<string>(),
    heard = Promise.withResolvers<void>();
  const holder = dgram.createSocket("udp4");
  await new Promise<void>((resolve) => holder.bind(group.port, "0.0.0.0", resolve));
  const hearer = joinGroup({
    group,
    sourcePort: undefined,
    onDatagram: () => heard.resolve(),
    onProblem: problem.resolve,
  });
  assert.match(await problem.promise, new RegExp(`is UDP port ${group.port} held`));
  await new Promise<void>((resolve) => holder.close(() => resolve()));
  await speakUntil(group, nextPort++, heard.promise);
  await hearer.close();
});

Deno.test("joinGroup() can be closed at once, and twice", async () => {
  const group = joinGroup({
    group: freshGroup(),
    sourcePort: nextPort++,
    onDatagram: () => {},
    onProblem: (sentence) => assert.fail(sentence),
  });
  group.send(Uint8Array.of(1));
  await Promise.all([group.close(), group.close()]);
  group.send(Uint8Array.of(1)); // and nothing was left open
});
