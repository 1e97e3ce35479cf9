import assert from "node:assert/strict";
import { writeEnrp } from "../../../protocol/enrp/mod.ts";
import type { EnrpMessage, Presence } from "../../../protocol/enrp/mod.ts";
import type { AssociationId, ConnectCommand, DownReason } from "../../../protocol/net.ts";
import { PeChecksum } from "../../../protocol/param/checksum.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { element, POOL, REGISTRAR_ID } from "./harness.ts";
import type { RegistrarHarness } from "./harness.ts";

/** SCTP port of ENRP at every fake peer. */
export const PEER_PORT = 9901;

/** Some message of ENRP without what all have. */
export type Said = EnrpMessage extends infer M
  ? M extends EnrpMessage ? Omit<M, "senderId" | "receiverId"> : never
  : never;

/** Another registrar, played by a test, message by message. */
export class FakePeer {
  readonly harness: RegistrarHarness;
  readonly registrarId: number;
  readonly address: string;
  association: AssociationId = 0;

  constructor(harness: RegistrarHarness, registrarId: number) {
    this.harness = harness;
    this.registrarId = registrarId;
    this.address = `10.1.2.${registrarId & 0xff}`;
  }

  /** Sets up an association; or takes part in the one that the registrar asked for. */
  connect(request?: number): this {
    const options = { peerPort: PEER_PORT, ...(request !== undefined && { request }) };
    this.association = this.harness.up([this.address], "enrp", options);
    return this;
  }

  /** The connect of the registrar to this peer that is not answered yet, if there is one. */
  asked(): ConnectCommand | undefined {
    const { commands } = this.harness;
    return commands.filter((command) => command.type === "connect")
      .findLast(({ addresses }) => addresses.includes(this.address));
  }

  /** Lets the registrar's connect succeed. */
  accept(): this {
    this.harness.run(0);
    const command = this.asked();
    assert.ok(command !== undefined, "the registrar connects");
    return this.connect(command.request);
  }

  /** Lets the registrar's connect fail. */
  refuse(reason: DownReason = "refused"): void {
    this.harness.run(0);
    const command = this.asked();
    assert.ok(command !== undefined, "the registrar connects");
    const { request } = command;
    const event = {
      type: "down",
      association: 0,
      request,
      reason,
      origin: "peer",
      cause: undefined,
    } as const;
    this.harness.input({ type: "transport", endpoint: "enrp", event });
  }

  /** The association ends. */
  leave(): void {
    this.harness.down(this.association, "enrp");
  }

  /** Sends a message; gives the answers that it got by any association of ENRP. */
  say(said: Said, receiverId: number = REGISTRAR_ID): EnrpMessage[] {
    return this.octets(writeEnrp({ senderId: this.registrarId, receiverId, ...said } as EnrpMessage));
  }

  /** Sends octets; gives the answers that it got. */
  octets(octets: Uint8Array): EnrpMessage[] {
    const before = this.harness.enrp.length;
    this.harness.octets(this.association, octets, 12, "enrp");
    return this.heard(before);
  }

  /** A presence as this peer sends it. */
  presence(fields: Partial<Presence> = {}): Said {
    return {
      type: "presence",
      replyRequired: false,
      checksum: 0xffff,
      serverInformation: {
        registrarId: this.registrarId,
        transport: { protocol: "sctp", port: PEER_PORT, use: "data", addresses: [this.address] },
      },
      ...fields,
    };
  }

  /** Says by its association that it lives. */
  greet(fields: Partial<Presence> = {}): EnrpMessage[] {
    return this.say(this.presence(fields));
  }

  /** Tells the group that it lives. */
  announce(fields: Partial<Presence> = {}): void {
    const data = writeEnrp({
      senderId: this.registrarId,
      receiverId: 0,
      ...this.presence(fields),
    } as EnrpMessage);
    const source = { address: this.address, port: PEER_PORT };
    this.harness.input({ type: "datagram", channel: "enrp-presence", source, data });
  }

  /** Tells of an element of its own. */
  update(
    elementId: number,
    action: "add" | "delete" = "add",
    fields: Partial<PoolElement> = {},
  ): EnrpMessage[] {
    return this.say({
      type: "handleUpdate",
      action,
      poolHandle: POOL,
      element: this.element(elementId, fields),
    }, 0);
  }

  /** An element that is registered with this peer. */
  element(elementId: number, fields: Partial<PoolElement> = {}): PoolElement {
    return element(elementId, {
      homeRegistrarId: this.registrarId,
      asapTransport: { protocol: "sctp", port: 30000, use: "data", addresses: ["10.1.1.1"] },
      ...fields,
    });
  }

  /** Answers a table request. */
  table(elementIds: readonly number[], fields: { more?: boolean; rejected?: boolean } = {}): EnrpMessage[] {
    const elements = elementIds.map((elementId) => this.element(elementId));
    const pools = elements.length === 0 ? [] : [{ poolHandle: POOL, elements }];
    return this.say({ type: "handleTableResponse", rejected: false, more: false, pools, ...fields });
  }

  /** Answers a list request. */
  list(peers: readonly FakePeer[], rejected = false): EnrpMessage[] {
    const servers = peers.map(({ registrarId, address }) => ({
      registrarId,
      transport: { protocol: "sctp", port: PEER_PORT, use: "data", addresses: [address] } as const,
    }));
    return this.say({ type: "listResponse", rejected, servers });
  }

  /** What was sent to this peer, of one type, or all. */
  heard(from = 0): EnrpMessage[] {
    const { association, harness } = this;
    return harness.enrp.slice(from).filter((sent) => sent.association === association)
      .map(({ message }) => message);
  }
}

/** The checksum over these elements of the pool. */
export function checksumOf(...elementIds: number[]): number {
  const checksum = new PeChecksum();
  for (const elementId of elementIds) checksum.add(POOL, elementId);
  return checksum.value;
}

/** The types of some messages. */
export function types(messages: readonly EnrpMessage[]): string[] {
  return messages.map(({ type }) => type);
}

/** The messages of one type. */
export function ofType<Type extends EnrpMessage["type"]>(
  messages: readonly EnrpMessage[],
  type: Type,
): Extract<EnrpMessage, { type: Type }>[] {
  return messages.filter((message) => message.type === type) as Extract<EnrpMessage, { type: Type }>[];
}
