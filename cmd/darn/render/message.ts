/** Received messages as lines and as JSON. */
import type { MessageReceived } from "../../../protocol/net.ts";
import { hexDump } from "../../../protocol/wire/mod.ts";
import type { Association } from "../associations.ts";
import { showPeer } from "../associations.ts";
import { ppidName, showPpid } from "../ppid_names.ts";
import { shown } from "./shown.ts";
import type { Shown } from "./shown.ts";

/** How the contents of messages are shown. */
export const VIEWS = ["text", "utf8", "hex", "none"] as const;

/** How the contents of messages are shown: octets as ASCII, as UTF-8, as a hex dump, or not at all. */
export type View = typeof VIEWS[number];

/** Choices about messages. */
export interface MessageView {
  readonly view: View;
  /** Octets of a message that are shown; the others are counted. */
  readonly octetsShown: number;
  /** The original's SNDRCV block in front of every message. */
  readonly verbose: boolean;
}

/** A message with what its chunks said, headed by `DATA(length):` as in the original. */
export function renderMessage(message: MessageReceived, association: Association, view: MessageView): Shown {
  const { data, stream, ssn, tsn, ppid, unordered } = message;
  const hidden = data.length - view.octetsShown;
  const facts = [
    `#${association.number} ${showPeer(association)}`,
    `stream ${stream}`,
    ...(unordered ? ["unordered"] : [`SSN ${ssn}`]),
    `TSN ${tsn}`,
    `PPID ${showPpid(ppid)}`,
    ...(hidden > 0 && view.view !== "none" ? [`${hidden} octets not shown`] : []),
  ].join(", ");
  const lines = view.verbose ? sndrcv(message) : [];
  lines.push(...contents(`DATA(${data.length}): `, data, view), `   ${facts}`);
  return shown(lines, {
    event: "message",
    association: association.number,
    peer: showPeer(association),
    stream,
    ssn,
    tsn,
    ppid,
    ppidName: ppidName(ppid),
    unordered,
    length: data.length,
    data: data.toBase64(),
    text: printableText(data),
  });
}

/** The block that the original prints for SCTP_SNDRCV; of its lines those that are known to every transport. */
function sndrcv({ stream, ssn, unordered, ppid, tsn, association }: MessageReceived): string[] {
  return [
    "SNDRCV",
    `   sinfo_stream ${stream}`,
    `   sinfo_ssn ${ssn}`,
    `   sinfo_flags 0x${unordered ? 1 : 0}`,
    `   sinfo_ppid ${ppid}`,
    `   sinfo_tsn     ${tsn}`,
    `   sinfo_assoc_id  ${association}`,
  ];
}

function contents(head: string, data: Uint8Array, { view, octetsShown }: MessageView): string[] {
  const part = data.subarray(0, octetsShown);
  switch (view) {
    case "none":
      return [head.trimEnd()];
    case "hex":
      return [head.trimEnd(), ...hexDump(part).split("\n").map((line) => `   ${line}`)];
    case "utf8":
      return [`${head} ${readable(new TextDecoder().decode(part))}`];
    case "text":
      return [`${head} ${ascii(part)}`];
  }
}

/** Printable ASCII as it is and a dot for every other octet, as in the original. */
export function ascii(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : ".";
  return text;
}

/** Control characters must not reach the terminal: a peer could move the cursor by them. */
function readable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ".");
}

/** The message as text if it is nothing else, for programs. */
function printableText(data: Uint8Array): string | undefined {
  return data.every((octet) => octet >= 0x20 && octet < 0x7f || octet === 0x0a || octet === 0x0d)
    ? String.fromCharCode(...data.subarray(0, 4096)) + (data.length > 4096 ? "…" : "")
    : undefined;
}
