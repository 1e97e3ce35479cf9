import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  Endpoint,
  EventHandler,
  Instant,
  IpAddress,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import type { SctpStack } from "../../protocol/sctp/mod.ts";

/** How long an endpoint that closes waits for its associations' SHUTDOWN. */
const DEFAULT_LINGER_MS = 2000;

/** What an endpoint asks of the embedded transport. */
export interface EndpointOwner {
  readonly stack: SctpStack;
  execute(handle: number, command: TransportCommand): void;
  /** As `execute`, for whatever else is asked of the stack. */
  ask(question: (stack: SctpStack, now: Instant) => void): void;
  peelOff(from: EmbeddedEndpoint, association: AssociationId, onEvents: EventHandler): Endpoint;
}

/** An endpoint: what it is asked goes to the stack, and a turn of the transport follows. */
export class EmbeddedEndpoint implements Endpoint {
  readonly handle: number;
  readonly port: number;
  readonly #owner: EndpointOwner;
  readonly #onEvents: EventHandler;
  readonly #closed = Promise.withResolvers<void>();
  #closing = false;

  constructor(owner: EndpointOwner, handle: number, port: number, onEvents: EventHandler) {
    this.#owner = owner;
    this.handle = handle;
    this.port = port;
    this.#onEvents = onEvents;
  }

  get addresses(): readonly IpAddress[] {
    return this.#owner.stack.localAddresses(this.handle);
  }

  execute(command: TransportCommand): void {
    if (!this.#closing) this.#owner.execute(this.handle, command);
  }

  status(association: AssociationId): AssociationStatus | undefined {
    return this.#owner.stack.status(association);
  }

  statistics(association: AssociationId): AssociationStatistics | undefined {
    return this.#owner.stack.statistics(association);
  }

  getOption(name: SocketOptionName, target: SocketOptionTarget = {}): SocketOptionValue {
    return this.#owner.stack.getOption(this.handle, name, target);
  }

  setOption(name: SocketOptionName, value: SocketOptionValue, target: SocketOptionTarget = {}): void {
    this.#owner.ask((stack, now) => stack.setOption(this.handle, name, value, target, now));
  }

  addAddress(address: IpAddress): void {
    this.#owner.ask((stack, now) => stack.addAddress(this.handle, address, now));
  }

  removeAddress(address: IpAddress): void {
    this.#owner.ask((stack, now) => stack.removeAddress(this.handle, address, now));
  }

  setPeerPrimary(association: AssociationId, address: IpAddress): void {
    this.#owner.ask((stack, now) => stack.setPeerPrimary(this.handle, association, address, now));
  }

  peelOff(association: AssociationId, onEvents: EventHandler): Endpoint {
    return this.#owner.peelOff(this, association, onEvents);
  }

  close(lingerMs: number = DEFAULT_LINGER_MS): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#owner.ask((stack, now) => stack.close(this.handle, lingerMs, now));
    }
    return this.#closed.promise;
  }

  /** Hands events to the user. */
  onEvents(events: readonly TransportEvent[]): void {
    this.#onEvents(events);
  }

  /** The endpoint is closed for good. */
  resolveClosed(): void {
    this.#closed.resolve();
  }
}
