import assert from "node:assert/strict";
import { leaseLibc, type Libc } from "../../ffi/libc.ts";
import { openUdpSocket } from "../../ffi/packet_socket.ts";
import { napBetweenMessages, sharedPoller } from "../../ffi/poller.ts";
import { AddressFamily } from "../../ffi/sockaddr.ts";

const EFD_NONBLOCK = 0x800;

function signal(libc: Libc, fd: number): void {
  assert.equal(libc.write(fd, new BigUint64Array([1n]), 8n), 8);
}

function consume(libc: Libc, fd: number): void {
  assert.equal(libc.read(fd, new Uint8Array(8), 8n), 8);
}

/** Works in every turn of the event loop, for longer than the poller lingers. */
function workInTurns(turns: number, inTurn: (turn: number) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let turn = 0;
  const work = () => {
    for (const end = performance.now() + 0.2; performance.now() < end;);
    inTurn(turn);
    if (++turn === turns) return resolve();
    setImmediate(work);
    sharedPoller().hurry();
  };
  setImmediate(work);
  sharedPoller().hurry();
  return promise;
}

async function parkedAfter(before: number): Promise<void> {
  const poller = sharedPoller(), end = performance.now() + 10_000;
  while (poller.parkCount === before) {
    assert.ok(performance.now() < end, "nothing is parked");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("Poller calls the handler of a descriptor that became readable while the poller was parked", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK);
  const poller = sharedPoller();
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = poller.watch(fd, { read: true, write: false }, (ready) => {
    assert.deepEqual(ready, { readable: true, writable: false, error: false });
    consume(libc.symbols, fd);
    watch.close();
    resolve();
  });
  setTimeout(() => signal(libc.symbols, fd), 5); // by then nothing was ready, and the call is parked
  await promise;
  await poller.settled();
  libc.symbols.close(fd);
});

Deno.test("Poller is level-triggered: it calls again until the descriptor is drained", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(1, EFD_NONBLOCK);
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const watch = sharedPoller().watch(fd, { read: true, write: false }, () => {
    if (++calls === 20) resolve();
  });
  assert.equal(calls, 0, "never from within watch()");
  await promise;
  watch.close();
  await sharedPoller().settled();
  assert.equal(calls, 20);
  libc.symbols.close(fd);
});

Deno.test("Poller takes a changed interest while it is parked", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const watch = sharedPoller().watch(fd, { read: true, write: false }, ({ writable }) => {
    watch.close();
    resolve(writable);
  });
  setTimeout(() => watch.update({ read: true, write: true }), 5);
  assert.equal(await promise, true);
  await sharedPoller().settled();
  libc.symbols.close(fd);
});

Deno.test("Poller calls no handler after its watch was closed, even in the same round", async () => {
  using libc = leaseLibc();
  const fds = [libc.symbols.eventfd(1, EFD_NONBLOCK), libc.symbols.eventfd(1, EFD_NONBLOCK)];
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const watches = fds.map((fd) =>
    sharedPoller().watch(fd, { read: true, write: false }, () => {
      calls++;
      for (const watch of watches) watch.close();
      resolve();
    })
  );
  await promise;
  await sharedPoller().settled();
  assert.equal(calls, 1);
  for (const fd of fds) libc.symbols.close(fd);
});

Deno.test("Poller drops a descriptor that was closed under it", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK);
  sharedPoller().watch(fd, { read: true, write: false }, () => assert.fail("must not be called"));
  libc.symbols.close(fd);
  await sharedPoller().settled(); // nothing is watched any more, or this would wait for ever
});

Deno.test("Poller refuses a second watch of a descriptor", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK);
  const watch = sharedPoller().watch(fd, { read: true, write: false }, () => {});
  assert.throws(() => sharedPoller().watch(fd, { read: true, write: false }, () => {}), RangeError);
  watch.close();
  watch.close();
  await sharedPoller().settled();
  libc.symbols.close(fd);
});

