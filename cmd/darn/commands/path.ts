/** Commands about paths and addresses. */
import { parseIpAddress } from "../../../protocol/net.ts";
import type { AssociationStatus, Endpoint, IpAddress } from "../../../protocol/net.ts";
import type { Association } from "../associations.ts";
import { CommandError } from "../command_error.ts";
import { expectNothingElse } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import { localHostAddresses } from "../hosts.ts";
import type { InteractiveCommand } from "../interactive_command.ts";
import { renderPaths } from "../render/association.ts";
import type { Session } from "../session.ts";
import { associationOf, namedAssociation } from "./association.ts";

function peerAddresses(session: Session): readonly string[] {
  return session.associations.current?.peerAddresses ?? [];
}

function localAddresses(session: Session): readonly string[] {
  return session.endpoint.addresses;
}

/** One of the peer's addresses, as a word. */
function peerAddress(association: Association, text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new CommandError(`${JSON.stringify(text)} is not an address`);
  if (association.peerAddresses.includes(address)) return address;
  const known = association.peerAddresses.join(", ");
  throw new CommandError(`${address} is not an address of the peer, which has ${known}`);
}

function statusOf(association: Association): AssociationStatus {
  const status = association.endpoint.status(association.id);
  if (status === undefined) throw new CommandError("No association is present now!!");
  return status;
}

const primary: InteractiveCommand = {
  name: "primary",
  usage: "[=<address>] [assoc=<n>]",
  summary: "Show or choose the peer's address that data goes to as long as it works",
  group: "Paths and addresses",
  words: peerAddresses,
  async run(scope, line) {
    expectNothingElse(line, 1, ["assoc"]);
    const { session } = scope;
    const association = await associationOf(scope, line);
    const word = line.words[0];
    if (word === undefined || line.query) {
      const path = statusOf(association).paths.find((one) => one.primary);
      session.display.say(`primary is ${path?.address ?? "not known"}`, {
        event: "primary",
        association: association.number,
        address: path?.address,
      });
      return;
    }
    const address = peerAddress(association, word);
    session.execute(association, { type: "setPrimary", association: association.id, address });
  },
};

const peerPrimary: InteractiveCommand = {
  name: "peer_primary",
  usage: "=<address> [assoc=<n>]",
  summary: "Ask the peer to send to this address of ours (RFC 5061)",
  group: "Paths and addresses",
  words: localAddresses,
  async run(scope, line) {
    expectNothingElse(line, 1, ["assoc"]);
    const association = await associationOf(scope, line);
    const address = parseIpAddress(line.words[0] ?? "");
    if (address === undefined) throw new CommandError("peer_primary wants an address of this side");
    association.endpoint.setPeerPrimary(association.id, address);
  },
};

const heartbeat: InteractiveCommand = {
  name: "heartbeat",
  usage: "[=<address>] [assoc=<n>]",
  summary: "Send a HEARTBEAT on one path or on all; the answers are shown with their round trips",
  group: "Paths and addresses",
  words: peerAddresses,
  async run(scope, line) {
    expectNothingElse(line, 1, ["assoc"]);
    const { session } = scope;
    const association = await associationOf(scope, line);
    const word = line.words[0];
    const address = word === undefined ? undefined : peerAddress(association, word);
    session.execute(association, {
      type: "heartbeat",
      association: association.id,
      ...(address !== undefined && { address }),
    });
    if (session.transport.kind !== "kernel") return;
    session.display.say(
      "HEARTBEAT sent; only with CAP_NET_RAW is the answer seen, else `paths` shows the round trip",
      {
        event: "heartbeat",
        association: association.number,
      },
    );
  },
};

const paths: InteractiveCommand = {
  name: "paths",
  usage: " [assoc=<n>]",
  summary: "Show the paths: state, congestion window, round trip, RTO, MTU, heartbeat; * is the primary one",
  group: "Paths and addresses",
  async run(scope, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const association = await associationOf(scope, line);
    const found = statusOf(association).paths;
    const heartbeats = found.map(({ address }) => heartbeatOf(association, address));
    scope.session.display.show(renderPaths(association, found, heartbeats));
  },
};

/** `30000 ms`, `off`, or nothing where the transport does not say. */
function heartbeatOf({ endpoint, id }: Association, address: IpAddress): string {
  try {
    const { hbinterval, heartbeat: on } = endpoint.getOption("peer_addr_params", {
      association: id,
      address,
    });
    return on === false || hbinterval === 0 ? "off" : hbinterval === undefined ? "" : `${hbinterval} ms`;
  } catch {
    return ""; // a column of a table is not worth an error
  }
}

const bindxAdd: InteractiveCommand = {
  name: "bindx-add",
  usage: "=<host>",
  summary: "Add an address of this host; living associations learn of it where both sides can (RFC 5061)",
  group: "Paths and addresses",
  run: (scope, line) => changeAddresses(scope.session, line, "add"),
};

const bindxRemove: InteractiveCommand = {
  name: "bindx-rem",
  aliases: ["bindx-remove"],
  usage: "=<host>",
  summary: "Take an address of this host away",
  group: "Paths and addresses",
  words: localAddresses,
  run: (scope, line) => changeAddresses(scope.session, line, "remove"),
};

async function changeAddresses(session: Session, line: CommandLine, change: "add" | "remove"): Promise<void> {
  expectNothingElse(line, 1, ["assoc"]);
  const [host] = line.words;
  if (host === undefined || host === "") throw new CommandError(`${line.name} wants an address of this host`);
  const number = namedAssociation(line);
  const endpoint: Endpoint = number === undefined ? session.endpoint : session.association(number).endpoint;
  for (const address of await localHostAddresses([host])) {
    if (change === "add") endpoint.addAddress(address);
    else endpoint.removeAddress(address);
  }
}

/** Commands about paths and addresses. */
export const pathCommands: readonly InteractiveCommand[] = [
  paths,
  primary,
  peerPrimary,
  heartbeat,
  bindxAdd,
  bindxRemove,
];
