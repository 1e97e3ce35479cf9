import type { Instant, IpAddress } from "../../net.ts";
import type { MessageSide } from "./association.ts";
import type { AnyProgram, PortSetup } from "./program.ts";

/** A port that a program has opened on its host. */
export class OpenPort {
  readonly program: AnyProgram;
  /** The program's name for it. */
  readonly name: string;
  readonly port: number;
  /** Takes associations of others. */
  readonly listen: boolean;
  /** Its machine says what it has consumed. */
  readonly manualReceive: boolean;
  /** Its associations and attempts by the other side's place: two endpoints have one at most (RFC 9260 §1.3). */
  readonly sides: Map<number, MessageSide> = new Map();

  constructor(program: AnyProgram, name: string, port: number, setup: PortSetup) {
    this.program = program;
    this.name = name;
    this.port = port;
    this.listen = setup.listen ?? false;
    this.manualReceive = setup.manualReceive ?? false;
  }

  /** Names the endpoint in the whole network. */
  get place(): number {
    return placeOf(this.program.host, this.port);
  }
}

/** A computer. */
export class SimulatedComputer {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  /** Its number in the network. */
  readonly index: number;
  /** Open ports; those of a program that is gone are closed. */
  readonly ports: Map<number, OpenPort> = new Map();
  /** Since when it is without power; undefined = it runs. */
  downSince: Instant | undefined = undefined;

  constructor(name: string, addresses: readonly IpAddress[], index: number) {
    this.name = name;
    this.addresses = addresses;
    this.index = index;
  }
}

/** A number for a port of a computer. */
export function placeOf(host: SimulatedComputer, port: number): number {
  return host.index * 0x1_0000 + port;
}
