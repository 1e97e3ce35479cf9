/** tshark reads every field of a status report as this program means it. */
import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../protocol/csp/component_id.ts";
import { writeComponentReport } from "../../protocol/csp/report.ts";
import type { ComponentReport } from "../../protocol/csp/report.ts";
import { writePcap } from "../pcap.ts";
import { tshark } from "./tshark.ts";

const REPORTS: readonly ComponentReport[] = [
  {
    sender: componentId(ComponentGroup.registrar, 0xc2818128),
    isFinal: false,
    uptimeUs: 1_500_000n,
    intervalUs: 500_000,
    location: "pc1: 10.1.0.1:3863, fd01::1",
    status: "3[2] PEs in 1 Pool, 1 Peer",
    workload: undefined,
    associations: [{
      receiver: componentId(ComponentGroup.registrar, 0x1111),
      durationUs: undefined,
      protocol: 132,
      ppid: 12,
    }],
  },
  {
    sender: componentId(ComponentGroup.user, 0x12_3456_789a_bcden),
    isFinal: true,
    uptimeUs: 2_000_000n,
    intervalUs: 500_000,
    location: "",
    status: "",
    workload: 0,
    associations: [],
  },
];

Deno.test("tshark dissects status reports, and finds none malformed", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(
      path,
      writePcap(REPORTS.map((report) => ({ udpPort: 2960, data: writeComponentReport(report) }))),
    );
    const name = (field: string) => ["-e", `componentstatusprotocol.${field}`];
    const lines = await tshark(
      path,
      "-T",
      "fields",
      ...name("message_sender_id"),
      ...name("message_final_bit"),
      ...name("componentstatusreport_location"),
      ...name("componentstatusreport_status"),
      ...name("componentassociation_receiver_id"),
      ...name("componentassociation_ppid"),
    );
    assert.deepEqual(lines, [
      "0x01000000c2818128\t0\tpc1: 10.1.0.1:3863, fd01::1\t3[2] PEs in 1 Pool, 1 Peer\t0x0100000000001111\t12",
      "0x03123456789abcde\t1\t\t\t\t",
    ]);
    assert.deepEqual(await tshark(path, "-Y", "_ws.malformed || _ws.expert.severity >= warning"), []);
  } finally {
    await Deno.remove(path);
  }
});
