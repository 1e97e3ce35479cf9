/** The messages of ASAP and ENRP in a recording, as tshark, an independent dissector, reads them. */
import { tsharkLine } from "./dissect.ts";

/** Message types by their number: RFC 5352 §2.2. */
const ASAP = [
  ...["", "registration", "deregistration", "registrationResponse", "deregistrationResponse"],
  ...["handleResolution", "handleResolutionResponse", "endpointKeepAlive", "endpointKeepAliveAck"],
  ...["endpointUnreachable", "serverAnnounce", "cookie", "cookieEcho", "businessCard", "error"],
];
/** Message types by their number: RFC 5353 §2. */
const ENRP = [
  ...["", "presence", "handleTableRequest", "handleTableResponse", "handleUpdate", "listRequest"],
  ...["listResponse", "initTakeover", "initTakeoverAck", "takeoverServer", "error"],
];
/** What tshark calls a parameter's place in a message, without the protocol, and the fields of a whole message. */
type Tree = { readonly [key: string]: string | Tree | readonly (string | Tree)[] };

/** A message, or a part of one: a parameter with those within it. */
export class WirePart {
  readonly #tree: Tree;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** All values of a field, such as `pool_element_pe_identifier`, in order, those of inner parts too. */
  texts(field: string): string[] {
    const found: string[] = [];
    visit(this.#tree, (key, value) => {
      if (typeof value === "string" && nameOf(key) === field) found.push(value);
    });
    return found;
  }

  /** As {@linkcode WirePart.texts}; numbers, IDs and bits. */
  numbers(field: string): number[] {
    return this.texts(field).map(Number);
  }

  /** The first value of a field, or undefined. */
  number(field: string): number | undefined {
    return this.numbers(field)[0];
  }

  /** The innermost parts that have a field of this name. */
  parts(field: string): WirePart[] {
    const found: WirePart[] = [];
    const look = (tree: Tree): void => {
      if (Object.keys(tree).some((key) => nameOf(key) === field)) found.push(new WirePart(tree));
      visit(tree, (_, value) => {
        if (typeof value === "object") look(value);
      }, false);
    };
    look(this.#tree);
    return found;
  }
}

/** A whole message. */
export class WireMessage extends WirePart {
  /** `asap.registration`, `enrp.presence` … */
  readonly type: string;
  /** What carries it: over SCTP in UDP, too, that is SCTP. */
  readonly carrier: "sctp" | "udp";
  /** An IP address. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Seconds since the recording began. */
  readonly seconds: number;

  constructor(protocol: "asap" | "enrp", tree: Tree, layers: Tree) {
    super(tree);
    const packet = new WirePart(layers);
    const names = protocol === "asap" ? ASAP : ENRP;
    this.type = `${protocol}.${names[this.number("message_type")!]}`;
    this.carrier = "sctp" in layers ? "sctp" : "udp";
    const ports = new WirePart(layers[this.carrier] as Tree);
    [this.sourcePort, this.destinationPort] = [ports.number("srcport")!, ports.number("dstport")!];
    [this.source, this.destination] = [packet.texts("src")[0]!, packet.texts("dst")[0]!];
    this.seconds = packet.number("time_relative")!;
  }
}

/** The messages of a recording, in their order. */
export async function wireMessages(file: string): Promise<WireMessage[]> {
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args: [...tsharkLine(file, "asap or enrp"), "-T", "json", "--no-duplicate-keys"],
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot dissect ${file}: ${text.decode(stderr).trim()}`);
  const packets: { _source: { layers: Tree } }[] = JSON.parse(text.decode(stdout));
  return packets.flatMap(({ _source: { layers } }) =>
    (["asap", "enrp"] as const).flatMap((protocol) =>
      [layers[protocol] ?? []].flat().map((tree) => new WireMessage(protocol, tree as Tree, layers))
    )
  );
}

/** Without the protocol before it and the groups that it is in. */
function nameOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

function visit(tree: Tree, see: (key: string, value: string | Tree) => void, deep = true): void {
  for (const [key, value] of Object.entries(tree)) {
    for (const one of [value].flat()) {
      see(key, one as string | Tree);
      if (deep && typeof one === "object") visit(one as Tree, see);
    }
  }
}
