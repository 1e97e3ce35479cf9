/**
 * Everything that runs in the guest, in one boot: the kernel's half of the tests against the embedded stack, the
 * transport contract on kernel SCTP, and the programs against RSPLIB's.
 *
 * Arguments: a folder for results, a configuration file for `deno test`, and the groups to run. Each group of tests leaves
 * its output in the folder, under its name.
 */
import { parseArgs } from "node:util";
import { GUEST_TESTS } from "./groups.ts";
import { serveHost } from "./guest_peer.ts";
import { GUEST_UDP_PORT, NETWORKS, prefixLength, READY } from "./peer_network.ts";

async function ip(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
  if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

async function serveEmbedded(): Promise<void> {
  for (const [number, { guest }] of NETWORKS.entries()) {
    const device = `vec${number}`;
    for (const address of guest) {
      const noDad = address.includes(":") ? ["nodad"] : [];
      await ip("addr", "add", `${address}/${prefixLength(address)}`, "dev", device, ...noDad);
    }
    // Without this the kernel hands several UDP-encapsulated SCTP packets down as one, of which a tap device of
    // user-mode Linux sends the first only.
    await ip("link", "set", device, "gso_max_size", "1500");
    await ip("link", "set", device, "up");
  }
  await Deno.writeTextFile("/proc/sys/net/sctp/udp_port", `${GUEST_UDP_PORT}`);
  await serveHost(() => Deno.stdout.writeSync(new TextEncoder().encode(`${READY}\n`)));
}

async function runTests(
  folder: string,
  config: string,
  group: string,
  files: readonly string[],
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", "--no-lock", "--cached-only", `--config=${config}`, ...files],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  using log = await Deno.create(`${folder}/${group}`);
  for await (const octets of child.stdout) {
    await log.write(octets);
    await Deno.stdout.write(octets);
  }
  await child.status;
}

const { positionals: [folder = ".", config = "deno.json", ...groups] } = parseArgs({
  allowPositionals: true,
});
if (groups.includes("embedded")) await serveEmbedded();
await ip("addr", "add", "fd00:7e57::1/128", "dev", "lo"); // the second IPv6 address of the loopback tests
await ip("link", "add", "silent0", "type", "dummy"); // a network on which nobody else is
await ip("addr", "add", "10.97.0.1/24", "dev", "silent0");
await ip("link", "set", "silent0", "up");
for (const [group, files] of Object.entries(GUEST_TESTS)) {
  if (groups.includes(group)) await runTests(folder, config, group, files);
}
