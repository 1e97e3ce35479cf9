/** `rsp pooluser` and `rsp fractalpooluser`: has fractal images computed by a pool. */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { drive, stopMachine } from "../driver/drive.ts";
import type { Driver } from "../driver/drive.ts";
import { fileProblem } from "../driver/file_problem.ts";
import { LogLevel, openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { pause } from "../driver/pause.ts";
import { randomIdentifier, randomObject } from "../driver/random.ts";
import { locationOf, reportStatus, statusPlan } from "../driver/status_reports.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError } from "../options.ts";
import { describeReport, line, showId } from "../server/describe_reports.ts";
import type { LogLine } from "../server/describe_reports.ts";
import { announceChannels, poolHandleOption, registrarOptions } from "../server/run_service.ts";
import { LiveBlock } from "../tui/screen.ts";
import { FractalClient } from "../../protocol/app/fractal/client.ts";
import type {
  FractalClientEffect,
  FractalClientInput,
  FractalClientReport,
  FractalPoints,
  ImageStatistics,
} from "../../protocol/app/fractal/client.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import { Prng } from "../../protocol/machine.ts";
import { ComponentGroup, componentId, UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import type { Instant, Transport } from "../../protocol/net.ts";
import { SessionClient, sessionClientEndpoints } from "../../protocol/session/mod.ts";
import type { SessionClientReport } from "../../protocol/session/types.ts";
import { chooseImage } from "./choose_image.ts";
import { hasTrueColour, LineDisplay, LiveDisplay } from "./display.ts";
import type { Display, ImageProgress } from "./display.ts";
import { poolUserOptions } from "./options.ts";
import type { PoolUserOptionValues } from "./options.ts";
import { Picture } from "./picture.ts";

/** Time for the sessions to end in order before their associations are left to SHUTDOWN. */
const STOP_LIMIT_MS = 3000;

/** The command. */
export const command: Command = defineCommand({
  name: "pooluser",
  aliases: ["fractalpooluser"],
  summary: "Has fractal images computed by a server pool",
  description: [
    "Finds a registrar, resolves the pool, opens sessions with its elements, shows the image while it grows " +
    "and writes it as a PNG file. When an element fails, another one goes on where it stopped.",
    "Exit codes: 0 the images are complete, 1 an image could not be completed or written, 2 the command " +
    "line is wrong.",
  ],
  options: poolUserOptions,
  examples: [
    { line: "rsp pooluser -fractal", text: "Compute one image into fractal.png" },
    { line: "rsp fractalpooluser -threads=9 -width=1600 -height=1000", text: "Use nine sessions" },
    { line: "rsp fractalpooluser -images=0 -configdir=fgpconfig", text: "One random image after another" },
  ],
  run: (context) => runPoolUser(context),
});

async function runPoolUser(context: Context<PoolUserOptionValues>): Promise<number> {
  const { options, stdout, stderr, variable } = context;
  const live = !options.json &&
    (options.picture === "on" || (options.picture === "auto" && hasTrueColour(stdout, variable)));
  await checkOutput(options.output);
  const poolHandle = poolHandleOption(options.poolhandle);
  const block = new LiveBlock(stdout);
  const shared = live && stderr.isTerminal;
  const log = openLog(
    shared ? { ...context, stderr: { ...stderr, write: (text) => block.print(text) } } : context,
  );
  const display = live
    ? new LiveDisplay(stdout, block, options.caption)
    : new LineDisplay(stdout, log, options.json);
  // Here already, so that a wrong file is found before the network is opened.
  const firstImage = chooseImage(options, log, Math.random);
  const channels = announceChannels(options);
  const plan = await statusPlan(options);
  const client = new SessionClient({ seed: randomIdentifier(), ...await registrarOptions(options) });
  const prng = new Prng(randomIdentifier());
  const machine = new FractalClient(client, { poolHandle, receiveTimeoutMs: options.recvtimeout, prng });
  const user = new PoolUserProgram(context, log, display, firstImage);
  let transport: Transport | undefined;
  let driver: Driver<FractalClientInput> | undefined;
  let reports: AsyncDisposable | undefined;
  try {
    transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    driver = drive<FractalClientInput, FractalClientEffect>(machine, {
      transport,
      endpoints: sessionClientEndpoints(options.threads),
      channels,
      onProblem: (sentence, channel) => log.once(channel, LogLevel.warning, sentence),
      onEffect: (effect) => {
        if (effect.type === "report") user.report(effect.report);
      },
    });
    driver.input({ type: "start" });
    if (plan !== undefined) {
      const sender = componentId(ComponentGroup.user, options.identifier ?? randomObject());
      const location = locationOf(driver.endpoint("hunt"), false);
      const status = (now: Instant) => user.status.status(location, now);
      reports = reportStatus({ ...plan, sender, status, transport, log });
    }
    const exitCode = await user.run(driver);
    await stopMachine(driver, STOP_LIMIT_MS);
    return exitCode;
  } catch (error) {
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  } finally {
    display.end();
    await reports?.[Symbol.asyncDispose]();
    await driver?.close();
    await transport?.close();
  }
}

/** The images one after another, and what is shown of them. */
class PoolUserProgram {
  /** For a monitor. */
  readonly status: UserStatus = new UserStatus(Ppid.fractalGenerator);
  #messageCount = 0;
  readonly #context: Context<PoolUserOptionValues>;
  readonly #log: Log;
  readonly #display: Display;
  readonly #firstImage: FractalParameter;
  #progress: ImageProgress | undefined;
  #completed: ((statistics: ImageStatistics) => void) | undefined;

  constructor(
    context: Context<PoolUserOptionValues>,
    log: Log,
    display: Display,
    firstImage: FractalParameter,
  ) {
    this.#firstImage = firstImage;
    this.#context = context;
    this.#log = log;
    this.#display = display;
  }

  /** Computes the images. Resolves with the exit code. */
  async run(driver: Driver<FractalClientInput>): Promise<number> {
    const { options, signal } = this.#context;
    for (let image = 1; options.images === 0 || image <= options.images; image++) {
      if (image > 1 && !await pause(1000 * options.interimagetime, signal)) break;
      const statistics = await this.#compute(driver, image);
      if (statistics === "ended") {
        const text = `ended before image ${image} was complete`;
        this.#log.note(text, { event: "ended" });
        this.#display.status(text);
        return options.images === 0 ? 0 : 1;
      }
      if (statistics === "late") {
        const text = `image ${image} is not complete after ${options.timeout} s`;
        this.#log.error(text, { event: "timeout" });
        this.#display.status(text);
        return 1;
      }
      const file = options.output.replaceAll("%d", String(image));
      try {
        await writeFile(file, this.#progress!.picture.png());
      } catch (error) {
        this.#log.error(`cannot write ${file}: ${fileProblem(error)}`);
        return 1;
      }
      this.#display.completed(this.#progress!, statistics, file);
    }
    return 0;
  }

  /** Takes a report of the machine. */
  report(report: FractalClientReport | SessionClientReport): void {
    this.#note(report);
    if (report.type === "points") {
      this.#paint(report);
      return;
    }
    if (report.type === "imageCompleted") this.#completed?.(report.statistics);
    const { level, text, fields } = describeClient(report) ??
      describeReport(report as SessionClientReport);
    this.#log.write(level, text, fields);
    if (level <= LogLevel.note) this.#display.status(text);
  }

  /** What a monitor may want to know, in the words of RSPLIB's program. */
  #note(report: FractalClientReport | SessionClientReport): void {
    switch (report.type) {
      case "imageStarted":
        this.#messageCount = 0;
        return;
      case "partRequested":
        return this.status.says("Requesting calculation ...");
      case "points": {
        const element = report.elementId.toString(16).padStart(8, "0");
        return this.status.says(`Processed packet #${++this.#messageCount} of PE $${element}`);
      }
      case "imageCompleted":
        return this.status.says("Image completed!");
      case "partFailover":
      case "partResumed":
      case "partIncomplete":
      case "partInvalid":
      case "partCompleted":
        return;
      default:
        this.status.report(report, performance.now());
    }
  }

  #paint(points: FractalPoints): void {
    const progress = this.#progress;
    if (progress === undefined) return;
    const { options } = this.#context;
    progress.picture.paint(points, {
      run: options.colormarks ? progress.image - 1 : 0,
      peChanges: options.colormarks ? points.peChanges : 0,
      session: options.sessions ? points.part : 0,
    });
    progress.missing = points.missing;
    const before = progress.elements.get(points.elementId) ?? 0;
    progress.elements.set(points.elementId, before + points.values.length);
    this.#display.grown(progress, points);
  }

  async #compute(
    driver: Driver<FractalClientInput>,
    image: number,
  ): Promise<ImageStatistics | "ended" | "late"> {
    const { options, signal } = this.#context;
    const parameter = image === 1 ? this.#firstImage : chooseImage(options, this.#log, Math.random);
    this.#progress = {
      image,
      parameter,
      picture: new Picture(parameter.width, parameter.height),
      startedAt: performance.now(),
      missing: parameter.width * parameter.height,
      elements: new Map(),
    };
    this.#display.started(this.#progress);
    const outcome = Promise.withResolvers<ImageStatistics | "ended" | "late">();
    const onEnd = () => outcome.resolve("ended");
    const timer = options.timeout === 0
      ? undefined
      : setTimeout(() => outcome.resolve("late"), 1000 * options.timeout);
    this.#completed = outcome.resolve;
    signal.addEventListener("abort", onEnd);
    if (signal.aborted) onEnd();
    driver.input({ type: "image", parameter, sessions: options.threads });
    try {
      return await outcome.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onEnd);
    }
  }
}

