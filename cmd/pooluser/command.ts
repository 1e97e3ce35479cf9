/** `rsp pooluser` and `rsp fractalpooluser`: has fractal images computed by a pool. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { openLog } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { openOutputFile } from "../driver/output_file.ts";
import type { OutputFile } from "../driver/output_file.ts";
import { randomIdentifier } from "../driver/random.ts";
import { OptionError } from "../options.ts";
import { poolHandleOption } from "../pool/hunt.ts";
import { runClient } from "../pool/run_client.ts";
import { LiveBlock } from "../tui/screen.ts";
import { openPage, PagePlaceTaken, pageWish } from "../web/web_option.ts";
import type { WebServer } from "../web/web_server.ts";
import { FractalClient } from "../../protocol/app/fractal/client.ts";
import type { FractalClientInput, FractalClientReport } from "../../protocol/app/fractal/client_types.ts";
import { Prng } from "../../protocol/machine.ts";
import { chooseImage, ownImage } from "./choose_image.ts";
import { Course } from "./course.ts";
import { hasTrueColour, LineDisplay, LiveDisplay } from "./display.ts";
import type { Display } from "./display.ts";
import { ImageRun } from "./image_run.ts";
import { POOL_USER_PAGE_PORT, poolUserOptions } from "./options.ts";
import type { PoolUserOptionValues } from "./options.ts";
import { checkOutputs } from "./output_files.ts";
import { IMAGES_HEADER } from "./statistics_file.ts";
import { ImagePage } from "./web/image_page.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "pooluser",
  aliases: ["fractalpooluser"],
  summary: "Has fractal images computed by a server pool",
  description: [
    "Finds a registrar, resolves the pool, opens sessions with its elements, shows the image while it grows " +
    "and writes it as a PNG file. When an element fails, another one goes on where it stopped.",
    "One image is computed; RSPLIB's pool user goes on with the next one until Ctrl+C, as -images=0 does.",
    "A page for a browser shows the image, too, and who computes what; there one zooms into a region, asks for another " +
    "image or for more sessions. When the images are complete the program ends, unless a page is open; with -web it " +
    "stays until Ctrl+C.",
  ],
  exitCodes: {
    0: "The images are complete",
    1: "An image could not be completed or written",
  },
  options: poolUserOptions,
  examples: [
    { line: "rsp pooluser -fractal", text: "Compute one image into fractal.png" },
    { line: "rsp fractalpooluser -threads=9 -width=1600 -height=1000", text: "Use nine sessions" },
    { line: "rsp fractalpooluser -images=0", text: "One random image after another" },
    { line: "rsp fractalpooluser -web", text: "Compute what is asked for at the page, until Ctrl+C" },
    {
      line: "rsp fractalpooluser -config=seahorse-valley",
      text: "One of the images that come with the program",
    },
  ],
  run: (context) => runPoolUser(context),
});

async function runPoolUser(context: Context<PoolUserOptionValues>): Promise<number> {
  const { options, stdout, stderr, variable } = context;
  if (options.once && options.images !== 1) {
    throw new OptionError(`-once is one image, -images=${options.images} is not: leave one of them out`);
  }
  const live = !options.json &&
    (options.picture === "on" || (options.picture === "auto" && hasTrueColour(stdout, variable)));
  await checkOutputs(options);
  const poolHandle = poolHandleOption(options.poolhandle);
  const wish = await pageWish(context);
  const block = new LiveBlock(stdout);
  const shared = live && stderr.isTerminal;
  const log = openLog(
    shared ? { ...context, stderr: { ...stderr, write: (text) => block.print(text) } } : context,
  );
  const display = live
    ? new LiveDisplay(stdout, block, options.caption)
    : new LineDisplay(stdout, log, options.json);
  const course = openCourse(options, log);
  const statistics = openStatistics(options.statsfile, log);
  const page = new ImagePage({
    caption: options.caption,
    marks: { sessions: options.sessions, colormarks: options.colormarks },
    facts: () => course,
    onWish: (wish) => images.wish(wish),
    onPages: (count) => images.pages(count),
  });
  const displays: Display[] = [display, page];
  const images: ImageRun = new ImageRun({ context, log, course, displays, page, statistics });
  let server: WebServer | undefined;
  try {
    server = openPage(wish, POOL_USER_PAGE_PORT, page.plan(), log);
    if (server !== undefined) page.attach(server);
    return await runClient<FractalClientInput, never, FractalClientReport>(context, log, {
      sessions: options.threads,
      status: images.status,
      wrap: (client) => {
        const prng = new Prng(randomIdentifier());
        return new FractalClient(client, { poolHandle, receiveTimeoutMs: options.recvtimeout, prng });
      },
      onEffect: () => {},
      onReport: (report) => images.report(report),
      work: (driver) => images.run(driver),
    });
  } catch (error) {
    if (!(error instanceof PagePlaceTaken)) throw error;
    log.error(error.message, { event: "web" });
    return 1;
  } finally {
    await statistics?.close();
    for (const one of displays) one.end();
    await server?.[Symbol.asyncDispose]();
  }
}

/** Chooses the first image, so that a wrong file is found before the network is opened. */
function openCourse(options: PoolUserOptionValues, log: Log): Course {
  const choose = () => chooseImage(options, log, Math.random);
  return new Course({
    images: options.images,
    intervalMs: 1000 * options.interimagetime,
    stays: options.web !== "auto" && options.web !== "off",
    sessions: options.threads,
    first: choose(),
    choose,
    named: (name) => ownImage(name, options),
    onProblem: (problem) => log.warning(problem, { event: "imageFile" }),
  });
}

function openStatistics(path: string | undefined, log: Log): OutputFile | undefined {
  if (path === undefined) return undefined;
  const onProblem = (sentence: string) => log.warning(sentence, { event: "statistics" });
  const file = openOutputFile({ path, option: "statsfile", onProblem });
  file.write(IMAGES_HEADER);
  return file;
}
