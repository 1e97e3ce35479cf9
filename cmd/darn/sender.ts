/** Hands messages to the transport: one, many, at a rate, as fast as the association takes them. */
import { open } from "node:fs/promises";
import type { SendCommand } from "../../protocol/net.ts";
import { fileProblem } from "../driver/file_problem.ts";
import type { Association } from "./associations.ts";
import { CommandError, DarnExitCode } from "./command_error.ts";
import { MAX_PAYLOAD } from "./payload.ts";
import type { Payload } from "./payload.ts";
import type { SendRequest } from "./send_request.ts";
import { isDown } from "./session.ts";
import type { Session } from "./session.ts";
import { pause, settle } from "./waiting.ts";

/** Octets and messages that are handed over before events have their turn: `blocked` must come in time. */
const OCTETS_A_TURN = 128 * 1024, MESSAGES_A_TURN = 64;

/** The most random octets that one call gives. */
const RANDOM_PART = 65_536;

/** Sends what a request asks for, on this association. @throws {CommandError} */
export async function sendMessages(
  session: Session,
  association: Association,
  request: SendRequest,
  signal: AbortSignal,
): Promise<void> {
  const next = await payloadMaker(session, request.payload);
  const from = session.events.next;
  const startedAt = performance.now();
  let octets = 0, messages = 0;
  for (let index = 0; index < request.count; index++) {
    const dueMs = request.rate === undefined
      ? 0
      : startedAt + 1000 * index / request.rate - performance.now();
    if (dueMs > 0) await pause(dueMs, signal);
    const target = await readyToSend(session, association, signal);
    const data = next();
    target.endpoint.execute(sendCommand(target, data, request));
    session.countSent(target, data.length);
    octets += data.length;
    if (octets >= OCTETS_A_TURN || ++messages >= MESSAGES_A_TURN) {
      octets = messages = 0;
      await settle();
      signal.throwIfAborted();
    }
  }
  await settle();
  const refused = session.events.find(
    from,
    (one) =>
      one.association === association.number && one.event.type === "sendFailed" &&
      one.event.failure === "refused",
  );
  if (refused !== undefined) throw new CommandError("the message was refused (the notification says why)");
}

/** The association as it is now, once it takes messages. */
async function readyToSend(
  session: Session,
  { number }: Association,
  signal: AbortSignal,
): Promise<Association> {
  for (;;) {
    const association = session.associations.get(number);
    if (association === undefined) {
      throw new CommandError(`association #${number} is gone`, DarnExitCode.association);
    }
    if (association.ending) {
      throw new CommandError(`association #${number} is being shut down`, DarnExitCode.association);
    }
    if (!association.blocked) return association;
    if (session.settings.nonBlocking) {
      throw new CommandError("Resource temporarily unavailable (the send buffer is full)");
    }
    const ended = isDown(number);
    await session.waitFor(
      "room in the send buffer",
      (one) => one.association === number && one.event.type === "writable" || ended(one),
      signal,
    );
  }
}

function sendCommand(association: Association, data: Uint8Array, request: SendRequest): SendCommand {
  const { stream, ppid, unordered, sackImmediately, reliability, context, destination, authKeyId } = request;
  return {
    type: "send",
    association: association.id,
    data,
    stream,
    ppid,
    unordered,
    ...(sackImmediately && { sackImmediately }),
    ...(reliability !== undefined && { reliability }),
    ...(context !== undefined && { context }),
    ...(destination !== undefined && { destination }),
    ...(authKeyId !== undefined && { authKeyId }),
  };
}

/** Makes one message after another. */
async function payloadMaker(session: Session, payload: Payload): Promise<() => Uint8Array> {
  switch (payload.type) {
    case "pattern":
      return () => session.pattern.next(payload.length);
    case "random":
      return () => randomOctets(payload.length);
    case "octets":
      return () => payload.data.slice();
    case "file": {
      const data = await readWhole(payload.path);
      return () => data.slice();
    }
  }
}

function randomOctets(length: number): Uint8Array {
  const octets = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_PART) {
    crypto.getRandomValues(octets.subarray(at, at + RANDOM_PART));
  }
  return octets;
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MAX_PAYLOAD) throw new CommandError(`${path} has ${size} octets, more than ${MAX_PAYLOAD}`);
      const data = await file.readFile();
      if (data.length === 0) throw new CommandError(`${path} is empty, and SCTP has no empty messages`);
      return data;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot read ${path}: ${fileProblem(error)}`);
  }
}
