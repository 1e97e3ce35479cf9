/**
 * Path MTU discovery through a router whose second link is narrower than the first: the router's ICMP messages reach
 * the stack, and what was cut too long already arrives all the same. Needs root and `ip` (three network namespaces).
 */
import assert from "node:assert/strict";
import type { PeerReport, PeerTask } from "../interop/peer_protocol.ts";

const WIDE_MTU = 1500, NARROW_MTU = 1300, PORT = 5095;
/** Where a search begins after a black hole: 1200 octets of SCTP (RFC 8899 §5.1.2) and an IPv4 header. */
const BASE_MTU = 1220;
/** A few seconds are enough where nobody else wants the processor. */
const DEADLINE_MS = 60_000;
const [client, router, server] = ["c", "r", "s"].map((suffix) => `rspmtu-${Deno.pid}-${suffix}`) as [
  string,
  string,
  string,
];
const CLIENT_ADDRESS = "10.113.21.1", SERVER_ADDRESS = "10.113.22.1";

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

async function makeNetwork(): Promise<void> {
  for (const name of [client, router, server]) await ip("netns", "add", name);
  for (
    const [host, link, address, gateway, mtu] of [
      [client, "left", CLIENT_ADDRESS, "10.113.21.254", WIDE_MTU],
      [server, "right", SERVER_ADDRESS, "10.113.22.254", NARROW_MTU],
    ] as const
  ) {
    await ip("-n", host, "link", "add", "up0", "type", "veth", "peer", "name", link, "netns", router);
    await ip("-n", host, "addr", "add", `${address}/24`, "dev", "up0");
    await ip("-n", router, "addr", "add", `${gateway}/24`, "dev", link);
    await ip("-n", host, "link", "set", "dev", "up0", "mtu", `${mtu}`, "up");
    await ip("-n", router, "link", "set", "dev", link, "mtu", `${mtu}`, "up");
    await ip("-n", host, "route", "add", "default", "via", gateway);
  }
  await ip("netns", "exec", router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
}

async function removeNetwork(): Promise<void> {
  for (const name of [client, router, server]) await ip("netns", "del", name).catch(() => {});
}

/** Runs a peer in a namespace. @returns what it said, when it has ended */
function startPeer(
  namespace: string,
  task: PeerTask,
): { ready: Promise<void>; reports: Promise<PeerReport[]> } {
  const script = new URL("../interop/embedded_peer.ts", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "--quiet", "--allow-all", script, JSON.stringify(task)];
  const process = new Deno.Command("ip", {
    args: ["netns", "exec", namespace, ...deno],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const ready = Promise.withResolvers<void>();
  const follow = async (): Promise<PeerReport[]> => {
    const deadline = setTimeout(() => process.kill("SIGKILL"), DEADLINE_MS);
    let text = "";
    for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      ready.resolve();
    }
    await process.status;
    clearTimeout(deadline);
    ready.resolve();
    return text.trim().split("\n").map((line) => JSON.parse(line));
  };
  return { ready: ready.promise, reports: follow() };
}

async function namespacesWork(): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  const probe = `rspmtu-${Deno.pid}-probe`;
  try {
    await ip("netns", "add", probe);
    await ip("netns", "del", probe);
    return true;
  } catch {
    return false;
  }
}

const works = await namespacesWork();

/** The router forwards, but says nothing of its own to the client: no ICMP message gets there. */
function silenceRouter(): Promise<void> {
  return ip("-n", router, "rule", "add", "iif", "lo", "to", CLIENT_ADDRESS, "blackhole");
}

for (
  const [raw, silent] of [["on", false], ["off", false], ["on", true], ["off", true]] as const
) {
  Deno.test({
    name: `a path whose MTU is smaller than the first link's is found out, over ${
      raw === "on" ? "IP" : "UDP"
    }${silent ? ", although the router sends no ICMP messages" : ""}`,
    ignore: !works,
    fn: async () => {
      await makeNetwork(); // a new one each time: the kernel remembers what it learnt
      try {
        if (silent) await silenceRouter();
        const common = { udpPort: 0, raw, ipv6: false, sizes: [20_000, 3000] };
        const answering = startPeer(server, {
          ...common,
          role: "server",
          port: PORT,
          addresses: [],
          peerPort: 0,
        });
        await answering.ready;
        const asking = startPeer(client, {
          ...common,
          role: "client",
          port: 0,
          addresses: [SERVER_ADDRESS],
          peerPort: PORT,
        });
        const [reports] = await Promise.all([asking.reports, answering.reports]);
        assert.deepEqual(reports.map(({ type }) => type), ["up", "echoed", "echoed", "paths", "down"]);
        const paths = reports.find((one) => one.type === "paths");
        const mtu = paths?.mtus?.[0] ?? 0;
        if (silent) assert.ok(mtu >= BASE_MTU && mtu <= NARROW_MTU, `${mtu}`);
        else assert.equal(mtu, NARROW_MTU);
      } finally {
        await removeNetwork();
      }
    },
  });
}
