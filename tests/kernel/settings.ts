/** Settings of the guest's kernel for the time of a test. */

/** Sets `net.sctp.NAME` and sets it back at the end. */
export function withSetting(name: string, value: string | number): Disposable {
  const file = `/proc/sys/net/sctp/${name}`;
  const before = Deno.readTextFileSync(file).trim();
  Deno.writeTextFileSync(file, `${value}`);
  return { [Symbol.dispose]: () => Deno.writeTextFileSync(file, before) };
}
