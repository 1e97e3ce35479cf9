/**
 * Which requests a page's server hears at all. It serves the person at this browser, so it refuses what other sites make that
 * browser send: requests across origins, and those whose host is a name that somebody else may point here (DNS rebinding).
 */
import { hostname } from "node:os";

/** A request that is not heard. */
export interface Refusal {
  /** The status of HTTP. */
  readonly status: 400 | 403;
  /** A sentence for people. */
  readonly text: string;
}

/** Names by which this machine is called, besides its addresses. An attacker owns none of them. */
function isOwnName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === hostname().toLowerCase();
}

/** As a URL has them: IPv4 in its usual form, or IPv6 in brackets. */
function isAddress(name: string): boolean {
  return name.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

/**
 * Looks at a request's origin.
 *
 * The field Sec-Fetch-Site says it best, where a browser sends it: scripts cannot forge it (W3C Fetch Metadata). Otherwise
 * Origin does (RFC 6454 §7). Programs such as curl send neither.
 *
 * @returns undefined = it may be answered
 */
export function refusalOf(request: Request): Refusal | undefined {
  const { headers } = request;
  const host = authority(headers.get("host") ?? "localhost"); // programs of old leave it out; browsers never do
  // What is asked for may have a host, too (RFC 9112 §3.2.2): a proxy is another server's work.
  const url = host === undefined ? null : URL.parse(request.url);
  if (host === undefined || url === null) {
    return { status: 400, text: "The field Host is not as it should be." };
  }
  if (headers.has("host") && url.host !== host.host) {
    return { status: 400, text: "What is asked for lies elsewhere, and this is no proxy." };
  }
  if (!isAddress(host.name) && !isOwnName(host.name)) {
    return {
      status: 403,
      text: "This place is reached by an IP address, or as localhost; not by other names.",
    };
  }
  const site = headers.get("sec-fetch-site");
  // A link from elsewhere may lead here: the page then runs on its own, where its origin sees nothing of it.
  const isLink = headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document" && (request.method === "GET" || request.method === "HEAD");
  const isForeignSite = site !== null && site !== "same-origin" && site !== "none" && !isLink;
  const origin = headers.get("origin");
  const isForeignOrigin = origin !== null && !isLink &&
    // A browser that hides the origin says `null`, of its own pages too.
    (origin === "null" ? site !== "same-origin" : originHost(origin) !== host.host);
  if (!isForeignSite && !isForeignOrigin) return undefined;
  return { status: 403, text: "Pages of other places are not served." };
}

interface Authority {
  /** In small letters. */
  readonly name: string;
  /** With the port, if it is not the usual one. */
  readonly host: string;
}

/** Reads the field Host (RFC 9110 §7.2). */
function authority(text: string): Authority | undefined {
  if (/[\s/?#@\\]/.test(text) || text === "") return undefined;
  const url = URL.parse(`http://${text}`);
  return url === null ? undefined : { name: url.hostname.replace(/\.$/, ""), host: url.host };
}

function originHost(origin: string): string | undefined {
  const url = URL.parse(origin);
  return url !== null && /^https?:$/.test(url.protocol) ? url.host : undefined;
}
