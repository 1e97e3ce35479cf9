/**
 * How long an association stands still when a cable is pulled: two namespaces joined by two networks, a thousand messages
 * a second, and the link of the path in use taken down.
 *
 * @module
 */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { AssociationId, Endpoint, EndpointOptions } from "../../protocol/net.ts";
import { Peer } from "./other_process.ts";
import { delay, type Result, round, type Settings } from "./result.ts";

/** Addresses of the two hosts, one in each network. */
const SENDER = ["10.201.1.1", "10.201.2.1"], RECEIVER = ["10.201.1.2", "10.201.2.2"];
/** Messages go for so long before the cable is pulled and after it, in milliseconds. */
const BEFORE_MS = 2000, AFTER_MS = 8000;
const MESSAGE_INTERVAL_MS = 1;

/** Timers of RFC 9260, and those of somebody in a hurry. */
const VARIANTS: readonly { readonly what: string; readonly options: EndpointOptions }[] = [
  { what: "RTO.Min 1000 ms (RFC 9260)", options: {} },
  {
    what: "RTO.Min 100 ms",
    options: { rto: { initialMs: 1000, minMs: 100, maxMs: 60_000 }, sackDelayMs: 20 },
  },
];

/** What the sender's process is told: `deno run failover.ts JSON`. */
interface SenderTask {
  readonly port: number;
  readonly options: EndpointOptions;
}

/** Both variants. */
export async function failover(_settings: Settings, emit: (result: Result) => void): Promise<void> {
  const names = [`rspbench-${Deno.pid}-a`, `rspbench-${Deno.pid}-b`] as const;
  for (const { what, options } of VARIANTS) {
    try {
      await makeNetworks(names);
      const { sent, received, gapMs } = await pull(names, options);
      const lost = sent - received;
      emit({ name: "failover", what, figures: { longestGapMs: round(gapMs, 0), messages: sent, lost } });
    } finally {
      for (const name of names) await ip("netns", "del", name).catch(() => {}); // one of them may not be there
    }
  }
}

async function pull(
  [sender, receiver]: readonly [string, string],
  options: EndpointOptions,
): Promise<{ sent: number; received: number; gapMs: number }> {
  const inNamespace = (name: string) => ["ip", "netns", "exec", name];
  const peer = new Peer(
    { transport: { raw: "auto" }, echo: false, options: { ...options, addresses: RECEIVER } },
    { prefix: inNamespace(receiver) },
  );
  const { ports } = await peer.next("ready");
  const task: SenderTask = { port: ports[0]!, options: { ...options, addresses: SENDER } };
  const [program, ...words] = [
    ...inNamespace(sender),
    Deno.execPath(),
    "run",
    "--quiet",
    "--allow-all",
    "--no-check",
  ];
  const running = new Deno.Command(program!, {
    args: [...words, import.meta.url, JSON.stringify(task)],
    stderr: "inherit",
  }).output();
  await delay(BEFORE_MS + 1000); // it takes some time to start
  await ip("-n", receiver, "link", "set", "net0", "down");
  const { stdout } = await running;
  const { messages, longestGapMs } = await peer.next("received");
  await peer.close();
  return { sent: Number(new TextDecoder().decode(stdout)), received: messages, gapMs: longestGapMs };
}

async function makeNetworks([sender, receiver]: readonly [string, string]): Promise<void> {
  for (const name of [sender, receiver]) {
    await ip("netns", "add", name);
    await ip("-n", name, "link", "set", "lo", "up");
  }
  for (const number of [0, 1]) {
    const device = `net${number}`;
    await ip("-n", sender, "link", "add", device, "type", "veth", "peer", "name", device, "netns", receiver);
    await ip("-n", sender, "addr", "add", `${SENDER[number]}/24`, "dev", device);
    await ip("-n", receiver, "addr", "add", `${RECEIVER[number]}/24`, "dev", device);
    await ip("-n", sender, "link", "set", device, "up");
    await ip("-n", receiver, "link", "set", device, "up");
  }
}

async function ip(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
  if (!success) {
    throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)} (failover wants root)`);
  }
}

/** The sender's process: prints how many messages it has sent. */
async function send({ port, options }: SenderTask): Promise<void> {
  const transport = openEmbeddedTransport();
  const data = new Uint8Array(100), ended = Promise.withResolvers<void>();
  let sent = 0;
  const endpoint: Endpoint = transport.open(options, (events) => {
    for (const event of events) {
      if (event.type === "up") begin(event.association);
      else if (event.type === "down") ended.resolve();
    }
  });
  const begin = (association: AssociationId) => {
    const timer = setInterval(() => {
      sent++;
      endpoint.execute({ type: "send", association, data, ppid: 0 });
    }, MESSAGE_INTERVAL_MS);
    setTimeout(() => {
      clearInterval(timer);
      endpoint.execute({ type: "shutdown", association });
    }, BEFORE_MS + AFTER_MS);
  };
  endpoint.execute({ type: "connect", request: 1, addresses: RECEIVER, port });
  await ended.promise;
  await transport.close();
  Deno.stdout.writeSync(new TextEncoder().encode(`${sent}\n`));
}

if (import.meta.main) await send(JSON.parse(Deno.args[0]!));
