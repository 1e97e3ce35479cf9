/** `rsp cspmonitor`: shows the components that report their status (reference/rsplib.md §6.1). */
import { networkInterfaces } from "node:os";
import { componentLabel, CSP_PORT, Monitor } from "../../protocol/csp/mod.ts";
import type { MonitorReport } from "../../protocol/csp/mod.ts";
import { formatTransportAddress, isWildcard } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";
import { defineCommand, SERVING_EXIT_CODES } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { openDatagramReceiver, PlaceTaken } from "../driver/datagram_receiver.ts";
import type { DatagramReceiver, DatagramReceiverOptions } from "../driver/datagram_receiver.ts";
import { resolveLocal } from "../driver/host_names.ts";
import { LogLevel, openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { StandStill } from "../driver/stand_still.ts";
import { LineDisplay } from "./line_display.ts";
import type { ShownReport } from "./line_display.ts";
import { Notices } from "./notices.ts";
import { monitorOptionTable, viewSettings } from "./options.ts";
import type { MonitorOptionValues } from "./options.ts";
import type { ViewSettings } from "./settings.ts";
import { PagePlaceTaken, pageWish } from "../web/web_option.ts";
import { MonitorPage } from "./web/page.ts";
import { WindowDisplay } from "./window_display.ts";

type Options = MonitorOptionValues;

/** `rsp cspmonitor` */
export const command: Command = defineCommand({
  name: "cspmonitor",
  summary: "Shows registrars, elements and users that report their status",
  description: [
    "Every component that is started with -cspserver=ADDRESS tells this program how it is: where it runs, what it does, " +
    "its workload, and with whom it is associated. A component that ends, or falls silent, leaves.",
    "In a terminal the components fill the window: s sorts, r reverses, / filters, a shows associations, m lifts the " +
    "limits of -maxpr, -maxpe and -maxpu, p pauses, arrows scroll, q ends. In a pipe or a file there is a line whenever " +
    "something changes.",
    "There is a page for a browser, too, as a line at the start tells: the components as a graph, load and sessions over " +
    "time, what happened. With -json it takes -web.",
    "Reports are not signed. Those under a known ID that come from another host are refused and counted.",
  ],
  exitCodes: SERVING_EXIT_CODES,
  options: monitorOptionTable,
  examples: [
    { line: "rsp cspmonitor", text: "in a terminal" },
    { line: "rsp cspmonitor -full -sort=load | tee status.log", text: "a line for each change" },
    { line: "rsp cspmonitor -filter=PE -json | jq '.status'", text: "for programs" },
    {
      line: "rsp cspmonitor -web=:8080 -json",
      text: "a page for browsers of this machine, lines for programs",
    },
    { line: "rsp cspmonitor -snapshots -count=5 -json", text: "five pictures of all" },
  ],
  run,
});

async function run(context: Context<Options>): Promise<number> {
  const notices = hasWindow(context) && context.stderr.isTerminal ? new Notices(context.stderr) : undefined;
  const log = openLog({ ...context, stderr: notices ?? context.stderr });
  try {
    const problem = await watch(context, log, notices);
    if (problem === undefined) return 0;
    log.error(problem);
  } catch (error) {
    if (!(error instanceof PlaceTaken || error instanceof PagePlaceTaken)) throw error;
    log.error(error.message);
  }
  return 1;
}

/**
 * Shows components until somebody wants an end, or until nothing can be heard any more.
 *
 * @returns in the second case, a sentence that says why
 */
async function watch(
  context: Context<Options>,
  log: Log,
  notices: Notices | undefined,
): Promise<string | undefined> {
  const { options } = context, settings = viewSettings(options), isWindow = hasWindow(context);
  const wish = await pageWish(context);
  const monitor = new Monitor({ purgeIntervalMs: options.purgeinterval });
  const end = Promise.withResolvers<string | undefined>();
  const onEnd = () => end.resolve(undefined);
  const still = new StandStill(options.updateinterval, performance.now());
  await using receiver = await openReceiver(options, {
    onDatagram: (source, data) => {
      monitor.handle({ type: "datagram", source, data }, performance.now());
      tell();
    },
    onProblem: (sentence) => end.resolve(sentence),
  });
  if (!isWindow) {
    const where = formatTransportAddress(receiver.at);
    log.note(`awaiting reports at ${where}`, { event: "listening", port: receiver.at.port });
  }
  const hint = hintOf(receiver.at), { updateinterval: updateIntervalMs } = options;
  await using page = MonitorPage.open(wish, {
    at: formatTransportAddress(receiver.at),
    updateIntervalMs,
    hint,
  }, log);
  using display = isWindow
    ? openWindow(context, settings, { hint: [...hint, ...pageHint(page)], notices, onQuit: onEnd })
    : new LineDisplay({ ...options, output: context.stdout, settings });
  const tell = () => {
    for (const { report } of monitor.drain()) {
      page?.report(report, performance.now());
      if (isOfComponent(report)) display.report(report, performance.now(), new Date());
      else logReport(log, report);
    }
  };
  const update = () => {
    if (!still.look(performance.now())) monitor.tick(performance.now());
    tell();
    const now = performance.now(), time = new Date();
    display.update(monitor, now, time);
    page?.update(monitor, now, time);
    if (context.stdout.isBroken?.() === true) onEnd();
  };
  notices?.opened();
  // The first picture of a window says at once what is awaited; elsewhere there is nothing to say yet.
  if (isWindow) update();
  let updates = 0;
  const timer = setInterval(() => {
    update();
    if (++updates === options.count) onEnd();
  }, options.updateinterval);
  context.signal.addEventListener("abort", onEnd, { once: true });
  if (context.signal.aborted) onEnd();
  context.ready?.();
  try {
    return await end.promise;
  } finally {
    clearInterval(timer);
    context.signal.removeEventListener("abort", onEnd);
    notices?.closed();
  }
}

/** Whether the components fill the window of a terminal. */
function hasWindow({ stdout, options, variable }: Context<Options>): boolean {
  return stdout.isTerminal && !options.json && !options.snapshots && variable("TERM") !== "dumb";
}

interface WindowPlan {
  readonly hint: readonly string[];
  readonly notices: Notices | undefined;
  readonly onQuit: () => void;
}

function openWindow(context: Context<Options>, settings: ViewSettings, plan: WindowPlan): WindowDisplay {
  const { stdout, stdin, variable } = context;
  return new WindowDisplay({
    output: stdout,
    input: stdin,
    settings,
    color: (variable("NO_COLOR") ?? "") === "",
    hint: plan.hint,
    notice: () => plan.notices?.last ?? "",
    onQuit: plan.onQuit,
  });
}

/** Opens the socket where the options want it; without IPv6 IPv4 is good enough if nobody said where. */
async function openReceiver(
  { localaddress }: Options,
  handlers: Omit<DatagramReceiverOptions, "at">,
): Promise<DatagramReceiver> {
  const place = localaddress && await resolveLocal(localaddress);
  const port = place?.port ?? CSP_PORT;
  const [address = "::"] = place?.addresses ?? [];
  try {
    return await openDatagramReceiver({ at: { address, port }, ...handlers });
  } catch (error) {
    if (localaddress !== undefined || (error instanceof PlaceTaken && error.isInUse)) throw error;
    return await openDatagramReceiver({ at: { address: "0.0.0.0", port }, ...handlers });
  }
}

/** How components are made to report here: addresses that others reach come first. */
function hintOf(at: TransportAddress): string[] {
  const found = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    .filter(({ internal, address, family }) => !internal && !(family === "IPv6" && /^fe80:/i.test(address)));
  const [own = "127.0.0.1"] = found.map(({ address }) => address);
  const address = isWildcard(at.address) ? own : at.address;
  const server = at.port === CSP_PORT ? address : formatTransportAddress({ address, port: at.port });
  return [
    `Nothing has reported to ${
      formatTransportAddress(at)
    } (UDP) yet. Components do when they are told where:`,
    "",
    `  rsp registrar -cspserver=${server} -cspinterval=500`,
    `  rsp server -fractal -cspserver=${server} -cspinterval=500`,
    `  rsp pooluser -fractal -cspserver=${server} -cspinterval=500`,
  ];
}

/** That there is a picture for a browser, too. */
function pageHint(page: MonitorPage | undefined): string[] {
  return page === undefined ? [] : ["", "They are to be seen in a browser, too:", "", `  ${page.url}`];
}

function isOfComponent(report: MonitorReport): report is ShownReport {
  return report.type === "appeared" || report.type === "restarted" || report.type === "left";
}

/** Tells what is wrong with datagrams: once of each address, whatever it sends. */
function logReport(log: Log, report: Exclude<MonitorReport, ShownReport>): void {
  const { type, source } = report, from = formatTransportAddress(source);
  const key = `${type} ${source.address}`;
  switch (type) {
    case "malformed":
      return log.once(
        key,
        LogLevel.warning,
        `a datagram from ${from} is no status report: ${report.reason}`,
        {
          event: type,
          source: from,
        },
      );
    case "overflow":
      return log.once(
        key,
        LogLevel.warning,
        `there are too many components: ${componentLabel(report.id)} at ${from} is not shown`,
        { event: type, source: from },
      );
    case "conflict": {
      const { id, source: owner } = report.component, label = componentLabel(id);
      return log.warning(
        `${label} reports from ${
          formatTransportAddress(owner)
        }, and somebody at ${from} under the same ID: ` +
          "if both are honest, give one of them another -identifier",
        { event: type, source: from, component: label },
      );
    }
  }
}
