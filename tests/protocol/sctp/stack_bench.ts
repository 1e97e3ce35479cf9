/** How fast the stack is without sockets: sender, receiver, SACKs and both checksums in one thread. */
import { crc32c } from "../../../protocol/sctp/crc32c.ts";
import { transfer } from "./pipe.ts";

const cases = [
  { size: 64, count: 50_000 },
  { size: 1024, count: 20_000 },
  { size: 16_384, count: 2000 },
];
for (const mtu of [1500, 65_535]) {
  for (const { size, count } of cases) {
    Deno.bench(`${count} messages of ${size} octets, MTU ${mtu}`, { group: `MTU ${mtu}` }, () => {
      transfer(size, count, mtu);
    });
  }
}

const octets = new Uint8Array(65_536);
Deno.bench("CRC32c of 64 KiB", { group: "CRC" }, () => {
  crc32c(octets);
});
