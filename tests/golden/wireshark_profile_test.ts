/** The profile for Wireshark, judged by tshark: each rule and each filter is understood, and finds what it is for. */
import assert from "node:assert/strict";
import { ownProfile } from "../../cmd/wireshark/profile.ts";
import { filesOfProfile, profileFiles } from "../../cmd/wireshark/profile_files.ts";
import { type CalcAppMessage, writeCalcApp } from "../../protocol/app/calcapp/messages.ts";
import { type FractalMessage, writeFractal } from "../../protocol/app/fractal/messages.ts";
import { type PingPongMessage, writePingPong } from "../../protocol/app/pingpong/messages.ts";
import { type ScriptingMessage, writeScripting } from "../../protocol/app/scripting/messages.ts";
import { writeAsap } from "../../protocol/asap/write.ts";
import { writeComponentReport } from "../../protocol/csp/report.ts";
import { writeEnrp } from "../../protocol/enrp/write.ts";
import { Ppid } from "../../protocol/net.ts";
import { type MessageToWrite, writePcap } from "../pcap.ts";
import * as asapSamples from "../protocol/asap/samples.ts";
import * as enrpSamples from "../protocol/enrp/samples.ts";
import { CAPTURE_NAMES, readCapture } from "./captures.ts";

const ASAP = [...asapSamples.RSPLIB_SAMPLES, ...asapSamples.RFC_SAMPLES];
const ENRP = [...enrpSamples.RSPLIB_SAMPLES, ...enrpSamples.RFC_SAMPLES];

function asap(name: string): MessageToWrite {
  return { ppid: Ppid.asap, data: writeAsap(ASAP.find((sample) => sample.name === name)!.value) };
}

function enrp(name: string): MessageToWrite {
  return { ppid: Ppid.enrp, data: writeEnrp(ENRP.find((sample) => sample.name === name)!.value) };
}

function fractal(message: FractalMessage): MessageToWrite {
  return { ppid: Ppid.fractalGenerator, data: writeFractal(message) };
}

function pingPong(message: PingPongMessage): MessageToWrite {
  return { ppid: Ppid.pingPong, data: writePingPong(message) };
}

function calcApp(message: CalcAppMessage): MessageToWrite {
  return { ppid: Ppid.calcApp, data: writeCalcApp(message) };
}

function scripting(message: ScriptingMessage): MessageToWrite {
  return { ppid: Ppid.scripting, data: writeScripting(message) };
}

/** A status report of a group of components: 1 = registrars, 2 = pool elements, 3 = pool users. */
function report(group: bigint, isFinal = false): MessageToWrite {
  const data = writeComponentReport({
    sender: group << 56n | 1n,
    isFinal,
    uptimeUs: 1_000_000n,
    intervalUs: 500_000,
    location: "pc1: 10.1.0.1",
    status: "1 Session",
    workload: 0.5,
    associations: [],
  });
  return { udpPort: 2960, data };
}

function chunk(hex: string): MessageToWrite {
  return { chunk: octets(hex) };
}

