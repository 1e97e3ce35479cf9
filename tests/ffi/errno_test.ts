import assert from "node:assert/strict";
import { Errno, errno, errnoName, LibraryError, SctpError } from "../../ffi/errno.ts";
import { leaseLibc } from "../../ffi/libc.ts";

Deno.test("errno() tells why the last synchronous call failed", () => {
  using libc = leaseLibc();
  assert.equal(libc.symbols.close(-1), -1);
  assert.equal(errno(), Errno.EBADF);
  assert.equal(libc.symbols.socket(4711, 0, 0), -1);
  assert.equal(errno(), Errno.EAFNOSUPPORT);
});

Deno.test("SctpError says what was tried, what it means, its name and the call", () => {
  const error = new SctpError("bind", Errno.EADDRINUSE, "Cannot open SCTP port 3863");
  assert.equal(error.message, "Cannot open SCTP port 3863: address already in use (EADDRINUSE from bind)");
  assert.equal(error.code, "EADDRINUSE");
  assert.equal(error.errno, 98);
  assert.equal(error.syscall, "bind");
});

Deno.test("errnoName() gives a number it does not know as such", () => {
  assert.equal(errnoName(4711), "E4711");
  assert.match(new SctpError("poll", 4711).message, /^Cannot poll \(E4711 from poll\)$/);
});

Deno.test("LibraryError lists what was tried", () => {
  const error = new LibraryError("the C library", ["libc.so.6: not found", "libc.so: not found"]);
  assert.equal(error.message, "Cannot load the C library: tried libc.so.6: not found; libc.so: not found");
  assert.equal(error.tried.length, 2);
});

Deno.test("leaseLibc() closes the library with the last lease and opens it again", () => {
  const first = leaseLibc(), second = leaseLibc();
  first.close();
  first.close();
  assert.equal(second.symbols.poll(new Uint8Array(8), 0n, 0), 0);
  second.close();
  using third = leaseLibc();
  assert.equal(third.symbols.poll(new Uint8Array(8), 0n, 0), 0);
});
