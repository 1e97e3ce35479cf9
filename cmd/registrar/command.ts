/** `rsp registrar`: the registrar of an operation scope (RFC 5352; reference/rsplib.md §1.3 and §3.8). */
import { formatTransportAddress, isIpv4 } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { Registrar } from "../../protocol/registrar/mod.ts";
import type { RegistrarOptions } from "../../protocol/registrar/mod.ts";
import { networkInterfaces } from "node:os";
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, DrivenEndpoint, Driver } from "../driver/drive.ts";
import { ASAP_ANNOUNCE_GROUP, ENRP_PRESENCE_GROUP, groupOf } from "../driver/groups.ts";
import { Log, LogLevel, openLog } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import { OptionError } from "../options.ts";
import type { OptionValues, Socket } from "../options.ts";
import { registrarOptionTable } from "./options.ts";
import { logRegistrarReport } from "./report_line.ts";

type Options = OptionValues<typeof registrarOptionTable>;

/** Time for the machine to end in order before it is left to its associations' SHUTDOWN. */
const STOP_LIMIT_MS = 3000;

/** `rsp registrar` */
export const command: Command = defineCommand({
  name: "registrar",
  aliases: ["rspregistrar"],
  summary: "Registrar: knows which servers are in which pool",
  description: [
    "Announces itself by multicast, so that servers and users find it by themselves; takes registrations of servers " +
    "(pool elements), watches over them by keep-alives, and tells users (pool users) who is in a pool.",
  ],
  options: registrarOptionTable,
  examples: [
    { line: "rsp registrar", text: "the well-known ports and groups" },
    { line: "rsp registrar -asap=10.1.0.1,10.2.0.1:3863", text: "two addresses, one port" },
    { line: "rsp registrar -loglevel=4 -json", text: "every action, as JSON" },
  ],
  run,
});

async function run(context: Context<Options>): Promise<number> {
  const { options, signal } = context;
  const groups = channels(options);
  const endpoints = { asap: endpoint("asap", options, 3863), enrp: endpoint("enrp", options, 9901) };
  const log = openLog(
    options.quiet ? { ...context, options: { ...options, loglevel: LogLevel.warning } } : context,
  );
  try {
    const transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => log.warning(sentence, { event: "capture" }),
    });
    log.note(`SCTP is carried by ${transport.description}`, { event: "transport", kind: transport.kind });
    try {
      const driver = drive(new Registrar(machineOptions(options)), {
        transport,
        endpoints,
        channels: groups,
        onEffect: (effect) => {
          if (effect.type === "report") logRegistrarReport(log, effect.report);
        },
        onProblem: (sentence, channel) =>
          log.warning(`${channel}: ${sentence}`, { event: "multicast", channel }),
      });
      driver.input({ type: "start" });
      tellPlace(log, driver, endpoints, groups);
      await runUntil(signal, driver);
    } finally {
      await transport.close();
    }
  } catch (error) {
    log.error(transportFailure(error), { event: "failed" });
    return 1;
  }
  log.note("terminated", { event: "terminated" });
  return 0;
}

/** Runs until the user wants an end, then ends in order. */
async function runUntil(
  signal: AbortSignal,
  driver: Driver<{ readonly type: "start" | "stop" }>,
): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }
  await stopMachine(driver, STOP_LIMIT_MS);
  await driver.close();
}

/** Says what a user has to know to reach this registrar by hand. */
function tellPlace(
  log: Log,
  driver: Driver<never>,
  endpoints: { readonly asap: DrivenEndpoint },
  groups: Readonly<Record<string, ChannelOptions>>,
): void {
  const announce = groups["asap-announce"];
  const where = announce === undefined
    ? "announces are off"
    : `announces go to ${formatTransportAddress(announce.group)}`;
  const asapPort = driver.endpoint("asap").port, enrpPort = driver.endpoint("enrp").port;
  if (endpoints.asap.elseEphemeral === true && asapPort !== endpoints.asap.port) {
    log.note(
      `SCTP port ${endpoints.asap.port} is in use, by another registrar or the like: took another one`,
      {
        event: "portInUse",
        port: endpoints.asap.port,
      },
    );
  }
  log.note(`ASAP has SCTP port ${asapPort}, ENRP ${enrpPort}; ${where}`, {
    event: "ports",
    asapPort,
    enrpPort,
  });
}

function machineOptions(options: Options): RegistrarOptions {
  const scope = options.minaddressscope;
  return {
    registrarId: options.identifier ?? randomIdentifier(),
    seed: randomIdentifier(),
    announceIntervalMs: options.serverannouncecycle,
    keepAliveIntervalMs: options.endpointkeepalivetransmissioninterval,
    keepAliveTimeoutMs: options.endpointkeepalivetimeoutinterval,
    maxBadReports: options.maxbadpereports,
    maxResolutionItems: options.maxhresitems,
    minAddressScope: scope === "sitelocal" ? "site-local" : scope,
  };
}

/** The endpoint that `-asap` or `-enrp` asks for: the well-known port when it is free, unless one was named. */
function endpoint(name: "asap" | "enrp", options: Options, port: number): DrivenEndpoint {
  const chosen: "auto" | Socket | undefined = options[name];
  const common: DrivenEndpoint = {
    listen: true,
    sackFrequency: 1,
    autoCloseMs: options.autoclosetimeout * 1000,
  };
  if (chosen === undefined || chosen === "auto") {
    return {
      ...common,
      port,
      elseEphemeral: true,
      addresses: options["disable-ipv6"] ? ipv4Addresses() : [],
    };
  }
  const addresses = chosen.addresses.filter((address) => address !== "0.0.0.0" && address !== "::");
  if (options["disable-ipv6"] && addresses.some((address) => !isIpv4(address))) {
    throw new OptionError(`option -${name} names an IPv6 address, and -disable-ipv6 forbids them`);
  }
  return { ...common, port: chosen.port, addresses };
}

/** The IPv4 addresses of this host. */
function ipv4Addresses(): IpAddress[] {
  return Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
    .filter(({ family }) => family === "IPv4").map(({ address }) => address);
}

function channels(options: Options): Record<string, ChannelOptions> {
  const announce = groupOf("asapannounce", options.asapannounce, ASAP_ANNOUNCE_GROUP);
  const presence = groupOf("enrpannounce", options.enrpannounce, ENRP_PRESENCE_GROUP);
  return {
    ...(announce !== undefined && { "asap-announce": { group: announce, sendFrom: "asap" } }),
    ...(presence !== undefined && { "enrp-presence": { group: presence, hear: true } }),
  };
}
