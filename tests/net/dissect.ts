/** Asks tshark, an independent dissector, what it thinks of a recording. */

/**
 * Payload protocols of octets that mean nothing to tshark: of text, which has none, and of the patterns of `sctp_peer.ts`. It
 * would go by ports, of which chance may choose one that it knows, or guess: a pattern looks like NBAP now and then.
 */
const PLAIN_DATA = [0, 0x52535000];

/**
 * Extra words for tshark: SCTP in UDP on the embedded stack's ports, and checksums that are checked. Port 2345, the course's
 * sender, and 21064, one of those that are drawn, are taken for protocols of their own that patterns of text are not, and
 * other payload protocols of nobody's are guessed at, too.
 */
const SETTINGS: readonly string[] = [
  ...["11234", "13863", "19901", "30000-32767"].flatMap((ports) => ["-d", `udp.port==${ports},sctp`]),
  ...PLAIN_DATA.flatMap((ppid) => ["-d", `sctp.ppi==${ppid},data`]),
  ...["knetsctp", "knet", "dlm3"].flatMap((name) => ["--disable-protocol", name]),
  ...["nbap_sctp", "sip_sctp", "jxta_sctp"].flatMap((name) => ["--disable-heuristic", name]),
  ...["-o", "sctp.checksum:CRC 32c"],
  ...["-o", "udp.check_checksum:FALSE"], // the kernel leaves UDP checksums of a veth to nobody
];

/** The words after `tshark` that have it read a file, as much of it as matches a display filter. */
export function tsharkLine(file: string, filter: string): string[] {
  return ["-n", "-r", file, ...SETTINGS, "-Y", filter];
}

/**
 * Packets that match a display filter, one line each.
 *
 * @param fields what to print of each packet; nothing = tshark's own summary
 * @param words more words for tshark
 */
export async function packets(
  file: string,
  filter: string,
  fields: readonly string[] = [],
  words: readonly string[] = [],
): Promise<string[]> {
  const wanted = fields.length === 0 ? [] : ["-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: [...tsharkLine(file, filter), ...words, ...wanted],
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot dissect ${file}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout).split("\n").filter((line) => line !== "");
}

/**
 * What is no fault though tshark warns of it: an acknowledgement that was on its way, or was lost, while a time-out sent
 * its data again; a packet that had to be sent often; and, while a lost one waits for its time-out, that many others arrive.
 */
const NO_FAULT = [
  ...["sctp.retransmitted_after_ack.expert", "sctp.retransmission.more_than_twice"],
  "sctp.sack_number_of_tsns_gap_acked.100",
];

/** A display filter: packets of which tshark warns, and not for that. */
export const WARNED: string = `(_ws.expert.severity >= "Warning"${
  NO_FAULT.map((field) => ` and !${field}`).join("")
})`;

/**
 * Packets that tshark finds fault with: malformed, a wrong checksum, or a warning. What an ICMP message quotes was seen as a
 * whole before, and may end in the middle of a chunk.
 */
export async function faultyPackets(file: string): Promise<string[]> {
  const faulty = `_ws.malformed or sctp.checksum.status == "Bad" or ${WARNED}`;
  return await packets(file, `(${faulty}) and !icmp and !icmpv6`);
}
