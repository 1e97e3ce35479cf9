/**
 * Sends one message over kernel SCTP, in an association of its own. Arguments: address, SCTP port, PPID, the message in
 * hexadecimal.
 */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { Peer } from "../transport/peer.ts";

const [address = "", port = "", ppid = "", message = ""] = Deno.args;
const transport = openKernelTransport();
const peer = new Peer(transport, {});
const { association } = await peer.up(peer.connect([address], Number(port)));
peer.send(association, Uint8Array.fromHex(message), Number(ppid));
peer.execute({ type: "shutdown", association });
await peer.down(association);
await transport.close();
