/** Commands about whole associations. */
import { formatTransportAddress } from "../../../protocol/net.ts";
import type { Association } from "../associations.ts";
import { showPeer } from "../associations.ts";
import { CommandError, DarnExitCode } from "../command_error.ts";
import { expectNothingElse, readNumber } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import { hostAddresses } from "../hosts.ts";
import type { CommandScope, InteractiveCommand } from "../interactive_command.ts";
import { renderAssociations, renderStatus } from "../render/association.ts";
import { renderStatistics } from "../render/statistics.ts";
import { isDown } from "../session.ts";
import type { Session } from "../session.ts";

/** `assoc=N`, as a number. */
export function namedAssociation(line: CommandLine): number | undefined {
  const text = line.settings.get("assoc");
  return text === undefined ? undefined : readNumber(text, "assoc=", 1, 0xffff_ffff);
}

/** The association that a line is about. A script waits for its first one. */
export async function associationOf(scope: CommandScope, line: CommandLine): Promise<Association> {
  const { session, signal, isTyped } = scope;
  const number = namedAssociation(line);
  const isFirst = session.associations.isUntouched;
  if (number === undefined && !isTyped && isFirst) {
    await session.waitFor("association", ({ event }) => event.type === "up", signal, { from: 1 });
  }
  return session.association(number);
}

