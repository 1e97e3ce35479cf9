/** Option `-web`: whether, and where, a command has a page for a browser. */
import type { Context } from "../command.ts";
import type { Log } from "../driver/log.ts";
import { resolveLocal } from "../driver/host_names.ts";
import type { LocalNames } from "../driver/host_names.ts";
import { OptionError, readHostSocket } from "../options.ts";
import type { HostSocket, Option } from "../options.ts";
import { formatTransportAddress } from "../../protocol/net.ts";
import type { IpAddress, TransportAddress } from "../../protocol/net.ts";
import { openWebServer } from "./web_server.ts";
import type { WebPlan, WebServer } from "./web_server.ts";

/** `auto` = nobody said anything: a page on loopback if somebody may look, and if there can be one. `on` = there must be one. */
export type WebWish<Place = TransportAddress> = "auto" | "on" | "off" | Place;

/** What the command line says: a host may be there by its name. */
export type WebChoice = WebWish<HostSocket>;

/** Ports behind a command's own that are tried before any port is good enough: as many programs have their usual places. */
const NEIGHBOUR_PORTS = 9;

/** Where pages are when nobody says it: they show, and take orders, so they are for this machine alone. */
const LOOPBACK: readonly IpAddress[] = ["127.0.0.1", "::1"];

/** @param defaultPort where the command's page usually is */
export function webOption(defaultPort: number): Option<WebChoice> {
  return {
    summary: "Where the page for a browser is; -web alone wants one at the usual place, off means none",
    valueName: "host:port|off",
    defaultValue: "auto",
    defaultText: `127.0.0.1:${defaultPort} or the next free port; with -json off`,
    repeatable: false,
    aliases: [],
    variable: "RSP_WEB",
    bareValue: "on",
    words: ["on", "off"],
    group: "Page for a browser",
    read: (value) => readWish(value, defaultPort),
  };
}

function readWish(value: string, defaultPort: number): WebChoice {
  if (value === "auto" || value === "on" || value === "off") return value;
  const port = /^:?(\d{1,5})$/.exec(value)?.[1];
  const place = readPlace(port === undefined ? value : `127.0.0.1:${port}`, defaultPort);
  if (place?.hosts.length === 1) return place;
  throw new OptionError(
    `must be on, off, a port, or an address such as 127.0.0.1:${defaultPort}, not ${JSON.stringify(value)}`,
  );
}

function readPlace(value: string, defaultPort: number): HostSocket | undefined {
  try {
    return readHostSocket(value, defaultPort);
  } catch (error) {
    if (error instanceof OptionError) return undefined; // what is right here is more than an address
    throw error;
  }
}

/**
 * What is wanted, with the first address of a host. A page that nobody asked for is for people: where a program reads the
 * output, there is none.
 *
 * @throws {OptionError} when a name has no address of this host
 */
export async function pageWish(
  { options }: Pick<Context<{ readonly web: WebChoice; readonly json: boolean }>, "options">,
  names?: LocalNames,
): Promise<WebWish> {
  const { web, json } = options;
  if (typeof web === "string") return web === "auto" && json ? "off" : web;
  const { addresses: [address = ""], port } = await resolveLocal(web, names);
  return { address, port };
}

/** The place that was wanted for a page cannot be had; the message is a sentence for people. */
export class PagePlaceTaken extends Error {
  constructor(at: TransportAddress, cause: unknown) {
    super(`no page at ${formatTransportAddress(at)}: ${placeProblem(at, cause)}`, { cause });
    this.name = "PagePlaceTaken";
  }
}

/** Why a place cannot be had, and what to do. */
function placeProblem({ address, port }: TransportAddress, cause: unknown): string {
  if (cause instanceof Deno.errors.AddrInUse) {
    return `another program holds TCP port ${port}; \`ss -ltnp\` shows it, and -web=ADDRESS:PORT names another place`;
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) return `${address} is no address of this machine`;
  if (cause instanceof Deno.errors.PermissionDenied) {
    return `port ${port} is for root alone; one above 1023 is for everybody`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Opens a command's page where it is wanted, and tells its address.
 *
 * @param defaultPort as it was given to {@linkcode webOption}
 * @returns undefined when none is wanted, or when there is no place for one that nobody asked for
 * @throws {PagePlaceTaken} when there is no place for one that somebody asked for
 */
export function openPage(
  wish: WebWish,
  defaultPort: number,
  plan: Omit<WebPlan, "at">,
  log: Log,
): WebServer | undefined {
  if (wish === "off") return undefined;
  const onProblem = (problem: unknown) =>
    log.error(`the page: ${problem instanceof Error ? problem.message : String(problem)}`, { event: "web" });
  const watched = { onProblem, ...plan };
  try {
    const server = typeof wish === "object"
      ? openAt(wish, watched)
      : openSomewhere([...Array(NEIGHBOUR_PORTS + 1).keys()].map((step) => defaultPort + step), watched);
    log.note(`page for a browser: ${server.url}`, { event: "web", url: server.url });
    return server;
  } catch (error) {
    if (!(error instanceof PagePlaceTaken) || wish !== "auto") throw error;
    log.note(error.message, { event: "web", problem: error.message });
    return undefined;
  }
}

function openAt(at: TransportAddress, plan: Omit<WebPlan, "at">): WebServer {
  try {
    return openWebServer({ ...plan, at });
  } catch (error) {
    throw new PagePlaceTaken(at, error);
  }
}

/** The first free one of some ports on loopback, or else any; a machine may have loopback addresses of one family only. */
function openSomewhere(ports: readonly number[], plan: Omit<WebPlan, "at">): WebServer {
  let problem: PagePlaceTaken | undefined;
  for (const address of LOOPBACK) {
    for (const port of [...ports, 0]) {
      try {
        return openAt({ address, port }, plan);
      } catch (error) {
        if (!(error instanceof PagePlaceTaken)) throw error;
        problem ??= error;
        if (!(error.cause instanceof Deno.errors.AddrInUse)) break; // no port of this address will do
      }
    }
  }
  throw problem!;
}