Deno.test("A process ends by itself when its last watch is closed while the call is parked", async () => {
  const poller = new URL("../../ffi/poller.ts", import.meta.url).href;
  const libc = new URL("../../ffi/libc.ts", import.meta.url).href;
  const program = `
    import { sharedPoller } from "${poller}";
    import { leaseLibc } from "${libc}";
    const fd = leaseLibc().symbols.eventfd(0, 0x800);
    const watch = sharedPoller().watch(fd, { read: true, write: false }, () => {});
    setTimeout(() => watch.close(), 20);
  `;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-ffi", "--no-prompt", `data:application/typescript,${encodeURIComponent(program)}`],
    signal: AbortSignal.timeout(20_000),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});

Deno.test("Poller that naps is woken by what comes meanwhile, and parks when nothing does", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK), poller = sharedPoller();
  const { promise, resolve } = Promise.withResolvers<void>();
  const before = poller.parkCount;
  {
    using _naps = napBetweenMessages();
    let left = 3;
    const watch = poller.watch(fd, { read: true, write: false }, () => {
      consume(libc.symbols, fd);
      if (--left === 0) {
        watch.close();
        return resolve();
      }
      if (left === 2) signal(libc.symbols, fd); // is there before the nap
      else setTimeout(() => signal(libc.symbols, fd), 5); // comes long after it: the timer must not be kept from running
    });
    signal(libc.symbols, fd);
    await promise;
  }
  await poller.settled();
  assert.ok(poller.parkCount > before);
  libc.symbols.close(fd);
});

Deno.test("Poller does not park while the event loop has work at once", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(1, EFD_NONBLOCK), poller = sharedPoller();
  const { promise, resolve } = Promise.withResolvers<void>();
  let before = 0;
  const watch = poller.watch(fd, { read: true, write: false }, () => {
    consume(libc.symbols, fd);
    before = poller.parkCount;
    resolve(workInTurns(20, () => {}));
  });
  await promise;
  assert.equal(poller.parkCount, before);
  watch.close();
  await poller.settled();
  libc.symbols.close(fd);
});

Deno.test("Poller calls handlers in the turns of an event loop that has work, though a call is parked", async () => {
  using libc = leaseLibc();
  const fd = libc.symbols.eventfd(0, EFD_NONBLOCK), poller = sharedPoller(), before = poller.parkCount;
  let now = 0, signalledIn = 0;
  const waited: number[] = [];
  const watch = poller.watch(fd, { read: true, write: false }, () => {
    consume(libc.symbols, fd);
    waited.push(now - signalledIn);
  });
  await parkedAfter(before);
  await workInTurns(60, (turn) => {
    now = turn;
    if (turn % 20 !== 10) return;
    signalledIn = turn;
    signal(libc.symbols, fd);
  });
  assert.equal(waited.length, 3);
  assert.ok(waited.every((turns) => turns <= 2), `turns waited: ${waited}`);
  watch.close();
  await poller.settled();
  libc.symbols.close(fd);
});

Deno.test("Poller holds on to no descriptor once it is settled, though it did not wait for the parked call", async () => {
  using libc = leaseLibc();
  const poller = sharedPoller(), before = poller.parkCount;
  const port = 21_000 + Deno.pid % 1000;
  const open = () => openUdpSocket(libc.symbols, AddressFamily.inet, port);
  const fd = open(), other = libc.symbols.eventfd(0, EFD_NONBLOCK);
  const watch = poller.watch(fd, { read: true, write: false }, () => {});
  const otherWatch = poller.watch(other, { read: true, write: false }, () => {});
  await parkedAfter(before);
  await workInTurns(3, () => {});
  watch.close();
  libc.symbols.close(fd);
  await workInTurns(3, () => {}); // the table is a new one by now
  await poller.settled();
  libc.symbols.close(open()); // or the port is in use
  otherWatch.close();
  await poller.settled();
  libc.symbols.close(other);
});