/** The number of an association as a word: `use 2`. */
function numberWord(line: CommandLine): number {
  const word = line.words[0];
  if (word === undefined) {
    throw new CommandError(`${line.name} wants the number of an association (see assocs)`);
  }
  return readNumber(word.replace(/^#/, ""), "the number of an association", 1, 0xffff_ffff);
}

function numbers(session: Session): readonly string[] {
  return session.associations.all.map(({ number }) => String(number));
}

const connect: InteractiveCommand = {
  name: "connect",
  aliases: ["connectx"],
  usage: " [<host>[,<host>...] <port>] [encap-port=<n>]",
  summary: "Set up an association; without a host, to the peer of the command line",
  group: "Associations",
  async run({ session, signal }, line) {
    expectNothingElse(line, 2, ["encap-port"]);
    const [hosts, port] = line.words;
    const encapsulation = line.settings.get("encap-port");
    if (hosts === undefined) {
      const { peer } = session.settings;
      if (peer === undefined) {
        throw new CommandError("connect wants a host and a port: connect 10.1.0.2 1234");
      }
      await session.connect(peer, signal);
      return;
    }
    if (port === undefined) {
      throw new CommandError(`connect wants a port behind the host: connect ${hosts} 1234`);
    }
    await session.connect({
      addresses: await hostAddresses(hosts.split(",")),
      port: readNumber(port, "the port", 1, 65535),
      encapsulationPort: encapsulation === undefined
        ? session.settings.peer?.encapsulationPort
        : readNumber(encapsulation, "encap-port=", 0, 65535),
    }, signal);
  },
};

const shutdown: InteractiveCommand = {
  name: "shutdown",
  usage: " [assoc=<n>]",
  summary: "End the association in order: all that was sent arrives",
  group: "Associations",
  async run({ session, signal }, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const association = present(session, line, "SHUTDOWN");
    const from = session.events.next;
    session.associations.change(association, { ending: true });
    session.execute(association, { type: "shutdown", association: association.id });
    const { event } = await session.waitFor("SHUTDOWN COMPLETE", isDown(association.number), signal, {
      from,
    });
    if (event.type === "down" && event.reason !== "shutdown") {
      throw new CommandError("the association was lost while it was shut down", DarnExitCode.association);
    }
    session.display.say("Successfully SHUTDOWN the original association", {
      event: "shutdown",
      association: association.number,
    });
  },
};

const abort: InteractiveCommand = {
  name: "abort",
  usage: "[=<reason>] [assoc=<n>]",
  summary: "End the association at once by ABORT, with a reason for the peer if there is one",
  group: "Associations",
  async run({ session, signal }, line) {
    expectNothingElse(line, 1, ["assoc"]);
    const association = present(session, line, "ABORT");
    const from = session.events.next, reason = line.words[0];
    session.execute(association, {
      type: "abort",
      association: association.id,
      ...(reason !== undefined && { reason }),
    });
    await session.waitFor("end of the association", isDown(association.number), signal, { from });
    session.display.say("Successfully ABORT the original association", {
      event: "abort",
      association: association.number,
    });
  },
};

function present(session: Session, line: CommandLine, what: string): Association {
  const number = namedAssociation(line);
  if (number === undefined && session.associations.current === undefined) {
    throw new CommandError(`The association is not present yet! Cannot ${what}!`, DarnExitCode.association);
  }
  return session.association(number);
}

const assocs: InteractiveCommand = {
  name: "assocs",
  aliases: ["associations"],
  usage: "",
  summary: "List the associations; * is the one that commands are about",
  group: "Associations",
  run({ session }, line) {
    expectNothingElse(line, 0);
    const { all, current } = session.associations;
    session.display.show(renderAssociations(all.map((association) => ({
      association,
      status: association.endpoint.status(association.id),
      current: association.number === current?.number,
    }))));
  },
};

const use: InteractiveCommand = {
  name: "use",
  usage: " <n>",
  summary: "Choose the association that commands are about",
  group: "Associations",
  words: numbers,
  run({ session }, line) {
    expectNothingElse(line, 1);
    const number = numberWord(line);
    if (!session.associations.choose(number)) throw new CommandError(`there is no association #${number}`);
    const association = session.association(number);
    session.display.say(`#${number} is ${showPeer(association)}`, {
      event: "use",
      association: number,
      peer: showPeer(association),
    });
  },
};

const peeloff: InteractiveCommand = {
  name: "peeloff",
  usage: " [<n>]",
  summary: "Give an association an endpoint of its own (RFC 6458, sctp_peeloff)",
  group: "Associations",
  words: numbers,
  run({ session }, line) {
    expectNothingElse(line, 1);
    const association = session.association(line.words[0] === undefined ? undefined : numberWord(line));
    const endpoint = session.peelOff(association);
    session.display.say(`#${association.number} has an endpoint of its own, port ${endpoint.port}`, {
      event: "peeloff",
      association: association.number,
      port: endpoint.port,
    });
  },
};

const status: InteractiveCommand = {
  name: "status",
  usage: " [assoc=<n>]",
  summary: "Show state, streams, windows, tags and extensions of the association",
  group: "Associations",
  async run(scope, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const association = await associationOf(scope, line);
    const found = association.endpoint.status(association.id);
    if (found === undefined) throw new CommandError("No association is present now!!");
    scope.session.display.show(renderStatus(association, found));
  },
};

const stats: InteractiveCommand = {
  name: "stats",
  aliases: ["statistics"],
  usage: " [assoc=<n>]",
  summary: "Show the statistics of the association, with what was added since the last time",
  group: "Associations",
  async run(scope, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const { session } = scope;
    const association = await associationOf(scope, line);
    const statistics = association.endpoint.statistics(association.id);
    if (statistics === undefined) {
      throw new CommandError(`the ${session.transport.kind} transport has no statistics of this association`);
    }
    const sample = { statistics, at: performance.now() };
    session.display.show(renderStatistics(association, sample, session.samples.get(association.number)));
    session.samples.set(association.number, sample);
  },
};

const addresses: InteractiveCommand = {
  name: "addresses",
  aliases: ["getladdrs", "getpaddrs"],
  usage: " [assoc=<n>]",
  summary: "List the addresses of both sides",
  group: "Paths and addresses",
  run({ session }, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const number = namedAssociation(line);
    const association = number === undefined ? session.associations.current : session.association(number);
    const endpoint = association?.endpoint ?? session.endpoint;
    const local = endpoint.addresses.map((address) =>
      formatTransportAddress({ address, port: endpoint.port })
    );
    const peer = (association?.peerAddresses ?? []).map((address) =>
      formatTransportAddress({ address, port: association?.peerPort ?? 0 })
    );
    const peerLines = association === undefined
      ? []
      : [`Addresses of the peer (#${association.number})`, ...peer];
    session.display.show({
      lines: ["Local addresses", ...local, ...peerLines],
      fields: { event: "addresses", association: association?.number, local, peer },
    });
  },
};

/** Commands about whole associations. */
export const associationCommands: readonly InteractiveCommand[] = [
  connect,
  shutdown,
  abort,
  assocs,
  use,
  peeloff,
  status,
  stats,
  addresses,
];
