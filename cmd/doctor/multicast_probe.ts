/**
 * Whether a multicast datagram comes back to this host. It goes no further than the next link, to a port that nobody
 * knows. (It should not leave at all, but `node:dgram` refuses a TTL of 0.)
 */
import dgram from "node:dgram";
import { randomBytes } from "node:crypto";
import { isIpv4 } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { multicastInterfaces } from "../driver/multicast.ts";

/** How long a datagram may take within a host. */
const PATIENCE_MS = 500;

/** What became of a datagram on each interface that has an address of the group's family: "ok", or what went wrong. */
export async function probeDelivery(group: IpAddress): Promise<{ interface: string; outcome: string }[]> {
  return await Promise.all(
    multicastInterfaces(group).map(async ({ name, address }) => ({
      interface: name,
      outcome: await probeInterface(group, name, address),
    })),
  );
}

async function probeInterface(group: IpAddress, name: string, address: IpAddress): Promise<string> {
  const type = isIpv4(group) ? "udp4" : "udp6";
  const membership = isIpv4(group) ? address : `::%${name}`;
  const receiver = dgram.createSocket({ type, reuseAddr: true }), sender = dgram.createSocket({ type });
  const outcome = Promise.withResolvers<string>();
  const timer = setTimeout(() => outcome.resolve("nothing came back"), PATIENCE_MS);
  const nonce = randomBytes(16);
  const fail = (error: Error) => outcome.resolve(error.message);
  try {
    receiver.on("error", fail);
    sender.on("error", fail);
    receiver.on("message", (data) => {
      if (nonce.equals(data)) outcome.resolve("ok");
    });
    await bound(receiver, group);
    receiver.addMembership(group, membership);
    await bound(sender, address.replace(/%.*/, `%${name}`));
    sender.setMulticastTTL(1);
    sender.setMulticastInterface(membership);
    sender.setMulticastLoopback(true);
    sender.send(nonce, receiver.address().port, group, (error) => {
      if (error) fail(error);
    });
    return await outcome.promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    await Promise.all([closed(receiver), closed(sender)]);
  }
}

/** Why a port cannot be heard in a group, shared as the toolkit shares it; undefined = it can. */
export async function probeSharing(group: IpAddress, port: number): Promise<string | undefined> {
  const socket = dgram.createSocket({ type: isIpv4(group) ? "udp4" : "udp6", reuseAddr: true });
  try {
    await bound(socket, group, port);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await closed(socket);
  }
}

function bound(socket: dgram.Socket, address: string, port: number = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function closed(socket: dgram.Socket): Promise<void> {
  return new Promise((resolve) => {
    try {
      socket.close(() => resolve());
    } catch { // the bind failed, and the socket closed itself
      resolve();
    }
  });
}
