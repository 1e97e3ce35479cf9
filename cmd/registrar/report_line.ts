import { formatTransportAddress, Ppid } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";
import { showId } from "../../protocol/param/describe.ts";
import type { MessageReport, RegistrarReport } from "../../protocol/registrar/report.ts";
import { showText } from "../../protocol/wire/mod.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log, LogFields } from "../driver/log.ts";

/** A log line: how much it matters, what it says to people, and to programs. */
interface Line {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

/** Reports that come with requests: to say them takes longer than to serve the request, so that is done to be shown only. */
const FREQUENT: Partial<Record<RegistrarReport["type"], LogLevel>> = {
  associationUp: LogLevel.action,
  associationDown: LogLevel.action,
  resolved: LogLevel.action,
  registered: LogLevel.note,
  deregistered: LogLevel.note,
  poolUnknown: LogLevel.note,
  unreachable: LogLevel.note,
  updated: LogLevel.action,
};

/** The level of a report's line, or one below it. */
export function leastLevelOf(report: RegistrarReport): LogLevel {
  return report.type === "registered" && report.again
    ? LogLevel.action
    : FREQUENT[report.type] ?? LogLevel.none;
}

/** Writes what a registrar reports into its log. */
export function logRegistrarReport(log: Log, report: RegistrarReport): void {
  if (!log.shows(leastLevelOf(report))) return;
  const { level, text, fields } = registrarLine(report);
  log.write(level, text, { event: report.type, ...fields });
}

/** A registrar's report as a log line. */
export function registrarLine(report: RegistrarReport): Line {
  switch (report.type) {
    case "started": {
      const { registrarId, asap } = report;
      const text = `registrar ${showId(registrarId)} serves ASAP (PPID ${Ppid.asap}) on ${
        showAddresses(asap)
      }`;
      return note(text, { registrarId: showId(registrarId), asap: addressTexts(asap) });
    }
    case "associationUp": {
      const { association, endpoint, peer } = report;
      const text = `association ${association} (${endpoint}) is up: ${showAddresses(peer)}`;
      return action(text, { association, endpoint, peer: addressTexts(peer) });
    }
    case "associationDown": {
      const { association, endpoint, reason } = report;
      return action(`association ${association} (${endpoint}) is down: ${reason}`, {
        association,
        endpoint,
        reason,
      });
    }
    case "registered": {
      const { addresses, policy, association, again } = report;
      const where = `at ${showAddresses(addresses)}, policy ${policy}`;
      const text = `${element(report)} ${again ? "registered again" : "registered"} ${where}`;
      const fields = {
        ...elementFields(report),
        addresses: addressTexts(addresses),
        policy,
        association,
        again,
      };
      return again ? action(text, fields) : note(text, fields);
    }
    case "refused": {
      const { association, causeCode, reason } = report;
      const fields = { ...elementFields(report), association, causeCode, reason };
      return warning(`${element(report)} was refused: ${reason}`, fields);
    }
    case "deregistered":
      return note(`${element(report)} deregistered`, {
        ...elementFields(report),
        association: report.association,
      });
    case "removed":
      return warning(`${element(report)} was removed: ${report.reason}`, {
        ...elementFields(report),
        reason: report.reason,
      });
    case "resolved": {
      const { poolHandle, association, elementIds } = report;
      const ids = elementIds.map(showId);
      const text = `pool ${showText(poolHandle)} was resolved for association ${association}: ${
        ids.join(" ")
      }`;
      return action(text, { poolHandle: showText(poolHandle), association, elementIds: ids });
    }
    case "poolUnknown": {
      const { poolHandle, association } = report;
      const text = `association ${association} asks for pool ${showText(poolHandle)}, which has no elements`;
      return note(text, { poolHandle: showText(poolHandle), association });
    }
    case "unreachable": {
      const { association, count, limit } = report;
      const fields = { ...elementFields(report), association, count, limit };
      return note(`${element(report)} was reported unreachable (${count} of ${limit})`, fields);
    }
    case "offence":
      return warning(`${report.source} broke the rules: ${report.reason}`, {
        source: report.source,
        reason: report.reason,
      });
    case "limit":
      return warning(`${report.source} met a limit: ${report.reason}`, {
        source: report.source,
        reason: report.reason,
      });
    case "inService":
    case "peerUp":
    case "peerDown":
    case "synchronized":
    case "takeover":
    case "updated":
      return peerLine(report);
    case "message":
      return messageLine(report);
    default:
      return unknown(report);
  }
}

type PeerReport = Extract<
  RegistrarReport,
  { readonly type: "inService" | "peerUp" | "peerDown" | "synchronized" | "takeover" | "updated" }
>;

/** What has to do with other registrars. */
function peerLine(report: PeerReport): Line {
  switch (report.type) {
    case "inService": {
      const { mentorId, elementCount } = report;
      const how = mentorId === undefined
        ? "without a mentor"
        : `with ${elementCount} elements; its mentor is ${showId(mentorId)}`;
      return note(`in service, ${how}`, {
        ...(mentorId !== undefined && { mentorId: showId(mentorId) }),
        elementCount,
      });
    }
    case "peerUp": {
      const addresses = addressTexts(report.addresses);
      const registrarId = showId(report.registrarId);
      return note(`registrar ${registrarId} is a peer, at ${addresses.join(" ")}`, {
        registrarId,
        addresses,
      });
    }
    case "peerDown": {
      const { reason } = report;
      const registrarId = showId(report.registrarId);
      return note(`registrar ${registrarId} is no peer any more: ${reason}`, { registrarId, reason });
    }
    case "synchronized": {
      const { cause, elementCount, purgedCount } = report;
      const registrarId = showId(report.registrarId);
      const text = `took ${elementCount} elements from registrar ${registrarId} (${cause}), ` +
        `dropped ${purgedCount}`;
      return note(text, { registrarId, cause, elementCount, purgedCount });
    }
    case "takeover": {
      const { stage, elementCount } = report;
      const targetId = showId(report.targetId), registrarId = showId(report.registrarId);
      const text = `takeover of registrar ${targetId} by ${registrarId}: ${stage}` +
        (stage === "completed" ? `, ${elementCount} elements` : "");
      return note(text, { stage, targetId, registrarId, elementCount });
    }
    case "updated": {
      const { action: what } = report;
      const registrarId = showId(report.registrarId);
      return action(`${element(report)}: ${what} by registrar ${registrarId}`, {
        ...elementFields(report),
        action: what,
        registrarId,
      });
    }
    default:
      return unknown(report);
  }
}

function messageLine(report: MessageReport): Line {
  const { direction, protocol, message, association, multicast, poolHandle, elementId, causeCode } = report;
  const way = direction === "send" ? "to" : "from";
  const place = multicast ? "the group" : `association ${association}`;
  const about = [
    ...(poolHandle === undefined ? [] : [`pool ${showText(poolHandle)}`]),
    ...(elementId === undefined ? [] : [`element ${showId(elementId)}`]),
    ...registrarIds(report).map(([name, id]) => `${name} ${id}`),
    ...(causeCode === 0 ? [] : [`cause 0x${causeCode.toString(16)}`]),
  ];
  const text = `${protocol.toUpperCase()} ${message} ${way} ${place}: ${about.join(", ")}`.replace(/: $/, "");
  const fields = {
    direction,
    protocol,
    message,
    multicast,
    ...(association !== undefined && { association }),
    ...(poolHandle !== undefined && { poolHandle: showText(poolHandle) }),
    ...(elementId !== undefined && { elementId: showId(elementId) }),
    ...Object.fromEntries(registrarIds(report).map(([name, id]) => [`${name}Id`, id])),
    ...(causeCode !== 0 && { causeCode }),
  };
  return { level: LogLevel.verbose, text, fields };
}

function registrarIds({ senderId, receiverId, targetId }: MessageReport): [string, string][] {
  const ids = [["sender", senderId], ["receiver", receiverId], ["target", targetId]] as const;
  return ids.flatMap(([name, id]): [string, string][] => id === undefined ? [] : [[name, showId(id)]]);
}

interface OfElement {
  readonly poolHandle: Uint8Array;
  readonly elementId: number;
}

function element({ poolHandle, elementId }: OfElement): string {
  return `pool ${showText(poolHandle)}: element ${showId(elementId)}`;
}

function elementFields({ poolHandle, elementId }: OfElement): LogFields {
  return { poolHandle: showText(poolHandle), elementId: showId(elementId) };
}

function addressTexts(addresses: readonly TransportAddress[]): string[] {
  return addresses.map(formatTransportAddress);
}

function showAddresses(addresses: readonly TransportAddress[]): string {
  return addressTexts(addresses).join(" ") || "no address yet";
}

function note(text: string, fields: LogFields): Line {
  return { level: LogLevel.note, text, fields };
}

function action(text: string, fields: LogFields): Line {
  return { level: LogLevel.action, text, fields };
}

function warning(text: string, fields: LogFields): Line {
  return { level: LogLevel.warning, text, fields };
}

function unknown(report: never): never {
  throw new TypeError(`Cannot log report ${JSON.stringify(report)}`);
}
