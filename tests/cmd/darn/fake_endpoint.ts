import type {
  Endpoint,
  EventHandler,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  Transport,
  TransportCommand,
  TransportEvent,
} from "../../../protocol/net.ts";

/** An endpoint that only writes down what it is asked for. */
export class FakeTransport implements Transport {
  readonly kind = "embedded";
  readonly description = "nothing";
  readonly asked: unknown[] = [];
  #onEvents: EventHandler = () => {};
  /** Answers a command at once, in the place of a peer. */
  answer: (command: TransportCommand) => readonly TransportEvent[] = () => [];
  /** What reading an option throws. */
  optionError: Error | undefined;

  open(_options: unknown, onEvents: EventHandler): Endpoint {
    this.#onEvents = onEvents;
    const note = (...what: unknown[]) => void this.asked.push(what);
    return {
      port: 1234,
      addresses: ["10.1.0.1"],
      execute: (command) => {
        this.asked.push(command);
        const events = this.answer(command);
        if (events.length > 0) queueMicrotask(() => this.tell(...events));
      },
      status: () => undefined,
      statistics: () => undefined,
      getOption: (name: SocketOptionName, target?: SocketOptionTarget) => {
        note("get", name, target);
        if (this.optionError !== undefined) throw this.optionError;
        return { value: 1 };
      },
      setOption: (name: SocketOptionName, value: SocketOptionValue, target?: SocketOptionTarget) =>
        note("set", name, value, target),
      addAddress: (address) => note("add", address),
      removeAddress: (address) => note("remove", address),
      setPeerPrimary: (association, address) => note("peerPrimary", association, address),
      peelOff: (_association, peeledOff) => {
        this.#onEvents = peeledOff;
        return this.open({}, peeledOff);
      },
      close: () => Promise.resolve(),
    };
  }

  /** Events of the endpoint that was opened last. */
  tell(...events: readonly TransportEvent[]): void {
    this.#onEvents(events);
  }

  capture(): Disposable {
    return { [Symbol.dispose]: () => {} };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
