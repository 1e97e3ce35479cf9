/**
 * What the embedded stack put onto the wire in the tests against the kernel, judged by tshark. The kernel's own packets
 * are left out: a virtual device may leave checksums to hardware that it does not have.
 */
import assert from "node:assert/strict";
import { packets, WARNED } from "../net/dissect.ts";
import { TAP_CAPTURES } from "./groups.ts";
import { NETWORKS } from "./peer_network.ts";

const folder = Deno.env.get(TAP_CAPTURES);
/** Packets below which the captures have missed what the tests sent over the first network. */
const ENOUGH = 100;
/** Many a message of the transport contract has a PPID that belongs to a protocol, which its octets are not of. */
const PLAIN_DATA = ["-d", "sctp.ppi==0-2000,data"];

for (const [number, { host }] of NETWORKS.entries()) {
  const file = `${folder}/tap${number}.pcap`;
  const ours = `(${host.map((one) => `${one.includes(":") ? "ipv6" : "ip"}.src == ${one}`).join(" or ")})`;

  Deno.test({
    name: `tap${number}: the checksums of the embedded stack are right`,
    ignore: folder === undefined,
    async fn() {
      assert.deepEqual(await packets(file, `sctp and ${ours} and not sctp.checksum.status == "Good"`), []);
      const sent = {
        raw: (await packets(file, `sctp and not udp and ${ours}`)).length,
        udp: (await packets(file, `sctp and udp and ${ours}`)).length,
      };
      const enough = number === 0 ? ENOUGH : 1;
      assert.ok(sent.raw >= enough && sent.udp >= enough, `packets captured: ${JSON.stringify(sent)}`);
    },
  });

  Deno.test({
    name: `tap${number}: tshark finds no fault in the packets of the embedded stack`,
    ignore: folder === undefined,
    async fn() {
      const faulty = `(_ws.malformed or ${WARNED}) and ${ours}`;
      assert.deepEqual(await packets(file, faulty, [], PLAIN_DATA), []);
    },
  });
}
