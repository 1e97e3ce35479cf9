/** Amounts of data, times and speeds in words. */

/** Octets for people: `12.3 MiB`. */
export function showOctets(octets: number): string {
  if (octets < 1024) return `${octets} octets`;
  const kibibytes = octets / 1024;
  return kibibytes < 1024 ? `${kibibytes.toFixed(1)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}

/** A time for people: `0.35 s`. */
export function showSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 0)} s`;
}

/** A speed for people: `12.3 MiB/s`. */
export function showRate(octets: number, milliseconds: number): string {
  return `${showOctets(Math.round(1000 * octets / Math.max(1, milliseconds)))}/s`;
}
