/** Pools on the loopback interface, for tests of the library. */
import { PoolElement, PoolRegistrar } from "../../../cmd/library/mod.ts";
import type {
  ElementSession,
  PoolElementOptions,
  PoolOptions,
  PoolService,
} from "../../../cmd/library/mod.ts";
import { within as inTime } from "../../ffi/within.ts";
import { jitter } from "../../jitter.ts";

/** What carries SCTP in a test. */
export type TestTransport = Pick<PoolOptions, "transport" | "encapsulation"> & { readonly announce: "off" };

/** A registrar on the loopback interface, and the options by which others find it. */
export interface LocalPool extends AsyncDisposable {
  readonly registrar: PoolRegistrar;
  readonly options: { readonly registrars: readonly string[] } & TestTransport;
  serve(service: PoolService, options?: PoolElementOptions): Promise<PoolElement>;
}

/** Gives a function that starts a registrar; elements serve in the pool "TestPool". */
export function poolStarter(transport: TestTransport): (local?: string) => Promise<LocalPool> {
  return async (local = "127.0.0.1") => {
    const registrar = await PoolRegistrar.start({ ...transport, local });
    const options = { ...transport, registrars: [registrar.address] };
    return {
      registrar,
      options,
      async serve(service, more) {
        const element = await PoolElement.serve("TestPool", service, { ...options, ...more });
        await jitter();
        return element;
      },
      [Symbol.asyncDispose]: () => registrar.close(),
    };
  };
}

/** Gives everything back. */
export async function echo(session: ElementSession): Promise<void> {
  for await (const { data } of session) await session.send(data);
}

/** Fails a test that hangs, with words. */
export async function within<Value>(
  what: string,
  promise: Promise<Value>,
  limitMs = 120_000,
): Promise<Value> {
  try {
    return await inTime(limitMs, promise, what);
  } finally {
    await jitter();
  }
}
