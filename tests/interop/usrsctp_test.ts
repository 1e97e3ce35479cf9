/**
 * The embedded stack against usrsctp, an SCTP stack by other people, each in a network namespace of its own (two stacks
 * with raw sockets on one host would abort each other's associations). Needs root, `ip` and libusrsctp.so.2.
 */
import assert from "node:assert/strict";
import type { PeerReport, PeerTask } from "./peer_protocol.ts";

const SIZES = [1, 100, 1452, 5000, 100_000, 3];
const DEADLINE_MS = 180_000;

const NAMESPACES = { ours: `rspus-${Deno.pid}-a`, theirs: `rspus-${Deno.pid}-b` };
const LINKS = [7, 8];

/** Addresses of a side on the links: 10.113.7.1, 10.113.8.1; fd13:7::1, fd13:8::1. */
function addressesOf(side: "ours" | "theirs", family: "ipv4" | "ipv6"): string[] {
  const host = side === "ours" ? 1 : 2;
  return LINKS.map((link) => family === "ipv4" ? `10.113.${link}.${host}` : `fd13:${link}::${host}`);
}

async function run(...command: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command[0]!, { args: command.slice(1) }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

async function makeNetwork(): Promise<void> {
  const { ours, theirs } = NAMESPACES;
  await run("ip", "netns", "add", ours);
  await run("ip", "netns", "add", theirs);
  for (const link of LINKS) {
    const name = `v${link}`;
    await run("ip", "-n", ours, "link", "add", name, "type", "veth", "peer", "name", name, "netns", theirs);
  }
  for (const side of ["ours", "theirs"] as const) {
    const name = NAMESPACES[side];
    await run("ip", "-n", name, "link", "set", "lo", "up");
    for (const [i, link] of LINKS.entries()) {
      const device = ["dev", `v${link}`];
      await run("ip", "-n", name, "addr", "add", `${addressesOf(side, "ipv4")[i]}/24`, ...device);
      await run("ip", "-n", name, "addr", "add", `${addressesOf(side, "ipv6")[i]}/64`, ...device, "nodad");
      await run("ip", "-n", name, "link", "set", ...device, "up");
    }
  }
}

async function removeNetwork(): Promise<void> {
  for (const name of Object.values(NAMESPACES)) await run("ip", "netns", "del", name).catch(() => {});
}

/** A peer in its namespace, and what it says. */
class Peer {
  readonly reports: PeerReport[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #done: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();

  constructor(namespace: string, script: string, task: PeerTask) {
    const path = new URL(script, import.meta.url).pathname;
    this.#process = new Deno.Command("ip", {
      args: ["netns", "exec", namespace, Deno.execPath(), "run", "--allow-all", path, JSON.stringify(task)],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#done = this.#read();
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Waits until the peer has ended by itself. */
  async done(): Promise<void> {
    const deadline = setTimeout(() => this.kill(), DEADLINE_MS);
    await this.#done;
    clearTimeout(deadline);
  }

  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // it has ended
    }
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const report: PeerReport = JSON.parse(line);
        this.reports.push(report);
        if (report.type === "ready") this.#ready.resolve();
      }
    }
    this.#ready.resolve(); // it said what went wrong instead
    const { code } = await this.#process.status;
    if (code !== 0) this.reports.push({ type: "failed", why: `exit status ${code}` });
  }
}

function task(fields: Partial<PeerTask> & Pick<PeerTask, "role">): PeerTask {
  return { port: 0, udpPort: 0, addresses: [], peerPort: 0, sizes: SIZES, raw: "on", ipv6: false, ...fields };
}

const EXPECTED_OF_CLIENT = ["up", ...SIZES.map((size) => `echoed ${size}`), "down shutdown"];

function summary(reports: readonly PeerReport[]): string[] {
  return reports.map((one) => {
    if (one.type === "echoed") return `echoed ${one.length}`;
    if (one.type === "down") return `down ${one.reason}`;
    return one.type === "failed" ? `failed ${one.why}` : one.type;
  });
}

/** Lets the client talk to the server. @returns what the client said */
async function converse(server: Peer, startClient: () => Peer): Promise<readonly PeerReport[]> {
  let client: Peer | undefined;
  try {
    await server.ready;
    client = startClient();
    await Promise.all([client.done(), server.done()]);
    assert.deepEqual(summary(client.reports).filter((line) => line !== "paths"), EXPECTED_OF_CLIENT);
    assert.deepEqual(summary(server.reports), ["ready", "up", "down shutdown"]);
    return client.reports;
  } finally {
    server.kill();
    client?.kill();
    await Promise.all([server.done(), client?.done()]);
  }
}

async function missing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root";
  try {
    Deno.dlopen("libusrsctp.so.2", {}).close();
  } catch {
    return "needs libusrsctp.so.2 (Debian: libusrsctp2)";
  }
  const ip = await new Deno.Command("ip", { args: ["netns", "list"] }).output().catch(() => undefined);
  return ip?.success ? undefined : "needs ip (Debian: iproute2)";
}

const whyNot = await missing();
const PORT = 5061, UDP_PORT = 9899;

Deno.test({
  name: `embedded stack and usrsctp${whyNot === undefined ? "" : ` (${whyNot})`}`,
  ignore: whyNot !== undefined,
  fn: async (t) => {
    await makeNetwork();
    try {
      for (const family of ["ipv4", "ipv6"] as const) {
        const ipv6 = family === "ipv6";
        for (const encapsulation of ["IP", "UDP"]) {
          const udp = encapsulation === "UDP";
          const common = { raw: udp ? "off" : "on", ipv6 } as const;

          await t.step(
            `embedded client, usrsctp server over ${encapsulation} and ${family}, two paths`,
            async () => {
              const reports = await converse(
                new Peer(
                  NAMESPACES.theirs,
                  "./usrsctp_peer.ts",
                  task({ ...common, role: "server", port: PORT, udpPort: udp ? UDP_PORT : 0 }),
                ),
                () =>
                  new Peer(
                    NAMESPACES.ours,
                    "./embedded_peer.ts",
                    task({
                      ...common,
                      role: "client",
                      addresses: addressesOf("theirs", family).slice(0, 1),
                      paths: 2,
                      peerPort: PORT,
                      encapsulationPort: udp ? UDP_PORT : 0,
                    }),
                  ),
              );
              const paths = reports.find((one) => one.type === "paths");
              const ours = addressesOf("ours", family), theirs = addressesOf("theirs", family);
              assert.deepEqual(paths?.pairs, ours.map((address, i) => `${address} ${theirs[i]}`));
            },
          );

          await t.step(`usrsctp client, embedded server over ${encapsulation} and ${family}`, async () => {
            await converse(
              new Peer(
                NAMESPACES.ours,
                "./embedded_peer.ts",
                task({ ...common, role: "server", port: PORT }),
              ),
              () =>
                new Peer(
                  NAMESPACES.theirs,
                  "./usrsctp_peer.ts",
                  task({
                    ...common,
                    role: "client",
                    port: PORT + 1,
                    udpPort: udp ? UDP_PORT : 0,
                    addresses: addressesOf("ours", family),
                    peerPort: PORT,
                    encapsulationPort: udp ? PORT + 10000 : 0,
                  }),
                ),
            );
          });
        }
      }
    } finally {
      await removeNetwork();
    }
  },
});
