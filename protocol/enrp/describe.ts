import { describeElement, describeError, describeId, describeServer } from "../param/describe.ts";
import { showText } from "../wire/text.ts";
import type { EnrpMessage } from "./message.ts";

/**
 * A message as one line of text for people. The text is not for programs: it may change.
 *
 * @param message any message
 * @returns for example `List Request from $c2818128 to $e7bbf4ba`
 */
export function describeEnrp(message: EnrpMessage): string {
  const receiver = message.receiverId === 0 ? "all" : describeId(message.receiverId);
  const way = `from ${describeId(message.senderId)} to ${receiver}`;
  switch (message.type) {
    case "presence":
      return `Presence ${way}, checksum 0x${message.checksum.toString(16).padStart(4, "0")}` +
        (message.serverInformation === undefined ? "" : `, ${describeServer(message.serverInformation)}`) +
        (message.replyRequired ? ", reply required" : "");
    case "handleTableRequest":
      return `Handle Table Request ${way}${message.ownChildrenOnly ? ", own children only" : ""}`;
    case "handleTableResponse": {
      const pools = message.pools.map(({ poolHandle, elements }) =>
        ` ${showText(poolHandle)} (${elements.length})`
      );
      return `Handle Table Response ${way}` +
        (message.rejected ? ": rejected" : `: ${pools.length} pools${pools.join("")}`) +
        (message.more ? ", more to come" : "");
    }
    case "handleUpdate":
      return `Handle Update ${way}: ${message.action} in ${showText(message.poolHandle)} ` +
        describeElement(message.element) + (message.takeoverSuggested ? ", takeover suggested" : "");
    case "listRequest":
      return `List Request ${way}`;
    case "listResponse":
      return `List Response ${way}: ` +
        (message.rejected ? "rejected" : message.servers.map(describeServer).join("; ") || "no peers");
    case "initTakeover":
      return `Init Takeover ${way}, target ${describeId(message.targetId)}`;
    case "initTakeoverAck":
      return `Init Takeover Ack ${way}, target ${describeId(message.targetId)}`;
    case "takeoverServer":
      return `Takeover Server ${way}, target ${describeId(message.targetId)}`;
    case "error":
      return `Error ${way}: ${describeError(message.error)}`;
  }
}
