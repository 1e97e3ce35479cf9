/** What every answer to a browser says about itself, so that a page can do no more than it must. */
import { createHash } from "node:crypto";

/** An import map is a script within the page: it is allowed by its hash, and no other is. */
const INLINE_SCRIPT = /<script\b[^>]*>([^]*?)<\/script>/g;

/**
 * The fields.
 *
 * @param pages all pages, as HTML: their import maps may be read, and no other script within them
 */
export function securityHeaders(pages: readonly string[]): Readonly<Record<string, string>> {
  const scripts = pages.flatMap((page) => [...page.matchAll(INLINE_SCRIPT)])
    .map(([, text = ""]) => text).filter((text) => text !== "");
  const hashes = [...new Set(scripts.map((text) => `'sha256-${sha256(text)}'`))];
  const policy = [
    "default-src 'none'",
    ["script-src 'self'", ...hashes].join(" "),
    "style-src 'self'",
    // Pictures that the page draws itself, to be downloaded.
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // Texts of strangers cannot become markup, not even by a mistake.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
  };
}

/** @returns the digest in base64 */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64");
}
