import assert from "node:assert/strict";
import {
  ComponentGroup,
  componentGroupOf,
  componentId,
  componentObjectOf,
} from "../../../protocol/csp/component_id.ts";
import {
  MAX_CSP_ASSOCIATIONS,
  readComponentReport,
  writeComponentReport,
} from "../../../protocol/csp/report.ts";
import type { ComponentReport } from "../../../protocol/csp/report.ts";
import { DecodeError, encodeText } from "../../../protocol/wire/mod.ts";
import { fc } from "../../properties.ts";

/** Of RSPLIB 3.4.4 (reference/rsplib.md §8). */
const SAMPLES: { name: string; hex: string; value: ComponentReport }[] = [
  {
    name: "an element with one session, and its registrar",
    hex: "01000138" + "00000200" + "0200000011223344" + "00000000001ef77f" + "000f4240" +
      textField("(none): 10.1.1.1:42976") + textField("0 Sessions") + "ffff" + "0001" +
      "01000000c2818128" + "00000000000f44fc" + "0000" + "0084" + "0000000b",
    value: {
      sender: componentId(ComponentGroup.element, 0x11223344),
      isFinal: false,
      uptimeUs: 0x1ef77fn,
      intervalUs: 1_000_000,
      location: "(none): 10.1.1.1:42976",
      status: "0 Sessions",
      workload: undefined,
      associations: [{
        receiver: componentId(ComponentGroup.registrar, 0xc2818128),
        durationUs: 0xf44fcn,
        protocol: 132,
        ppid: 11,
      }],
    },
  },
  {
    name: "its last report",
    hex: "01010120" + "00000200" + "0200000011223344" + "000000000283c4f8" + "000f4240" + textField("") +
      textField("") +
      "0000" + "0000",
    value: {
      sender: componentId(ComponentGroup.element, 0x11223344),
      isFinal: true,
      uptimeUs: 0x283c4f8n,
      intervalUs: 1_000_000,
      location: "",
      status: "",
      workload: 0,
      associations: [],
    },
  },
];

function textField(text: string): string {
  return encodeText(text).toHex().padEnd(256, "0");
}

const [{ value: REPORT, hex: HEX }] = SAMPLES as [typeof SAMPLES[number]];

for (const { name, hex, value } of SAMPLES) {
  Deno.test(`writeComponentReport() writes ${name} as RSPLIB does`, () => {
    assert.equal(writeComponentReport(value).toHex(), hex);
  });
  Deno.test(`readComponentReport() reads ${name} of RSPLIB`, () => {
    assert.deepEqual(readComponentReport(Uint8Array.fromHex(hex)), value);
  });
}

Deno.test("readComponentReport() refuses every truncation, and a longer datagram", () => {
  const octets = Uint8Array.fromHex(HEX);
  for (let length = 0; length < octets.length; length++) {
    assert.throws(() => readComponentReport(octets.subarray(0, length)), DecodeError, String(length));
  }
  assert.throws(() => readComponentReport(Uint8Array.of(...octets, 0)), DecodeError);
});

Deno.test("readComponentReport() refuses another type and another version", () => {
  for (const [at, value] of [[0, 2], [6, 3]] as const) {
    const octets = Uint8Array.fromHex(HEX);
    octets[at] = value;
    assert.throws(() => readComponentReport(octets), DecodeError);
  }
});

Deno.test("readComponentReport() reads whatever it reads to what writes the same octets, but for text and flags", () => {
  const octets = Uint8Array.fromHex(HEX);
  fc.assert(
    fc.property(fc.nat(octets.length * 8 - 1), (bit) => {
      const damaged = octets.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const report = readComponentReport(damaged);
        assert.deepEqual(readComponentReport(writeComponentReport(report)).associations, report.associations);
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a workload survives within a 65534th", () => {
  for (const workload of [0, 0.25, 0.5, 1]) {
    const back = readComponentReport(writeComponentReport({ ...REPORT, workload })).workload;
    assert.ok(back !== undefined && Math.abs(back - workload) < 1 / 65_534, String(workload));
  }
});

Deno.test("a text that is too long is cut between two characters, with a zero behind it", () => {
  const written = writeComponentReport({ ...REPORT, status: `${"x".repeat(126)}é!` });
  const field = written.subarray(156, 284);
  assert.deepEqual([field[125], field[126], field[127]], [0x78, 0, 0]);
  assert.equal(
    readComponentReport(writeComponentReport({ ...REPORT, location: "y".repeat(300) })).location,
    "y".repeat(127),
  );
});

Deno.test("readComponentReport() gives texts that a terminal may show", () => {
  const octets = Uint8Array.fromHex(HEX);
  octets.set(encodeText("\x1b[2J"), 156);
  assert.match(readComponentReport(octets).status, /^\\x1b\[2J/);
});

Deno.test("as many associations as a datagram holds can be written", () => {
  const [association] = REPORT.associations;
  const associations = Array.from({ length: MAX_CSP_ASSOCIATIONS }, () => association!);
  const octets = writeComponentReport({ ...REPORT, associations });
  assert.ok(octets.length <= 65_507);
  assert.equal(readComponentReport(octets).associations.length, MAX_CSP_ASSOCIATIONS);
});

Deno.test("componentId() joins a group and an object", () => {
  const id = componentId(ComponentGroup.user, 0xff_ffff_ffff_ffffn);
  assert.deepEqual([id, componentGroupOf(id), componentObjectOf(id)], [
    0x03ff_ffff_ffff_ffffn,
    3,
    0xff_ffff_ffff_ffffn,
  ]);
});
