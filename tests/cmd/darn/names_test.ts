import assert from "node:assert/strict";
import { causeName, describeCause } from "../../../cmd/darn/cause_names.ts";
import { ppidName, readPpid, showPpid } from "../../../cmd/darn/ppid_names.ts";

for (
  const [text, ppid] of [
    ["3", 3],
    ["0xff", 255],
    ["M3UA", 3],
    ["ngap", 60],
    ["SBc-AP", 24],
    ["h248", 7],
    ["4294967295", 0xffff_ffff],
  ] as const
) {
  Deno.test(`readPpid() reads ${text}`, () => assert.equal(readPpid(text), ppid));
}

Deno.test("readPpid() refuses what is no PPID and says what may have been meant", () => {
  assert.throws(() => readPpid("M3UB"), /did you mean M3UA\?/);
  assert.throws(() => readPpid("4294967296"), /32 bits/);
  assert.throws(() => readPpid("-1"), /32 bits/);
});

Deno.test("showPpid() shows name and number in host order, large ones in hexadecimal", () => {
  assert.equal(showPpid(11), "11 (ASAP)");
  assert.equal(showPpid(1234), "1234");
  assert.equal(showPpid(0x0b000000), "0x0b000000");
  assert.equal(ppidName(9999), undefined);
});

const CAUSES: readonly (readonly [code: number, hex: string, text: string])[] = [
  [1, "00070000", "Invalid Stream Identifier (stream 7)"],
  [2, "000000010007", "Missing Mandatory Parameter (parameter 0x0007)"],
  [3, "00002710", "Stale Cookie (by 10000 us)"],
  [4, "", "Out of Resource"],
  [5, "000500080a010002", "Unresolvable Address (10.1.0.2)"],
  [6, "c0000004", "Unrecognized Chunk Type (chunk type 192)"],
  [7, "", "Invalid Mandatory Parameter"],
  [8, "80010008", "Unrecognized Parameters (parameter 0x8001)"],
  [9, "00000064", "No User Data (TSN 100)"],
  [10, "", "Cookie Received While Shutting Down"],
  [11, "00060014fd010000000000000000000000000001", "Restart of an Association with New Addresses (fd01::1)"],
  [12, "627965", 'User-Initiated Abort ("bye")'],
  [12, "", "User-Initiated Abort"],
  [13, "1b5b324a", 'Protocol Violation ("\\\\x1b[2J")'],
  [14, "26ab1234", "Restart of an Association with New Encapsulation Port (UDP port 9899, now 4660)"],
  [0xa0, "", "Request to Delete Last Remaining IP Address"],
  [0xa1, "", "Operation Refused Due to Resource Shortage"],
  [0xa2, "", "Request to Delete Source IP Address"],
  [0xa3, "", "Association Aborted Due to Illegal ASCONF-ACK"],
  [0xa4, "", "Request Refused - No Authorization"],
  [0x105, "0001", "Unsupported HMAC Identifier (HMAC 1)"],
  [999, "", "error cause 999"],
];

for (const [code, hex, text] of CAUSES) {
  Deno.test(`describeCause() puts cause ${code} into words: ${text}`, () => {
    assert.equal(describeCause({ code, info: Uint8Array.fromHex(hex) }), text);
  });
}

Deno.test("describeCause() takes information that is cut short anywhere", () => {
  for (const [code, hex] of CAUSES) {
    const info = Uint8Array.fromHex(hex);
    for (let length = 0; length <= info.length; length++) {
      assert.ok(describeCause({ code, info: info.subarray(0, length) }).startsWith(causeName(code)));
    }
  }
});
