/** What users ask of a registrar, as octets, and what its answers say. */
import { AsapFlag, AsapType, writeAsap } from "../../protocol/asap/mod.ts";
import type { Registration } from "../../protocol/asap/mod.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { ParameterType, PolicyType } from "../../protocol/param/mod.ts";
import type { PoolHandle } from "../../protocol/param/mod.ts";
import type { AsapWork } from "./asap_options.ts";

/** Registration life of elements, a day: they do not register again while they are resolved, and leave with this program. */
const LIFE_MS = 86_400_000;
/** Round robin: the policy that every registrar has, and the cheapest. */
const POLICY = { name: "RoundRobin", type: PolicyType.RoundRobin } as const;
const HEADER_LENGTH = 4, PARAMETER_HEADER_LENGTH = 4;

/** A request, and the type of its answer. */
export interface AsapRequest {
  readonly data: Uint8Array;
  readonly answer: number;
}

/** Where an element is. */
export interface ElementPlace {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
}

/** What one user asks about. */
export interface RequestSubject {
  readonly poolHandle: PoolHandle;
  /** Elements wanted of a resolution; 0 = the registrar chooses. */
  readonly items: number;
  readonly place: ElementPlace;
  readonly elements: ElementIds;
}

/** The elements of an association. */
export interface ElementIds {
  /** Makes one up that is about to register. @returns its pool element identifier */
  join(): number;
  /** One of them deregisters. */
  leave(elementId: number): void;
}

/** The registration of an element. */
export function registrationOf(poolHandle: PoolHandle, elementId: number, place: ElementPlace): Registration {
  const userTransport = { protocol: "sctp", use: "data+control", ...place } as const;
  const element = {
    elementId,
    homeRegistrarId: 0,
    registrationLifeMs: LIFE_MS,
    userTransport,
    policy: POLICY,
  };
  return { type: "registration", poolHandle, element };
}

/**
 * Makes a user's requests, one after another.
 *
 * @returns gives the next one; what does not change is written once
 */
export function requestsOf(work: AsapWork, subject: RequestSubject): () => AsapRequest {
  switch (work) {
    case "resolve":
      return resolutions(subject);
    case "register":
      return registrations(subject);
    case "churn":
      return comings(subject);
  }
}

function resolutions({ poolHandle, items }: RequestSubject): () => AsapRequest {
  const data = writeAsap({ type: "handleResolution", poolHandle, ...(items > 0 ? { items } : {}) });
  const request = { data, answer: AsapType.handleResolutionResponse };
  return () => request;
}

function registrations({ poolHandle, place, elements }: RequestSubject): () => AsapRequest {
  const data = writeAsap(registrationOf(poolHandle, elements.join(), place));
  const request = { data, answer: AsapType.registrationResponse };
  return () => request;
}

function comings({ poolHandle, place, elements }: RequestSubject): () => AsapRequest {
  let present: number | undefined;
  return () => {
    if (present === undefined) {
      present = elements.join();
      const data = writeAsap(registrationOf(poolHandle, present, place));
      return { data, answer: AsapType.registrationResponse };
    }
    const data = writeAsap({ type: "deregistration", poolHandle, elementId: present });
    elements.leave(present);
    present = undefined;
    return { data, answer: AsapType.deregistrationResponse };
  };
}

/**
 * Whether an answer is the one that was wanted, and what it says. It is not read in full: the load generator must be
 * cheaper than what it measures.
 *
 * @param answer type of the answer that was wanted
 */
export function judgeAnswer(octets: Uint8Array, answer: number): "done" | "refused" | "foreign" {
  if (octets[0] === AsapType.error) return "refused";
  if (octets[0] !== answer) return "foreign";
  if (answer === AsapType.registrationResponse) {
    return (octets[1]! & AsapFlag.rejected) === 0 ? "done" : "refused";
  }
  // Behind the pool handle: policy and elements or an error, or the element's ID and perhaps an error.
  let at = behindParameter(octets, HEADER_LENGTH);
  if (answer === AsapType.deregistrationResponse) at = behindParameter(octets, at);
  return word(octets, at) === ParameterType.operationError ? "refused" : "done";
}

function behindParameter(octets: Uint8Array, at: number): number {
  return at + (Math.max(PARAMETER_HEADER_LENGTH, word(octets, at + 2)) + 3 & ~3);
}

/** The 16 bits at an offset; 0 behind the end. */
function word(octets: Uint8Array, at: number): number {
  return (octets[at] ?? 0) << 8 | (octets[at + 1] ?? 0);
}
