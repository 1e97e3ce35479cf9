import assert from "node:assert/strict";
import { decode } from "fast-png";
import { faultyPackets, packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { Pc, Program } from "./lab.ts";
import { addressesOf } from "./sctp_lab.ts";

const possible = await labIsPossible();
const SIZE = ["-width=1000", "-height=800", "-configdir=none"] as const;
/** So long an image takes: it is not complete when something happens to it, however late that is. */
const IN_A_HUNDRED_SECONDS = "-fgpmaxrate=8000", IN_FORTY_SECONDS = "-fgpmaxrate=20000";
/** How long a program may draw an image on a machine that has other things to do. */
const DRAWING_LIMIT_MS = 200_000;
/** Any share of an image: which ones a user tells of depends on how the points come. */
const SHARE = /image 1: \d+ %/;

/** The image without any failure, to compare with. Computed on one PC that has no network at all. */
async function referenceImage(directory: string): Promise<Uint8Array> {
  await using lab = await Lab.open(1);
  const pc = lab.pc(1);
  for (const name of ["eth0", "eth1"]) await pc.run("ip", "link", "delete", name);
  const registrar = pc.rsp("registrar");
  await registrar.says(/ASAP has SCTP port 3863/);
  const server = pc.rsp("server", "-fractal");
  const file = `${directory}/reference.png`;
  const user = pc.rsp("pooluser", "-fractal", ...SIZE, `-output=${file}`);
  assert.equal(await user.exitCode(DRAWING_LIMIT_MS), 0, user.output);
  assert.equal(await server.interrupt(), 0, server.output);
  await registrar.says(/deregistered/);
  assert.equal(await registrar.interrupt(), 0, registrar.output);
  return await pixels(file);
}

async function pixels(file: string): Promise<Uint8Array> {
  const { width, height, data } = decode(await Deno.readFile(file));
  assert.deepEqual([width, height], [1000, 800]);
  return Uint8Array.from(data);
}

/** Starts a registrar on PC 1. */
async function startRegistrar(lab: Lab, options: readonly string[]): Promise<void> {
  const registrar = lab.pc(1).rsp("registrar", "-endpointkeepalivetimeoutinterval=60000", ...options);
  await registrar.says(/ASAP has SCTP port/);
}

/** Starts a server. */
async function startServer(pc: Pc, ...options: readonly string[]): Promise<Program> {
  const server = pc.rsp("server", "-fractal", ...options);
  await server.says(/registered as/);
  return server;
}

/**
 * What a PC sends to another one is lost from now on. Its host cannot say that a server is dead: the user finds out by its
 * silence, and tells the registrar.
 */
async function isSilent(pc: Pc, other: Pc): Promise<void> {
  const lines = addressesOf(other).map((address) => `ip route add blackhole ${address}`);
  await pc.run("sh", "-c", ["set -e", ...lines].join("\n"));
}

Deno.test({
  name: "three programs on one machine without a network draw an image",
  ignore: !possible,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      assert.ok((await referenceImage(directory)).some((octet) => octet !== 0));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

for (const encapsulation of ["raw", "udp"] as const) {
  Deno.test({
    name:
      `a server is killed in mid-image, on four paths, ${encapsulation}: no pixel is missing, no packet is wrong`,
    ignore: !possible,
    async fn(t) {
      const directory = await Deno.makeTempDir();
      try {
        await using lab = await Lab.open(4);
        const recording = `${directory}/pc4.pcap`, image = `${directory}/image.png`;
        const options = ["-transport=embedded", `-encapsulation=${encapsulation}`];
        const recorder = await lab.pc(4).capture(recording);
        await startRegistrar(lab, options);
        const first = await startServer(lab.pc(2), IN_A_HUNDRED_SECONDS, ...options);
        const user = lab.pc(4).rsp(
          ...["pooluser", "-fractal", "-recvtimeout=15000", ...SIZE, ...options, `-output=${image}`],
        );
        await first.says(/session \d+: computes/);
        await startServer(lab.pc(3), ...options);
        await user.says(SHARE);
        first.signal("SIGSTOP");
        assert.doesNotMatch(user.output, /complete/);
        await isSilent(lab.pc(2), lab.pc(4));
        first.signal("SIGKILL");
        assert.equal(await user.exitCode(DRAWING_LIMIT_MS), 0, user.output);
        await recorder.interrupt();

        await t.step("the image is the same as without a failure", async () => {
          assert.match(user.output, /, [1-9]\d* failover/);
          assert.deepEqual(await pixels(image), await referenceImage(directory));
        });
        await t.step("tshark finds no fault", async () => {
          assert.deepEqual(await faultyPackets(recording), []);
          assert.ok((await packets(recording, 'sctp.checksum.status == "Good"')).length > 100);
        });
        await t.step("the packets are of the kind that was asked for", async () => {
          const encapsulated = (await packets(recording, "sctp && udp")).length;
          const plain = (await packets(recording, "sctp && !udp")).length;
          assert.ok(plain + encapsulated > 100);
          // With both, a peer that is late is tried over UDP, too: then the first answer decides.
          assert.ok(encapsulation === "raw" ? plain > 0 : plain === 0);
        });
        await t.step("announce, resolution, image and cookie echo are there", async () => {
          for (
            const filter of [
              "asap.message_type == 10 && ip.dst == 239.0.0.50",
              "asap.message_type == 5",
              "asap.message_type == 6",
              "asap.message_type == 9",
              "asap.message_type == 11",
              "asap.message_type == 12",
              "fractalgeneratorprotocol.message_type == 1",
              "fractalgeneratorprotocol.message_type == 2",
            ]
          ) assert.ok((await packets(recording, filter)).length > 0, filter);
        });
        await t.step("four paths are in use, and those that did not carry the INIT were probed", async () => {
          const senders = await packets(recording, "sctp", ["ip.src", "ipv6.src"]);
          const probed = await packets(recording, "sctp.chunk_type == 5", ["ip.src", "ipv6.src"]);
          const prefixes = ["10.1.0.", "10.2.0.", "fd01::", "fd02::"];
          const seen = (lines: readonly string[]) =>
            prefixes.filter((one) => lines.some((line) => line.includes(one)));
          assert.deepEqual(seen(senders), prefixes);
          assert.ok(seen(probed).length >= 3, `heartbeats were answered from ${seen(probed)}`);
        });
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "a registrar that is killed and started again has its servers back within seconds",
  ignore: !possible,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      await using lab = await Lab.open(2);
      const [pc1, pc2] = [lab.pc(1), lab.pc(2)];
      const first = pc1.rsp("registrar");
      await first.says(/ASAP has SCTP port 3863/);
      // It does not register again by itself before the test is over.
      const server = pc2.rsp("server", "-fractal", "-rereginterval=600000");
      await server.says(/registered as/);
      // An image takes long enough for all paths to be probed, so that nothing but heartbeats is due for a while.
      const words = [`-output=${directory}/image.png`, "-timeout=150", "-configdir=none"];
      const draw = () => pc2.rsp("pooluser", ...words).exitCode(DRAWING_LIMIT_MS);
      assert.equal(await draw(), 0);
      first.signal("SIGKILL");
      await first.exitCode();
      const second = pc1.rsp("registrar");
      // The server's heartbeats find out that the new registrar does not know it.
      await second.says(/element 0x[0-9a-f]{8} registered/);
      assert.equal(await draw(), 0, server.output);
      assert.match(server.output, /registrar .* lost/);
      assert.equal(await server.interrupt(), 0, server.output);
      assert.equal(await second.interrupt(), 0, second.output);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test({
  name: "a cable is pulled out in mid-image: the same server goes on over the other network",
  ignore: !possible,
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      await using lab = await Lab.open(4);
      const image = `${directory}/image.png`;
      const options = ["-transport=embedded"];
      await startRegistrar(lab, options);
      for (const number of [2, 3]) await startServer(lab.pc(number), IN_FORTY_SECONDS, ...options);
      const user = lab.pc(4).rsp(
        "pooluser",
        "-fractal",
        ...SIZE,
        ...options,
        `-output=${image}`,
        "-recvtimeout=30000",
      );
      await user.says(SHARE);
      await lab.pc(4).cable("blue", "out");
      assert.doesNotMatch(user.output, /complete/);
      assert.equal(await user.exitCode(DRAWING_LIMIT_MS), 0, user.output);
      assert.match(user.output, /, 0 failovers/);
      await pixels(image);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
