import assert from "node:assert/strict";
import { readFractalCookie, writeFractalCookie } from "../../protocol/app/fractal/cookie.ts";
import { readFractal, writeFractal } from "../../protocol/app/fractal/messages.ts";
import { readPingPongCookie, writePingPongCookie } from "../../protocol/app/pingpong/cookie.ts";
import { readPingPong, writePingPong } from "../../protocol/app/pingpong/messages.ts";
import { readScripting, writeScripting } from "../../protocol/app/scripting/messages.ts";
import { readAsap } from "../../protocol/asap/read.ts";
import { writeAsap } from "../../protocol/asap/write.ts";
import { readEnrp } from "../../protocol/enrp/read.ts";
import { writeEnrp } from "../../protocol/enrp/write.ts";
import { Ppid } from "../../protocol/net.ts";
import { CAPTURE_NAMES, readCapture } from "./captures.ts";
import { tshark } from "./tshark.ts";

const ASAP_PORT = 3863;
const ENRP_PORT = 9901;
/** `<FG-TD1>` */
const FRACTAL_COOKIE = "3c46472d5444313e";
/** `<PP-TD1>` */
const PING_PONG_COOKIE = "3c50502d5444313e";
/** What the one job of the capture needed. */
const SCRIPTING_TYPES = ["ready", "upload", "status", "keepAlive", "keepAliveAck", "download"];

for (const name of CAPTURE_NAMES) {
  Deno.test(`every ASAP message of ${name} is read, and written to the same octets`, () => {
    const { messages, datagrams } = readCapture(name);
    const all = [
      ...messages.filter(({ ppid }) => ppid === Ppid.asap),
      ...datagrams.filter(({ destinationPort }) => destinationPort === ASAP_PORT),
    ];
    assert.ok(all.length > 20);
    for (const { frame, data } of all) checkSame(writeAsap(readAsap(data)), data, frame);
  });

  Deno.test(`every ENRP message of ${name} is read, and written to the same octets`, () => {
    const { messages, datagrams } = readCapture(name);
    const all = [
      ...messages.filter(({ ppid }) => ppid === Ppid.enrp),
      ...datagrams.filter(({ destinationPort }) => destinationPort === ENRP_PORT),
    ];
    assert.ok(all.length > 20);
    for (const { frame, data } of all) checkSame(writeEnrp(readEnrp(data)), data, frame);
  });

  if (name === "services-h4.pcap") {
    Deno.test(`every scripting message of ${name} is read, and written to the same octets`, () => {
      const all = readCapture(name).messages.filter(({ ppid }) => ppid === Ppid.scripting);
      const types = all.map(({ frame, data }) => {
        const message = readScripting(data);
        checkSame(writeScripting(message), data, frame);
        return message.type;
      });
      assert.deepEqual(new Set(types), new Set(SCRIPTING_TYPES));
    });

    Deno.test(`every ping-pong message and cookie of ${name} is read, and written to the same octets`, () => {
      const { messages } = readCapture(name);
      const all = messages.filter(({ ppid }) => ppid === Ppid.pingPong);
      const types = all.map(({ frame, data }) => {
        const message = readPingPong(data);
        checkSame(writePingPong(message), data, frame);
        return message.type;
      });
      assert.deepEqual(new Set(types), new Set(["ping", "pong"]));
      const cookies = messages.filter(({ ppid }) => ppid === Ppid.asap).flatMap(({ frame, data }) => {
        const message = readAsap(data);
        const isCookie = message.type === "cookie" || message.type === "cookieEcho";
        return isCookie && message.cookie.toHex().startsWith(PING_PONG_COOKIE)
          ? [{ frame, cookie: message.cookie }]
          : [];
      });
      assert.ok(cookies.length > 5);
      for (const { frame, cookie } of cookies) {
        checkSame(writePingPongCookie(readPingPongCookie(cookie)), cookie, frame);
      }
    });
  }

  if (name !== "services-h4.pcap") {
    Deno.test(`every fractal message and cookie of ${name} is read, and written to the same octets`, () => {
      const { messages } = readCapture(name);
      const all = messages.filter(({ ppid }) => ppid === Ppid.fractalGenerator);
      assert.ok(all.length > 20);
      for (const { frame, data } of all) checkSame(writeFractal(readFractal(data)), data, frame);

      const cookies = messages.filter(({ ppid }) => ppid === Ppid.asap).flatMap(({ frame, data }) => {
        const message = readAsap(data);
        const isCookie = message.type === "cookie" || message.type === "cookieEcho";
        return isCookie && message.cookie.toHex().startsWith(FRACTAL_COOKIE)
          ? [{ frame, cookie: message.cookie }]
          : [];
      });
      assert.ok(cookies.length > 0);
      for (const { frame, cookie } of cookies) {
        checkSame(writeFractalCookie(readFractalCookie(cookie)), cookie, frame);
      }
    });
  }

  Deno.test(`the reader sees the same in ${name} as tshark does`, async () => {
    const { path, chunks, datagrams } = readCapture(name);
    const lines = await tshark(path, "-T", "fields", "-e", "sctp.data_payload_proto_id", "-e", "udp.dstport");
    const columns = lines.map((line) => line.split("\t"));
    const numbers = (column: number) =>
      columns.flatMap((fields) => fields[column]!.split(",")).filter((text) => text !== "").map(Number);
    assert.deepEqual(count(chunks.map(({ ppid }) => ppid)), count(numbers(0)));
    assert.deepEqual(count(datagrams.map(({ destinationPort }) => destinationPort)), count(numbers(1)));
  });
}

function checkSame(actual: Uint8Array, expected: Uint8Array, frame: number): void {
  assert.equal(actual.toHex(), expected.toHex(), `frame ${frame}`);
}

/** How often each number occurs. */
function count(numbers: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const number of numbers.toSorted()) counts.set(number, (counts.get(number) ?? 0) + 1);
  return counts;
}
