import assert from "node:assert/strict";
import { ACTION_LOG_HEADER, ActionLog } from "../../../cmd/registrar/action_log.ts";
import type { MessageReport } from "../../../protocol/registrar/mod.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

const START = 1_795_389_851_406.462;
const poolHandle = encodeText("EchoPool");

const NOTHING: MessageReport = {
  type: "message",
  direction: "receive",
  protocol: "asap",
  multicast: false,
  message: "registration",
  association: 1,
  flags: 0,
  poolHandle: undefined,
  elementId: undefined,
  senderId: undefined,
  receiverId: undefined,
  targetId: undefined,
  update: undefined,
  count: 0,
  causeCode: 0,
};

const newLog = () => new ActionLog({ registrarId: 0x1111, keepAliveTimeoutMs: 5000 }, START);

/** Lines that rspregistrar 3.4.4 wrote, with the messages that they stand for. */
const LINES: [afterMs: number, Partial<MessageReport>, line: string][] = [
  [
    4882.085,
    { multicast: true, protocol: "enrp", message: "presence", senderId: 0x2222, receiverId: 0 },
    '000001   1795389856.288547 4.882085   "Recv" "MulticastENRP" "Presence" ""   0x0 0 0.000000   "" 0x0   0x2222 0x0 0x0   0\n',
  ],
  [
    4882.960,
    {
      direction: "send",
      protocol: "enrp",
      message: "presence",
      flags: 1,
      senderId: 0x1111,
      receiverId: 0x2222,
    },
    '000002   1795389856.289422 4.882960   "Send" "ENRP" "Presence" ""   0x1 0 0.000000   "" 0x0   0x1111 0x2222 0x0   0\n',
  ],
  [
    5003.551,
    { direction: "send", multicast: true, message: "serverAnnounce", senderId: 0x1111 },
    '000003   1795389856.410013 5.003551   "Send" "MulticastASAP" "Announce" ""   0x0 0 0.000000   "" 0x0   0x1111 0x0 0x0   0\n',
  ],
  [
    11137.981,
    { message: "registration", poolHandle, elementId: 0xabc },
    '000004   1795389862.544443 11.137981   "Recv" "ASAP" "Registration" "Requested"   0x0 0 0.000000   "EchoPool" 0xabc   0x1111 0x0 0x0   0\n',
  ],
  [
    11138.344,
    {
      direction: "send",
      protocol: "enrp",
      message: "handleUpdate",
      update: "add",
      poolHandle,
      elementId: 0xabc,
      senderId: 0x1111,
    },
    '000005   1795389862.544806 11.138344   "Send" "ENRP" "Update" "AddPE"   0x0 0 0.000000   "EchoPool" 0xabc   0x1111 0x0 0x0   0\n',
  ],
  [
    13102.610,
    { message: "handleResolution", poolHandle, count: 1 },
    '000006   1795389864.509072 13.102610   "Recv" "ASAP" "HandleResolution" "Requested"   0x0 1 0.000000   "EchoPool" 0x0   0x0 0x0 0x0   0\n',
  ],
];

Deno.test("ActionLog writes rspregistrar's lines", () => {
  const log = newLog();
  for (const [afterMs, fields, line] of LINES) {
    assert.equal(log.line({ ...NOTHING, ...fields }, START + afterMs), line);
  }
});

Deno.test("ActionLog's header has rspregistrar's columns", () => {
  assert.equal(ACTION_LOG_HEADER.trim().split(/ +/).length + 1, LINES[0]![2].trim().split(/ +/).length);
});

Deno.test("ActionLog says how long a keep-alive took to be answered, and that one came too late", () => {
  const log = newLog();
  const keepAlive = {
    ...NOTHING,
    direction: "send",
    message: "endpointKeepAlive",
    poolHandle,
    elementId: 1,
  } as const;
  const answer = { ...NOTHING, message: "endpointKeepAliveAck", poolHandle, elementId: 1 } as const;
  assert.match(
    log.line(keepAlive, START) ?? "",
    /"EndpointKeepAlive" "KeepAliveTransmissionTimer" {3}0x0 0 5\.000000/,
  );
  assert.match(
    log.line(answer, START + 250) ?? "",
    /"Recv" "ASAP" "EndpointKeepAliveAck" "InTime" {3}0x0 0 0\.250000/,
  );
  assert.match(log.line(answer, START + 251) ?? "", /"TooLateAlreadyRemoved" {3}0x0 0 0\.000000/);
  assert.match(log.line({ ...keepAlive, flags: 1 }, START) ?? "", /"Takeover"/);
});

Deno.test("ActionLog waits for no answer to a keep-alive that somebody else sent", () => {
  const log = newLog();
  const strange = { ...NOTHING, poolHandle, elementId: 1 };
  log.line({ ...strange, message: "endpointKeepAlive" }, START);
  assert.match(
    log.line({ ...strange, message: "endpointKeepAliveAck" }, START) ?? "",
    /"TooLateAlreadyRemoved"/,
  );
});

Deno.test("ActionLog has a line for an element that went without a word", () => {
  const removed = { type: "removed", poolHandle, elementId: 1 } as const;
  const line = (reason: Parameters<ActionLog["line"]>[0] & { type: "removed" }) =>
    newLog().line(reason, START);
  assert.match(
    line({ ...removed, reason: "no answer to a keep-alive" }) ?? "",
    /"Send" "ASAP" "Deregistration" "KeepAliveTimeoutTimer" {3}0x0 0 5\.000000 {3}"EchoPool" 0x1 {3}0x1111/,
  );
  assert.match(line({ ...removed, reason: "association lost" }) ?? "", /"Disconnect"/);
  assert.equal(line({ ...removed, reason: "deleted by its registrar" }), undefined);
});

Deno.test("ActionLog keeps a hostile pool handle within its quotes", () => {
  const line = newLog().line({ ...NOTHING, poolHandle: encodeText('a" 0x1\nb') }, START);
  assert.equal(line?.split("\n").length, 2);
  assert.equal(line?.match(/"/g)?.length, 10);
});
