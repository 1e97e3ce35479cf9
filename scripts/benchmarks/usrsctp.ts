/** The embedded transport against usrsctp through FFI, in alternation within one run. */
import { median, type Result, round, type Settings } from "./result.ts";
import { measureEmbedded } from "./throughput.ts";
import type { UsrsctpTask } from "./usrsctp_process.ts";

/** SCTP port, and UDP ports of the two processes; changed from run to run. */
const PORT = 6001, UDP_PORT = 26_000;
/** As the embedded transport has. */
const BUFFER = 1 << 20;
/** More than the run and the start of two processes take, in seconds. */
const GRACE_SECONDS = 20;

let runs = 0;

/** Both, each size, `rounds` times. */
export async function usrsctp(
  { seconds, sizes, rounds }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  for (const size of sizes) {
    const own: number[] = [], theirs: number[] = [];
    for (let i = 0; i < rounds; i++) {
      theirs.push(await measureUsrsctp(size, seconds));
      own.push((await measureEmbedded("udp", 1500, size, seconds))["messagesPerSecond"]!);
    }
    const referenceValue = median(theirs), messagesPerSecond = median(own);
    emit({
      name: "usrsctp",
      what: `UDP, ${size} octets`,
      figures: {
        messagesPerSecond: Math.round(messagesPerSecond),
        megabytesPerSecond: round(messagesPerSecond * size / 1e6, 1),
        usrsctpMessagesPerSecond: Math.round(referenceValue),
        usrsctpMegabytesPerSecond: round(referenceValue * size / 1e6, 1),
      },
      target: { figure: "messagesPerSecond", reference: "usrsctp", referenceValue, factor: 1.5 },
    });
  }
}

/** One run of usrsctp with itself. @returns messages a second */
async function measureUsrsctp(size: number, seconds: number): Promise<number> {
  const udpPort = UDP_PORT + 2 * (runs++ % 1000), buffer = BUFFER;
  const common = { port: PORT, size, seconds, buffer };
  const receiver = start({ ...common, role: "receive", udpPort, peerUdpPort: udpPort + 1 }, seconds);
  const lines = receiver.stdout.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  const next = async (): Promise<Readonly<Record<string, number>>> => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error("usrsctp has ended: is the package libusrsctp2 installed?");
    return JSON.parse(value);
  };
  await next(); // ready
  const sender = start({ ...common, role: "send", udpPort: udpPort + 1, peerUdpPort: udpPort }, seconds);
  const { messages, ms } = await next();
  await sender.stdin.close();
  await Promise.all([receiver.status, sender.status, sender.stdout.cancel(), receiver.stdin.close()]);
  return messages! / ms! * 1000;
}

function start(task: UsrsctpTask, seconds: number): Deno.ChildProcess {
  const script = new URL("./usrsctp_process.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", script, JSON.stringify(task)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout((seconds + GRACE_SECONDS) * 1000),
  }).spawn();
}
