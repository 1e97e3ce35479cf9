import {
  type CapturedChunk,
  type CapturedDatagram,
  type CapturedMessage,
  readPcap,
  sctpDataChunks,
  sctpMessages,
  udpDatagrams,
} from "../pcap.ts";

/** Captures of RSPLIB 3.4.4 at work, which lie beside the checkout. */
export const CAPTURE_NAMES = ["exercise-h2.pcap", "exercise-h4.pcap", "services-h4.pcap"] as const;

const FOLDER = new URL("../../../shared/captures/", import.meta.url);

/** What a capture holds. */
export interface Capture {
  readonly path: string;
  readonly chunks: readonly CapturedChunk[];
  readonly messages: readonly CapturedMessage[];
  readonly datagrams: readonly CapturedDatagram[];
}

/** Reads a capture. */
export function readCapture(name: typeof CAPTURE_NAMES[number]): Capture {
  const url = new URL(name, FOLDER);
  let octets: Uint8Array;
  try {
    octets = Deno.readFileSync(url);
  } catch (cause) {
    throw new Error(
      `The capture ${name} is missing: it belongs into ${FOLDER.pathname}, beside the checkout`,
      { cause },
    );
  }
  const packets = readPcap(octets);
  const chunks = sctpDataChunks(packets);
  return { path: url.pathname, chunks, messages: sctpMessages(chunks), datagrams: udpDatagrams(packets) };
}
