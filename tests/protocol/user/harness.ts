import { readAsap, writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { Outbox } from "../../../protocol/machine.ts";
import type {
  AssociationId,
  DownReason,
  IpAddress,
  TransportCommand,
  TransportEvent,
} from "../../../protocol/net.ts";
import type { HuntEffect } from "../../../protocol/user/hunt.ts";

/** The commands that something gave to its hunt endpoint, and events for it. */
export class HuntPeer {
  readonly outbox: Outbox<HuntEffect> = new Outbox();
  readonly commands: TransportCommand[] = [];
  readonly reports: string[] = [];

  /** Takes what was asked for since the last call. */
  commandsNow(): TransportCommand[] {
    const before = this.commands.length;
    for (const effect of this.outbox.drain()) {
      if (effect.type === "transport") this.commands.push(effect.command);
      else if (effect.type === "report") this.reports.push(effect.report.type);
    }
    return this.commands.slice(before);
  }

  /** The same in short: `connect 1 10.1.1.1`, `send 7 handleResolution`, `abort 7`. */
  now(): string[] {
    return this.commandsNow().map((command) => {
      switch (command.type) {
        case "connect":
          return `connect ${command.request} ${command.addresses.join("+")}`;
        case "send":
          return `send ${command.association} ${readAsap(command.data).type}`;
        default:
          return "association" in command ? `${command.type} ${command.association}` : "";
      }
    });
  }
}

export function up(
  association: AssociationId,
  request: number | undefined,
  ...peerAddresses: IpAddress[]
): TransportEvent {
  return {
    type: "up",
    association,
    request,
    peerAddresses,
    peerPort: 3863,
    outboundStreams: 1,
    inboundStreams: 1,
  };
}

export function down(
  association: AssociationId,
  request?: number,
  reason: DownReason = "refused",
): TransportEvent {
  return { type: "down", association, request, reason, origin: "peer", cause: undefined };
}

export function message(association: AssociationId, asap: AsapMessage | Uint8Array): TransportEvent {
  const data = asap instanceof Uint8Array ? asap : writeAsap(asap);
  return { type: "message", association, stream: 0, ssn: 0, tsn: 0, ppid: 11, unordered: false, data };
}
