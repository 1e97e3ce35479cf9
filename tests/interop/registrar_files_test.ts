/**
 * What registrars write about themselves, RSPLIB's and ours as peers of one scope: action log, statistics and scalar file
 * have the same columns and speak of the same messages, and each side's monitor reads the status reports of the other. Run by
 * `scripts/kernel-lab test registrar`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SeenMessage } from "./live_capture.ts";
import { complaints, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, serving } from "./rsplib_lab.ts";

const ORIGINAL: Role = "registrar",
  OURS: Role = "secondServer",
  ELEMENTS: Role = "server",
  MONITOR: Role = "user";

const ACTION_LINE =
  /^\d{6} {3}\d+\.\d{6} \d+\.\d{6} {3}"(?:Send|Recv)" ("\w+" "\w+" "\w*") {3}0x[\da-f]+ \d+ \d+\.\d{6} {3}"\w*" 0x[\da-f]+ {3}0x[\da-f]+ 0x[\da-f]+ 0x[\da-f]+ {3}[\da-f]+$/;
const STATISTICS_LINE =
  /^\d{6} \d+\.\d{6} \d+\.\d{6} {3}\d+\.\d{6} \d+\.\d{6} \d+\.\d{6} {3}(\d+ ){3}\d+ {3}(\d+ ){7}\d+$/;

Deno.test({
  name: "rsp registrar and rspregistrar write the same files, and each side's monitor shows the other",
  ignore: !kernelSctpSupport().available,
  fn: async (t) => {
    await using lab = await Lab.make(`files-${Deno.pid}`);
    const folder = await Deno.makeTempDir();
    const monitored = [`-cspserver=${Lab.addresses(MONITOR)[0]}`, "-cspinterval=1000"];
    const words = (role: Role, id: string) => {
      const [address] = Lab.addresses(role), path = `${folder}/${role}`;
      return [
        ...[`-identifier=${id}`, `-asap=${address}:3863`, `-enrp=${address}:9901`, ...monitored],
        ...[
          `-actionlogfile=${path}.actions`,
          `-statsfile=${path}.stats`,
          "-statsinterval=500",
          `-scalar=${path}.sca`,
          "-endpointkeepalivetransmissioninterval=1000",
          PATIENT_REGISTRAR,
        ],
      ];
    };
    const monitor = lab.original(MONITOR, "cspmonitor", "-full");
    const original = await serving(lab.original(ORIGINAL, "rspregistrar", ...words(ORIGINAL, "0x1111")));
    const ours = await serving(lab.ours(OURS, "registrar", ...words(OURS, "0x2222")));
    const ourMonitor = lab.ours(OURS, "cspmonitor", "-full", `-localaddress=${Lab.addresses(OURS)[0]}`);
    const register = (service: string, role: Role, ...more: string[]) =>
      lab.original(
        ELEMENTS,
        ...["rspserver", service, "-asapannounce=off", PATIENT_ELEMENT],
        `-registrar=${Lab.addresses(role)[0]}:3863`,
        ...more,
      );
    for (const role of [ORIGINAL, OURS]) {
      const sends = ({ ppid, source }: SeenMessage) =>
        ppid === Ppid.enrp && Lab.addresses(role).includes(source);
      await lab.sees(`ENRP of ${role}`, sends);
    }
    register(
      "-echo",
      ORIGINAL,
      ...["-cspidentifier=0x3333", `-cspserver=${Lab.addresses(OURS)[0]}`, "-cspinterval=1000"],
    );
    const leaver = register("-discard", OURS);

    await t.step("RSPLIB's monitor shows what both have, and that they are peers", async () => {
      for (const [id, peer] of [["00001111", "00002222"], ["00002222", "00001111"]]) {
        await monitor.says(
          new RegExp(`PR \\$${id} .* A=1 "2\\[1\\] PEs in 2 Pools, 1 Peer"\\s*-> PR \\$${peer} +ENRP/SCTP`),
        );
      }
    });
    await t.step("rsp cspmonitor shows RSPLIB's element, and that it has a registrar", async () => {
      await ourMonitor.says(/ PE \$00003333 .* A=1 "0 Sessions"\s*-> PR \$00001111 +ASAP\/SCTP/);
      assert.equal(await ourMonitor.interrupt(), 0, ourMonitor.quote());
    });
    await t.step("both end", async () => {
      for (const registrar of [ORIGINAL, OURS]) {
        const matches = (_: unknown, { destination }: SeenMessage) =>
          Lab.addresses(registrar).includes(destination);
        await lab.seesAsap("endpointKeepAliveAck", ELEMENTS, { matches });
      }
      assert.equal(await leaver.interrupt(), 0, leaver.quote());
      await lab.seesAsap("deregistrationResponse", OURS);
      assert.equal(await ours.interrupt(), 0, ours.quote());
      await monitor.says(/1 PRs(?![^]*2 PRs)/); // the final report takes it from the display
      assert.equal(await original.interrupt(), 0, original.quote());
    });

    const lines = async (role: Role, name: string) =>
      (await Deno.readTextFile(`${folder}/${role}.${name}`)).trimEnd().split("\n");
    await t.step(
      "the action logs have the same columns, and ours knows each action of RSPLIB's, whichever way",
      async () => {
        const [theirHeader, ...theirs] = await lines(ORIGINAL, "actions"),
          [header, ...own] = await lines(OURS, "actions");
        assert.equal(header, theirHeader);
        const actions = [theirs, own].map((log) =>
          log.map((line) => ACTION_LINE.exec(line)?.[1] ?? assert.fail(line))
        );
        const known = new Set(actions[1]);
        assert.deepEqual(
          [...new Set(actions[0])].filter((action) => !known.has(action)),
          [],
        );
      },
    );
    await t.step("the statistics have the same columns", async () => {
      const [theirHeader, ...theirs] = await lines(ORIGINAL, "stats"),
        [header, ...own] = await lines(OURS, "stats");
      assert.equal(header, theirHeader);
      for (const line of [...theirs, ...own]) assert.match(line, STATISTICS_LINE);
      assert.match(own.at(-1) ?? "", / {3}1 [12] [12] [01] {3}/, "a peer, and one or two elements");
    });
    await t.step("the scalars have the same names", async () => {
      const names = async (role: Role) =>
        (await lines(role, "sca")).map((line) => line.replace(/ +[\d.]+$/, ""));
      assert.deepEqual(await names(OURS), await names(ORIGINAL));
    });
    await t.step("tshark finds nothing wrong with our packets", async () => {
      await Deno.writeFile(`${folder}/all.pcap`, await lab.endCapture());
      assert.deepEqual(await complaints(`${folder}/all.pcap`, Lab.addresses(OURS)), []);
    });
    await Deno.remove(folder, { recursive: true });
  },
});
