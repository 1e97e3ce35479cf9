import { formatTransportAddress, Ppid } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";
import type { RegistrarReport } from "../../protocol/registrar/report.ts";
import { showText } from "../../protocol/wire/mod.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log, LogFields } from "../driver/log.ts";

/** A log line: how much it matters, what it says to people, and to programs. */
interface Line {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

/** Writes what a registrar reports into its log. */
export function logRegistrarReport(log: Log, report: RegistrarReport): void {
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
    case "peerHeard": {
      const { registrarId, source } = report;
      const from = formatTransportAddress(source);
      return note(`registrar ${showId(registrarId)} is present at ${from}`, {
        registrarId: showId(registrarId),
        from,
      });
    }
    default:
      return unknown(report);
  }
}

/** An ID as RSPLIB's options take it. */
export function showId(id: number): string {
  return `0x${id.toString(16).padStart(8, "0")}`;
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