/** Finds out before the work starts that its result could not be written. */
async function checkOutput(path: string): Promise<void> {
  const folder = dirname(path);
  if (!await isFolder(folder)) throw new OptionError(`option -output: there is no folder ${folder}`);
  if (path.endsWith("/") || await isFolder(path)) {
    throw new OptionError(`option -output: ${path} is a folder, not a file to write`);
  }
  const target = await stat(path).then(() => path, () => folder);
  await access(target, constants.W_OK).catch(() => {
    throw new OptionError(`option -output: ${target} may not be written`);
  });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}

/** A line for a report of the fractal machine; undefined for one of the session layer. */
function describeClient(report: FractalClientReport | SessionClientReport): LogLine | undefined {
  const { note, warning, action, verbose } = LogLevel;
  switch (report.type) {
    case "imageStarted":
      return line(action, `the image is computed in ${report.parts.length} sessions`, "imageCut", {
        parts: report.parts.length,
      });
    case "partRequested":
      return line(
        action,
        `part ${report.part + 1}: ${showId(report.elementId)} is to compute ${report.points} points`,
        report.type,
        { part: report.part, element: showId(report.elementId), points: report.points },
      );
    case "partResumed":
      return line(
        note,
        `part ${report.part + 1}: ${showId(report.elementId)} goes on from the cookie`,
        report.type,
        { part: report.part, element: showId(report.elementId) },
      );
    case "partFailover":
      return line(
        note,
        `part ${report.part + 1}: failover from ${showId(report.elementId)} ` +
          `(cookie: ${report.hasCookie ? "yes" : "no"}): ${report.reason}`,
        report.type,
        {
          part: report.part,
          element: showId(report.elementId),
          cookie: report.hasCookie,
          reason: report.reason,
        },
      );
    case "partIncomplete":
      return line(
        warning,
        `part ${report.part + 1}: ${
          showId(report.elementId)
        } left ${report.missing} points out; asking again`,
        report.type,
        { part: report.part, element: showId(report.elementId), missing: report.missing },
      );
    case "partInvalid":
      return line(
        warning,
        `part ${report.part + 1}: ${showId(report.elementId)} sent what cannot be used: ${report.reason}`,
        report.type,
        { part: report.part, element: showId(report.elementId), reason: report.reason },
      );
    case "partCompleted":
      return line(action, `part ${report.part + 1}: complete`, report.type, { part: report.part });
    case "imageCompleted":
      return line(verbose, "all points of the image are there", "imageComplete");
    default:
      return undefined;
  }
}
