import assert from "node:assert/strict";
import { type EndpointOptions, rtoTimes } from "../../../protocol/net.ts";

const SYSTEM = { initialMs: 3000, minMs: 1000, maxMs: 5000 };

const TIMES: readonly (readonly [said: EndpointOptions["rto"], times: readonly number[]])[] = [
  [undefined, [3000, 1000, 5000]],
  [{}, [3000, 1000, 5000]],
  [{ minMs: 300 }, [3000, 300, 5000]],
  [{ maxMs: 60_000 }, [3000, 1000, 60_000]],
  [{ initialMs: 200 }, [200, 1000, 5000]],
  [{ minMs: 4000 }, [4000, 4000, 5000]],
  [{ minMs: 8000 }, [8000, 8000, 8000]],
  [{ maxMs: 500 }, [500, 500, 500]],
  [{ initialMs: 1, minMs: 2, maxMs: 3 }, [1, 2, 3]],
];

for (const [said, times] of TIMES) {
  Deno.test(`rtoTimes() keeps what ${JSON.stringify(said)} does not say, as far as it goes with that`, () => {
    const { initialMs, minMs, maxMs } = rtoTimes(said, SYSTEM);
    assert.deepEqual([initialMs, minMs, maxMs], times);
  });
}
