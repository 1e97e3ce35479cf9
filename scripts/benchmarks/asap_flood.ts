/** A registrar under a flood: how long honest users wait, and how much memory it takes. */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { HOSTILITIES } from "./hostile_process.ts";
import type { HostileReport, HostileTask, Hostility } from "./hostile_process.ts";
import { HonestPeople } from "./honest_users.ts";
import type { Waits } from "./honest_users.ts";
import { delay, quantile, type Result, round, type Settings } from "./result.ts";

/** Loopback, and ports that are nobody's. */
const ADDRESS = "127.0.0.1", ASAP_PORT = 38_631, ENRP_PORT = 39_011;

const POOL = "HonestPool",
  ELEMENT_IDS: readonly number[] = Array.from({ length: 20 }, (_, n) => 0x7000_0001 + n);
const USERS = 20;

/** Processes that the hostile associations are spread over. */
const HOSTILE_PROCESSES = 2;

/** The goal: 99 of 100 answers within this time. */
const GOAL_MS = 50;

/** A thousand hostile associations against twenty honest users and twenty elements. */
export async function asapFlood(
  { associations = 1000, seconds, hostilities }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  const registrar = startRegistrar();
  const transport = openEmbeddedTransport({ raw: "off", maxMtu: 1500 });
  const hostiles: HostileProcess[] = [];
  try {
    await delay(1500);
    const people = new HonestPeople(transport, ASAP_PORT, POOL, ELEMENT_IDS, USERS);
    await Promise.all(people.elements.map(({ registered }) => registered));
    await people.measure(1000); // the first ones pay for the compiler
    const durationMs = 1000 * Math.max(5, seconds);
    emit(resultOf("before the flood", await people.measure(durationMs), memoryOf(registrar.pid)));
    for (let n = 0; n < HOSTILE_PROCESSES; n++) {
      hostiles.push(
        new HostileProcess({
          port: ASAP_PORT,
          associations: Math.ceil(associations / HOSTILE_PROCESSES),
          hostilities: hostilities?.map(hostilityNamed),
          victims: { pool: POOL, elementIds: ELEMENT_IDS },
        }),
      );
    }
    await Promise.all(hostiles.map((hostile) => hostile.up));
    await delay(2000);
    const memory = { ...memoryOf(registrar.pid) };
    const watch = setInterval(() => {
      memory.rssMegabytes = Math.max(memory.rssMegabytes, memoryOf(registrar.pid).rssMegabytes);
    }, 250);
    const before = processorOf(registrar.pid);
    const waits = await people.measure(durationMs);
    const after = processorOf(registrar.pid);
    clearInterval(watch);
    const sums = await Promise.all(hostiles.map((hostile) => hostile.end()));
    const total = (name: "messages" | "answers" | "reconnects") =>
      sums.reduce((sum, one) => sum + one[name], 0);
    emit({
      ...resultOf(`${associations} hostile associations`, waits, memory, {
        // Honest users wait when the registrar does: a busy machine is to be seen here.
        registrarRan: round((after.ranMs - before.ranMs) / durationMs, 2),
        registrarWaited: round((after.waitedMs - before.waitedMs) / durationMs, 2),
        floodAnswers: total("answers"),
        floodMessages: total("messages"),
        reconnects: total("reconnects"),
      }),
      target: {
        figure: "withinGoal",
        reference: `99 % within ${GOAL_MS} ms`,
        referenceValue: 0.99,
        factor: 1,
      },
    });
    people.end();
  } finally {
    for (const hostile of hostiles) hostile.kill();
    registrar.kill("SIGTERM");
    await registrar.status;
    await transport.close();
  }
}

function startRegistrar(): Deno.ChildProcess {
  const main = new URL("../../cmd/main.ts", import.meta.url).pathname;
  const options = [
    ...["-transport=embedded", `-asap=${ADDRESS}:${ASAP_PORT}`, `-enrp=${ADDRESS}:${ENRP_PORT}`],
    ...["-asapannounce=off", "-enrpannounce=off", "-loglevel=1", "-mentordiscoverytimeout=1000"],
  ];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", main, "registrar", ...options],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** Memory of a process as the kernel sees it. */
function memoryOf(pid: number): { rssMegabytes: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return { rssMegabytes: Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) / 1024) };
}

/** How long the main thread of a process ran, and how long it waited for a processor. */
function processorOf(pid: number): { readonly ranMs: number; readonly waitedMs: number } {
  const [ran = 0, waited = 0] = Deno.readTextFileSync(`/proc/${pid}/schedstat`).split(" ").map(Number);
  return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
}

function hostilityNamed(name: string): Hostility {
  const found = HOSTILITIES.find((hostility) => hostility === name);
  if (found !== undefined) return found;
  throw new Error(`Cannot be hostile by "${name}": there are ${HOSTILITIES.join(", ")}`);
}

function resultOf(
  what: string,
  { times, disappointments, losses }: Waits,
  { rssMegabytes }: { readonly rssMegabytes: number },
  more: Readonly<Record<string, number>> = {},
): Result {
  return {
    name: "flood",
    what,
    figures: {
      resolutions: times.length,
      medianMs: round(quantile(times, 0.5), 2),
      p99Ms: round(quantile(times, 0.99), 2),
      longestMs: round(times.at(-1) ?? 0, 1),
      withinGoal: round(times.filter((ms) => ms <= GOAL_MS).length / times.length, 4),
      emptyAnswers: disappointments,
      lostAssociations: losses,
      registrarMegabytes: rssMegabytes,
      ...more,
    },
  };
}

/** A `hostile_process.ts`, seen from here. */
class HostileProcess {
  readonly #process: Deno.ChildProcess;
  readonly #up = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<Extract<HostileReport, { type: "done" }>>();

  constructor(task: HostileTask) {
    const path = new URL("./hostile_process.ts", import.meta.url).pathname;
    // It stands for other machines: it takes what computing time the registrar and the honest ones leave.
    this.#process = new Deno.Command("nice", {
      args: [
        "-n",
        "19",
        Deno.execPath(),
        "run",
        "--quiet",
        "--allow-all",
        "--no-check",
        path,
        JSON.stringify(task),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#read();
  }

  /** Resolves when all its associations are up. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  /** Ends the flood. */
  async end(): Promise<Extract<HostileReport, { type: "done" }>> {
    await this.#process.stdin.close();
    return await this.#done.promise;
  }

  /** Ends it without a word to the registrar. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const report: HostileReport = JSON.parse(line);
        if (report.type === "up") this.#up.resolve();
        else this.#done.resolve(report);
      }
    }
  }
}
