/**
 * The networks between the host and the guest: a namespace of the host with a tap device for each, and what tcpdump takes
 * down there.
 */
import { NETWORKS, prefixLength } from "../../tests/kernel/peer_network.ts";

/** Tap devices, in the order of the networks. */
export const TAPS: readonly string[] = NETWORKS.map((_, number) => `tap${number}`);

/** tcpdump starts and ends in far less than this, in milliseconds, on a busy machine too. */
const CAPTURE_LIMIT_MS = 60_000;

/**
 * A namespace with one tap device for each network, behind a bridge: a test pulls the cable by taking the bridge's
 * other port out, since user-mode Linux does not survive that its tap device goes down.
 *
 * @returns its name
 */
export async function makeNetwork(): Promise<string> {
  const name = `rspkernel-${Deno.pid}`;
  await ip("netns", "add", name);
  try {
    await ip("-n", name, "link", "set", "lo", "up");
    for (const number of NETWORKS.keys()) await addNetwork(name, number);
  } catch (error) {
    await removeNetwork(name);
    throw error;
  }
  return name;
}

async function addNetwork(name: string, number: number): Promise<void> {
  const { host } = NETWORKS[number]!;
  const device = `host${number}`, bridge = `br${number}`, tap = TAPS[number]!;
  await ip("-n", name, "link", "add", bridge, "type", "bridge", "mcast_snooping", "0");
  await ip("-n", name, "tuntap", "add", tap, "mode", "tap");
  await ip("-n", name, "link", "add", device, "type", "veth", "peer", "name", `cable${number}`);
  // User-mode Linux loses most of what comes at once as one long segment of TCP.
  await ip("-n", name, "link", "set", device, "gso_max_size", "1500", "gso_max_segs", "1");
  for (const port of [tap, `cable${number}`]) {
    await ip("-n", name, "link", "set", port, "master", bridge, "up");
  }
  await ip("-n", name, "link", "set", bridge, "up");
  for (const address of host) {
    const noDad = address.includes(":") ? ["nodad"] : [];
    await ip("-n", name, "addr", "add", `${address}/${prefixLength(address)}`, "dev", device, ...noDad);
  }
  await ip("-n", name, "link", "set", device, "up");
}

/** Removes the namespace and all that is in it. */
export async function removeNetwork(name: string): Promise<void> {
  await ip("netns", "del", name);
}

/**
 * Starts to capture SCTP and UDP at the tap devices.
 *
 * @param folder gets a file `tap0.pcap` and so on
 * @returns ends the captures
 */
export async function captureTaps(name: string, folder: string): Promise<() => Promise<void>> {
  const ends = await Promise.all(TAPS.map((tap) => captureTap(name, tap, `${folder}/${tap}.pcap`)));
  return async () => {
    await Promise.all(ends.map((end) => end()));
  };
}

async function captureTap(name: string, tap: string, file: string): Promise<() => Promise<void>> {
  const child = new Deno.Command("ip", {
    args: [
      ...["netns", "exec", name],
      ...["tcpdump", "-i", tap, "-B", "65536", "-Z", "root", "-w", file, "sctp or udp"],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const listening = Promise.withResolvers<void>();
  let said = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("listening on")) listening.resolve();
    }
    listening.reject(new Error(`tcpdump at ${tap}: ${said}`));
  })();
  const kill = setTimeout(() => child.kill("SIGKILL"), CAPTURE_LIMIT_MS);
  await listening.promise;
  clearTimeout(kill);
  return async () => {
    child.kill("SIGINT");
    const kill = setTimeout(() => child.kill("SIGKILL"), CAPTURE_LIMIT_MS);
    await Promise.all([reading, child.status]);
    clearTimeout(kill);
  };
}

async function ip(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
  if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
