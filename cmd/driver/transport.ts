/** Chooses what carries SCTP. */
import type { Transport } from "../../protocol/net.ts";
import { kernelSctpSupport, openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
import { CaptureError, openCaptureFile } from "./capture_file.ts";
import { openEmbeddedTransport } from "./embedded_transport.ts";
import type { EmbeddedTransportOptions } from "./embedded_transport.ts";

/** SCTP cannot be had in the way that was asked for. The message says what to do. */
export class TransportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TransportError";
  }
}

/**
 * What went wrong with a transport or an endpoint, for people: system errors say themselves what to do.
 *
 * @throws the error itself when it is a fault of this program, for which a stack trace is worth more than a sentence
 */
export function transportFailure(error: unknown): string {
  if (error instanceof Error && (error instanceof TransportError || "code" in error)) return error.message;
  throw error;
}

/** What may be said about the embedded stack besides the encapsulation. */
export type EmbeddedDetails = Pick<EmbeddedTransportOptions, "udpPort" | "maxMtu">;

const RAW_BY_ENCAPSULATION = { auto: "auto", raw: "on", udp: "off" } as const;

/** Packets to be captured from the start. */
export interface CaptureChoice {
  /** A file, a FIFO or `-`; undefined = nothing is captured. */
  readonly path: string | undefined;
  /** Takes a sentence when the capture ends before its time. */
  readonly onProblem: (sentence: string) => void;
}

/**
 * Opens the transport of this process. `auto` asks the kernel first; the embedded stack is there for every machine whose
 * kernel has no SCTP. The transport's description says what was chosen and why.
 *
 * @param encapsulation for the embedded stack only
 * @param capture where packets are written, until the transport is closed
 * @param details more for the embedded stack only
 * @throws {TransportError} when the kernel was demanded and has no SCTP, or raw packets were and are forbidden, or the
 * packets cannot be captured
 */
export function openTransport(
  choice: TransportChoice,
  encapsulation: EncapsulationChoice = "auto",
  capture?: CaptureChoice,
  details: EmbeddedDetails = {},
): Transport {
  const transport = chooseTransport(choice, encapsulation, details);
  return capture?.path === undefined ? transport : captured(transport, capture.path, capture.onProblem);
}

function chooseTransport(
  choice: TransportChoice,
  encapsulation: EncapsulationChoice,
  details: EmbeddedDetails,
): Transport {
  if (choice === "embedded") return openEmbedded(encapsulation, details, "as -transport=embedded asks");
  const { available, reason } = kernelSctpSupport();
  if (available) return openKernelTransport();
  if (choice === "auto") return openEmbedded(encapsulation, details, `since ${reason}`);
  throw new TransportError(`${reason}; -transport=embedded does without`);
}

/** The same transport with a capture that ends with it. */
function captured(transport: Transport, path: string, onProblem: (sentence: string) => void): Transport {
  try {
    const file = openCaptureFile(path, transport, { onProblem });
    return {
      ...described(transport, transport.description),
      close: () => transport.close().finally(() => file.close()),
    };
  } catch (error) {
    if (error instanceof CaptureError) throw new TransportError(error.message, { cause: error });
    throw error;
  }
}

function openEmbedded(encapsulation: EncapsulationChoice, details: EmbeddedDetails, why: string): Transport {
  try {
    const transport = openEmbeddedTransport({ ...details, raw: RAW_BY_ENCAPSULATION[encapsulation] });
    return described(transport, `${transport.description}, ${why}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TransportError(`the embedded SCTP stack cannot start: ${reason}`, { cause: error });
  }
}

/** The same transport with another description. */
function described(transport: Transport, description: string): Transport {
  return {
    kind: transport.kind,
    description,
    open: (options, onEvents) => transport.open(options, onEvents),
    capture: (onPacket) => transport.capture(onPacket),
    close: () => transport.close(),
  };
}
