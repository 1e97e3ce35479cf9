/** What messages of the services say that have a protocol, as a capture shows them. */
import { type CalcAppMessage, readCalcApp } from "../../protocol/app/calcapp/messages.ts";
import { type PingPongMessage, readPingPong } from "../../protocol/app/pingpong/messages.ts";
import { readScripting, type ScriptingMessage } from "../../protocol/app/scripting/messages.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SeenMessage } from "./live_capture.ts";

/** Whether a message is of a type. */
export type Matcher = (seen: SeenMessage) => boolean;

/** A message of the Ping Pong Protocol; undefined for other messages. */
export function pingPongOf({ ppid, data }: SeenMessage): PingPongMessage | undefined {
  return ppid === Ppid.pingPong ? readPingPong(data) : undefined;
}

/** A message of the CalcApp protocol; undefined for other messages. */
export function calcAppOf({ ppid, data }: SeenMessage): CalcAppMessage | undefined {
  return ppid === Ppid.calcApp ? readCalcApp(data) : undefined;
}

/** A message of the Scripting Service Protocol; undefined for other messages. */
export function scriptingOf({ ppid, data }: SeenMessage): ScriptingMessage | undefined {
  return ppid === Ppid.scripting ? readScripting(data) : undefined;
}

/** Matches messages of the Ping Pong Protocol of a type. */
export function isPingPong(type: PingPongMessage["type"]): Matcher {
  return (seen) => pingPongOf(seen)?.type === type;
}

/** Matches messages of the CalcApp protocol of a type. */
export function isCalcApp(type: CalcAppMessage["type"]): Matcher {
  return (seen) => calcAppOf(seen)?.type === type;
}

/** Matches messages of the Scripting Service Protocol of a type. */
export function isScripting(type: ScriptingMessage["type"]): Matcher {
  return (seen) => scriptingOf(seen)?.type === type;
}

/** Whether a message is one of the character generator. */
export function isCharacters({ data }: SeenMessage): boolean {
  return data.length === 1024 && data.every((octet, i) => octet === 30 + i % 98);
}

/** What a message says, for services that send text. */
export function textOf({ data }: SeenMessage): string {
  return new TextDecoder().decode(data);
}

/** As the daytime service writes it: `%A, %d-%B-%Y %H:%M:%S` and microseconds. */
const DAYTIME = /^[A-Z][a-z]+day, \d\d-[A-Z][a-z]+-\d{4} \d\d:\d\d:\d\d\.\d{6}\n$/;

/** Whether a message is one of the daytime service. */
export function isDaytime(seen: SeenMessage): boolean {
  return DAYTIME.test(textOf(seen));
}
