/** The transport contract on kernel SCTP. Run under a kernel that has it: `scripts/kernel-lab test`. */
import assert from "node:assert/strict";
import { kernelSctpSupport, openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { leftDescriptors } from "../ffi/left_descriptors.ts";
import { testTransport } from "../transport/compliance.ts";
import { assertSameOctets, pattern, Peer } from "../transport/peer.ts";

testTransport({
  name: "kernel",
  open: () => openKernelTransport(),
  addresses: ["127.0.0.1", "127.0.0.2"],
  foreignAddress: "192.0.2.1",
});

testTransport({
  name: "kernel without libsctp, IPv6",
  open: () => openKernelTransport({ library: "libc" }),
  addresses: ["::1", "fd00:7e57::1"],
  foreignAddress: "2001:db8::1",
});

testTransport({
  name: "kernel with one socket",
  open: () => openKernelTransport({ peelOff: false }),
  addresses: ["127.0.0.1", "127.0.0.2"],
  foreignAddress: "192.0.2.1",
  sharedBuffers: true,
});

testTransport({
  name: "kernel one-to-one",
  open: () => openKernelTransport(),
  addresses: ["127.0.0.1", "127.0.0.2"],
  foreignAddress: "192.0.2.1",
  options: { style: "one-to-one" },
  oneToOneSockets: true,
});

const FAST = { rto: { initialMs: 100, minMs: 100, maxMs: 200 }, maxInitRetransmissions: 3 } as const;

Deno.test("kernelSctpSupport() says that there is SCTP", () => {
  assert.deepEqual(kernelSctpSupport(), { available: true, reason: "the kernel has SCTP" });
});

Deno.test("kernel transport: an association that shares a socket has a send buffer without a time", async () => {
  const transport = openKernelTransport({ peelOff: false });
  const addresses = ["127.0.0.1"];
  const server = new Peer(transport, {
    listen: true,
    addresses,
    manualReceive: true,
    receiveBuffer: 64 * 1024,
  });
  const client = new Peer(transport, { addresses, sendBuffer: 1024 * 1024, sendBufferMs: 2000 });
  const up = await client.up(client.connect(addresses, server.endpoint.port));
  const { association } = await server.next("up");
  // More than the peer's window and what may wait in a buffer that begins to follow the speed.
  for (let i = 0; i < 32; i++) client.send(up.association, pattern(16 * 1024, i));
  assertSameOctets((await server.message(association)).data, pattern(16 * 1024, 0));
  assert.ok(!client.events.some(({ type }) => type === "blocked"), "all of it is at the kernel");
  await transport.close();
});

Deno.test("kernel transport: a host that is silent is a time-out", async () => {
  const transport = openKernelTransport();
  const client = new Peer(transport, FAST);
  const request = client.connect(["10.97.0.2"], 7); // nobody has this address of the guest's dummy network
  const down = await client.next("down", (event) => event.request === request);
  assert.deepEqual([down.reason, down.origin], ["timeout", "local"]);
  await transport.close();
});

Deno.test("kernel transport: a connect can be aborted before it is up", async () => {
  const transport = openKernelTransport();
  const client = new Peer(transport, {});
  const request = client.connect(["10.97.0.2"], 7);
  const closing = client.endpoint.close();
  const down = await client.next("down", (event) => event.request === request);
  assert.deepEqual([down.reason, down.origin], ["aborted", "local"]);
  await closing;
  await transport.close();
});

Deno.test("kernel transport: a wildcard endpoint is reached at every address, IPv4 and IPv6", async () => {
  const transport = openKernelTransport();
  const server = new Peer(transport, { listen: true });
  const { addresses, port } = server.endpoint;
  for (const address of ["127.0.0.1", "::1", "10.97.0.1", "fd00:7e57::1"]) {
    assert.ok(addresses.includes(address), `${address} is among ${addresses.join(" ")}`);
    const client = new Peer(transport, {});
    const up = await client.up(client.connect([address], port));
    const peer = await server.next("up", (event) => event.peerPort === client.endpoint.port);
    assert.ok(up.peerAddresses.includes(address));
    assert.ok(peer.peerAddresses.every((own) => !own.startsWith("::ffff:")));
    await client.endpoint.close();
  }
  await transport.close();
});

Deno.test("kernel transport: associations leave no descriptor behind", async () => {
  const transport = openKernelTransport();
  const server = new Peer(transport, { listen: true, addresses: ["127.0.0.1"] });
  const client = new Peer(transport, { addresses: ["127.0.0.1"] });
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = descriptors();
  for (let i = 0; i < 50; i++) {
    const up = await client.up(client.connect(["127.0.0.1"], server.endpoint.port));
    const peer = await server.next("up");
    client.execute({ type: i % 2 === 0 ? "abort" : "shutdown", association: up.association });
    await Promise.all([client.down(up.association), server.down(peer.association)]);
  }
  assert.equal(descriptors(), before);
  await transport.close();
});

Deno.test("kernel transport: an endpoint that fails for want of descriptors leaves none behind", async () => {
  const left = await leftDescriptors("kernel");
  assert.ok(left.length > 1, "with a few free ones it works");
  assert.deepEqual(left, Array(left.length).fill(0));
});

Deno.test("kernel transport: a process whose endpoints are closed ends by itself", async () => {
  const module = new URL("../../ffi/kernel_sctp.ts", import.meta.url);
  const script = `
    import { openKernelTransport } from "${module}";
    const transport = openKernelTransport();
    const server = transport.open({ listen: true, addresses: ["127.0.0.1"] }, () => {});
    const client = transport.open({ addresses: ["127.0.0.1"] }, (events) => {
      if (events.some(({ type }) => type === "up")) transport.close();
    });
    client.execute({ type: "connect", request: 1, addresses: ["127.0.0.1"], port: server.port });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--no-lock", "--cached-only", "-"],
    stdin: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  assert.equal((await child.status).code, 0);
});
