/** Payload protocol identifiers by name, as IANA's registry has them. */
import type { Ppid } from "../../protocol/net.ts";
import { CommandError } from "./command_error.ts";
import { nearest } from "../nearest.ts";

/** Short names; what the registry says at length stands behind them in its own words only where it is no acronym. */
const NAMES: ReadonlyMap<Ppid, string> = new Map([
  [0, "unspecified"],
  [1, "IUA"],
  [2, "M2UA"],
  [3, "M3UA"],
  [4, "SUA"],
  [5, "M2PA"],
  [6, "V5UA"],
  [7, "H.248"],
  [8, "BICC"],
  [9, "TALI"],
  [10, "DUA"],
  [11, "ASAP"],
  [12, "ENRP"],
  [13, "H.323"],
  [14, "Q.IPC"],
  [15, "SIMCO"],
  [16, "DDP-segment"],
  [17, "DDP-stream"],
  [18, "S1AP"],
  [19, "RUA"],
  [20, "HNBAP"],
  [21, "ForCES-HP"],
  [22, "ForCES-MP"],
  [23, "ForCES-LP"],
  [24, "SBc-AP"],
  [25, "NBAP"],
  [27, "X2AP"],
  [28, "IRCP"],
  [29, "LCS-AP"],
  [30, "MPICH2"],
  [31, "SABP"],
  [32, "FGP"],
  [33, "PPP"],
  [34, "CALCAPP"],
  [35, "SSP"],
  [36, "NPMP-control"],
  [37, "NPMP-data"],
  [38, "echo"],
  [39, "discard"],
  [40, "daytime"],
  [41, "chargen"],
  [42, "RNA"],
  [43, "M2AP"],
  [44, "M3AP"],
  [45, "SSH"],
  [46, "Diameter"],
  [47, "Diameter-DTLS"],
  [48, "R14P"],
  [50, "WebRTC-DCEP"],
  [51, "WebRTC-string"],
  [52, "WebRTC-binary-partial"],
  [53, "WebRTC-binary"],
  [54, "WebRTC-string-partial"],
  [55, "PUA"],
  [56, "WebRTC-string-empty"],
  [57, "WebRTC-binary-empty"],
  [58, "XwAP"],
  [59, "Xw-control"],
  [60, "NGAP"],
  [61, "XnAP"],
  [62, "F1AP"],
  [63, "HTTP"],
  [64, "E1AP"],
  [65, "ELE2"],
  [66, "NGAP-DTLS"],
  [67, "XnAP-DTLS"],
  [68, "F1AP-DTLS"],
  [69, "E1AP-DTLS"],
  [70, "E2-CP"],
  [71, "E2-UP"],
  [72, "E2-DU"],
  [73, "W1AP"],
]);

/** All names, for completion. */
export const ppidNames: readonly string[] = [...NAMES.values()];

const BY_NAME: ReadonlyMap<string, Ppid> = new Map(
  [...NAMES].map(([ppid, name]) => [plain(name), ppid]),
);

/** Case, dots and hyphens do not count. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** The name of a payload protocol; undefined = it has none. */
export function ppidName(ppid: Ppid): string | undefined {
  return NAMES.get(ppid);
}

/** `3 (M3UA)`, or the number alone: what is not small enough to be registered is shown in hexadecimal. */
export function showPpid(ppid: Ppid): string {
  const name = NAMES.get(ppid);
  if (name !== undefined) return `${ppid} (${name})`;
  return ppid < 0x10000 ? String(ppid) : `0x${ppid.toString(16).padStart(8, "0")}`;
}

/**
 * Reads a payload protocol identifier: a number, `0x…`, or a name such as `M3UA`.
 *
 * @throws {CommandError} when it is none
 */
export function readPpid(text: string): Ppid {
  const named = BY_NAME.get(plain(text));
  if (named !== undefined && !/^\d+$/.test(text)) return named;
  const number = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (number <= 0xffff_ffff) return number;
  const near = nearest(plain(text), [...BY_NAME.keys()]);
  const hint = near === undefined ? "" : `; did you mean ${NAMES.get(BY_NAME.get(near)!)}?`;
  throw new CommandError(`ppid must be a number of 32 bits or a name such as M3UA, not ${text}${hint}`);
}
