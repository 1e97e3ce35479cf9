/** Speaks in a multicast group, or hears it and prints what comes: `multicast_probe.ts speak|hear GROUP PORT`. */
import { joinGroup } from "../../cmd/driver/multicast.ts";

const [role, address = "", port = ""] = Deno.args;
const group = joinGroup({
  group: { address, port: Number(port) },
  sourcePort: role === "speak" ? Number(port) : undefined,
  onDatagram: role === "hear"
    ? (source, data) => console.log(`from ${source.address} ${source.port} ${data.toHex()}`)
    : undefined,
  onProblem: (sentence) => console.log(`problem ${sentence}`),
});
if (role === "speak") setInterval(() => group.send(Uint8Array.of(10, 0, 0, 8, 1, 2, 3, 4)), 200);
else setTimeout(() => console.log("ready"), 200);