function octets(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

const nothing = new Uint8Array();
const something = octets("61626364");
const hash = octets("00112233445566778899aabbccddeeff00112233");
const DATA = "00030014 00000001 00000000 00000000 61626364";

/** A message for each colouring rule, in an order of their own: that of the rules matters where several would match. */
const EXPECTED: readonly (readonly [rule: string, message: MessageToWrite])[] = [
  ["Malformed", chunk("0300000c 00000001 0000ffff")],
  // SCTP in UDP to a registrar, whose checksum nobody has worked out.
  ["SCTP: bad checksum", { udpPort: 13863, data: octets("138b0f17 12345678 00000000 0b000004") }],
  ["SCTP ABORT", chunk("06000004")],
  ["SCTP ERROR", chunk("0900000c 00090008 00000001")],
  ["SCTP DATA", chunk(DATA)],
  ["SCTP: retransmission", chunk(DATA)],
  ["SCTP INIT", chunk("01000014 00000001 0000ffff 000a000a 00000001")],
  ["SCTP COOKIE", chunk("0b000004")],
  ["SCTP SHUTDOWN", chunk("07000008 00000001")],
  ["SCTP SHUTDOWN", chunk("0e000004")],
  ["SCTP HEARTBEAT", chunk("0400000c 00010008 00000000")],
  ["SCTP SACK", chunk("03000010 00000001 0000ffff 00000000")],
  ["SCTP SACK: gaps", chunk("03000014 00000001 0000ffff 00010000 00020003")],
  ["SCTP ASCONF", chunk("c1000010 00000001 00050008 0a010101")],
  ["SCTP RE-CONFIG", chunk("82000014 000d0010 00000001 00000002 00000003")],
  ["SCTP FORWARD-TSN", chunk("c0000008 00000001")],
  ["SCTP", chunk("84000004")],

  ["ASAP Registration", asap("a registration")],
  ["ASAP Registration Response", asap("a registration response")],
  ["ASAP Registration Response: rejected", asap("a rejection with the pool's policy")],
  ["ASAP Deregistration", asap("a deregistration")],
  ["ASAP Deregistration Response", asap("a deregistration response")],
  ["ASAP Handle Resolution", asap("a handle resolution")],
  ["ASAP Handle Resolution Response", asap("a handle resolution response")],
  ["ASAP Handle Resolution Response: failed", asap("a failed handle resolution")],
  ["ASAP Endpoint Keep-Alive", asap("a keep-alive")],
  ["ASAP Endpoint Keep-Alive: new home", asap("a takeover keep-alive")],
  ["ASAP Endpoint Keep-Alive Ack", asap("a keep-alive ack")],
  ["ASAP Endpoint Unreachable", asap("an endpoint unreachable")],
  ["ASAP Server Announce", {
    udpPort: 3863,
    data: writeAsap({ type: "serverAnnounce", registrarId: 0xc2818128 }),
  }],
  ["ASAP Cookie", asap("a cookie")],
  ["ASAP Cookie Echo", asap("a cookie echo")],
  ["ASAP Business Card", {
    ppid: Ppid.asap,
    data: writeAsap(ASAP.find(({ value }) => value.type === "businessCard")!.value),
  }],
  ["ASAP Error", asap("an error about an unknown parameter")],

  ["ENRP Presence", enrp("a presence by multicast")],
  ["ENRP Presence: reply required", enrp("a presence on an association")],
  ["ENRP List Request", enrp("a list request")],
  ["ENRP List Response", enrp("a list response")],
  ["ENRP List Response: rejected", enrp("a rejected list response")],
  ["ENRP Handle Table Request", enrp("a handle table request for all")],
  ["ENRP Handle Table Request: own children", enrp("a handle table request for own children")],
  ["ENRP Handle Table Response", enrp("a handle table response")],
  ["ENRP Handle Table Response: rejected", enrp("a rejected handle table response")],
  ["ENRP Handle Update: add", enrp("a handle update that adds and suggests a takeover")],
  ["ENRP Handle Update: delete", enrp("a handle update that deletes")],
  ["ENRP Init Takeover", enrp("an init takeover")],
  ["ENRP Init Takeover Ack", enrp("an init takeover ack")],
  ["ENRP Takeover Server", enrp("a takeover server")],
  ["ENRP Error", enrp("an error")],

  [
    "FGP Parameter",
    fractal({
      type: "parameter",
      width: 200,
      height: 100,
      maxIterations: 1000,
      algorithm: 1,
      c1Real: -1.5,
      c1Imag: 1.5,
      c2Real: 1.5,
      c2Imag: -1.5,
      n: 2,
    }),
  ],
  ["FGP Data", fractal({ type: "data", startX: 0, startY: 0, values: new Uint32Array(324) })],
  ["FGP Data: end of image", fractal({ type: "end" })],

  ["PPP Ping", pingPong({ type: "ping", messageNumber: 1n, data: something })],
  ["PPP Pong", pingPong({ type: "pong", messageNumber: 1n, replyNumber: 1n, data: something })],

  ["CalcApp Request", calcApp({ type: "request", jobId: 1, jobSize: 1000 })],
  ["CalcApp Accept", calcApp({ type: "accept", jobId: 1 })],
  ["CalcApp Reject", calcApp({ type: "reject", jobId: 1 })],
  ["CalcApp Abort", calcApp({ type: "abort", jobId: 1 })],
  ["CalcApp Complete", calcApp({ type: "complete", jobId: 1, jobSize: 1000, completed: 1000 })],
  ["CalcApp Keep-Alive", calcApp({ type: "keepAlive", jobId: 1 })],
  ["CalcApp Keep-Alive Ack", calcApp({ type: "keepAliveAck", jobId: 1 })],

  ["SSP Not Ready", scripting({ type: "notReady", reason: 1, info: something })],
  ["SSP Ready", scripting({ type: "ready", info: something, extended: true })],
  ["SSP Environment", scripting({ type: "environment", hash, uploadNeeded: false })],
  ["SSP Environment: upload needed", scripting({ type: "environment", hash, uploadNeeded: true })],
  ["SSP Upload", scripting({ type: "upload", data: something })],
  ["SSP Upload: end", scripting({ type: "upload", data: nothing })],
  ["SSP Status", scripting({ type: "status", status: 0 })],
  ["SSP Status: failed", scripting({ type: "status", status: 1 })],
  ["SSP Print", scripting({ type: "print", channel: "stdout", data: something })],
  ["SSP Download", scripting({ type: "download", data: something })],
  ["SSP Download: end", scripting({ type: "download", data: nothing })],
  ["SSP Keep-Alive", scripting({ type: "keepAlive", extended: false })],
  ["SSP Keep-Alive Ack", scripting({ type: "keepAliveAck", status: 0 })],

  ["CSP Report: registrar", report(1n)],
  ["CSP Report: pool element", report(2n)],
  ["CSP Report: pool user", report(3n)],
  ["CSP Report", report(4n)],
  ["CSP Report: final", report(2n, true)],

  ["ICMP: unreachable", {
    ipProtocol: 1,
    data: octets(
      "0303 0000 00000000 4500001c 00000000 40110000 0a010001 0a010002 13890f17 00080000",
    ),
  }],
  ["ICMP, IGMP and ARP", { ipProtocol: 1, data: octets("0800 f7fd 00010001") }],
  ["TCP", { ipProtocol: 6, data: octets("c0000050 00000001 00000000 5002ffff 00000000") }],
  ["UDP", { udpPort: 40000, data: something }],
];

/** Lines of tshark that say nothing about the profile. */
const CHATTER = /^Running as user/;

/** Runs tshark with the profile, installed in a folder of its own; it must not complain. */
function tshark(...line: string[]): Promise<string[]> {
  return tsharkWith(profileFiles, ...line);
}

async function tsharkWith(files: ReadonlyMap<string, string>, ...line: string[]): Promise<string[]> {
  const settings = await Deno.makeTempDir({ prefix: "rsp-wireshark-" });
  try {
    await Deno.mkdir(`${settings}/profiles/rsp`, { recursive: true });
    for (const [name, text] of files) {
      await Deno.writeTextFile(`${settings}/profiles/rsp/${name}`, text);
    }
    const { success, stdout, stderr } = await new Deno.Command("tshark", {
      args: ["-n", "-C", "rsp", ...line],
      env: { WIRESHARK_CONFIG_DIR: settings },
    }).output();
    const text = new TextDecoder();
    const complaints = text.decode(stderr).split("\n").filter((one) => one !== "" && !CHATTER.test(one));
    assert.deepEqual(complaints, []);
    assert.ok(success);
    return text.decode(stdout).split("\n").filter((one) => one !== "");
  } finally {
    await Deno.remove(settings, { recursive: true });
  }
}

/** Runs a test on a capture of messages. */
async function withCapture(
  messages: readonly MessageToWrite[],
  check: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, writePcap(messages));
    await check(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Runs a test on a capture of one message for each rule. */
function withMessages(check: (path: string) => Promise<void>): Promise<void> {
  return withCapture(EXPECTED.map(([, message]) => message), check);
}

const RULE_OF_EACH = ["--color", "-T", "fields", "-e", "frame.coloring_rule.name"];

/** How many packets of a capture each of these display filters finds. */
async function countMatches(path: string, filters: readonly string[]): Promise<number[]> {
  for (const filter of filters) assert.ok(!filter.includes(","), `io,stat takes no commas: ${filter}`);
  const lines = await tshark("-q", "-r", path, ...filters.flatMap((filter) => ["-z", `io,stat,0,${filter}`]));
  const counts = lines.flatMap((line) => {
    const match = /<>[^|]*\|\s*(\d+)\s*\|/.exec(line);
    return match === null ? [] : [Number(match[1])];
  });
  assert.equal(counts.length, filters.length);
  return counts.reverse(); // tshark tells of the last one first
}

Deno.test("each colouring rule colours the message that it is for, and no message of another rule", () =>
  withMessages(async (path) => {
    assert.deepEqual(
      await tshark("-r", path, "-o", "sctp.checksum:CRC 32c", ...RULE_OF_EACH),
      EXPECTED.map(([rule]) => rule),
    );
    const rules = ownProfile().colouring.flatMap((group) => group.rules.map(({ name }) => name));
    assert.deepEqual(new Set(EXPECTED.map(([rule]) => rule)), new Set(rules));
  }));

Deno.test("each display filter and each button finds something, and not everything", () =>
  withMessages(async (path) => {
    const buttons = [...profileFiles.get("dfilter_buttons")!.matchAll(/^"TRUE","[^"]+","([^"]+)"/gm)];
    assert.ok(buttons.length > 5);
    const filters = [
      ...ownProfile().displayFilters.map(({ filter }) => filter),
      ...buttons.map(([, filter = ""]) => filter),
    ];
    const counts = await countMatches(path, filters);
    for (const [index, filter] of filters.entries()) {
      assert.ok(counts[index]! > 0 && counts[index]! < EXPECTED.length, `${filter}: ${counts[index]}`);
    }
  }));

Deno.test("countMatches() tells filters apart", () =>
  withMessages(async (path) => {
    const filters = ["pingpongprotocol", "arp", "asap.message_type == 12"];
    assert.deepEqual(await countMatches(path, filters), [2, 0, 1]);
  }));

Deno.test("the columns tell pool elements, registrars and statuses", () =>
  withMessages(async (path) => {
    const lines = await tshark("-r", path);
    const line = (pattern: RegExp) => lines.filter((one) => pattern.test(one))[0] ?? "";
    assert.match(line(/Registration $/), / 0x0000 +ASAP +0x11223344 /);
    assert.match(line(/Keep-Alive $/), / ASAP +0x11223344 0xc2818128 /);
    assert.match(line(/ENRP List Request/), / ENRP +0xc2818128 /);
    assert.match(line(/ComponentStatus/), / 1 Session /);
  }));

Deno.test("UDP ports that the embedded stack draws carry SCTP where the profile was told so", () => {
  const data = octets("4e204e21 12345678 00000000 0b000004");
  const messages = [30000, 31234, 32767, 29999, 32768].map((udpPort) => ({ udpPort, data }));
  return withCapture(messages, async (path) => {
    const protocols = ["-r", path, "-T", "fields", "-e", "_ws.col.Protocol"];
    assert.deepEqual(await tshark(...protocols), ["UDP", "UDP", "UDP", "UDP", "UDP"]);
    assert.deepEqual(
      await tsharkWith(filesOfProfile(true), ...protocols),
      ["SCTP", "SCTP", "SCTP", "UDP", "UDP"],
    );
  });
});

for (const name of CAPTURE_NAMES) {
  Deno.test(`the rules colour ${name}: nothing is left over`, async () => {
    const colours = new Map<string, number>();
    const rules = await tshark("-r", readCapture(name).path, ...RULE_OF_EACH);
    for (const rule of rules) colours.set(rule, (colours.get(rule) ?? 0) + 1);

    // RSPLIB's rejection of a registration without the pool's policy, which is in one of them, is malformed indeed.
    assert.equal(colours.get("Malformed"), name === "exercise-h4.pcap" ? 1 : undefined);
    for (const rest of ["", "SCTP", "UDP", "TCP"]) assert.equal(colours.get(rest), undefined, rest);
    for (const good of ["ASAP Server Announce", "ENRP Presence", "ASAP Cookie", "ASAP Cookie Echo"]) {
      assert.ok((colours.get(good) ?? 0) > 0, good);
    }
    assert.ok(colours.size > 15);
  });
}
