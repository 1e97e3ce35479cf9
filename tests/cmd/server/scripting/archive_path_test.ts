import assert from "node:assert/strict";
import { checkLink, entryPath } from "../../../../cmd/server/scripting/archive_path.ts";

Deno.test("entryPath() takes paths that stay in the directory", () => {
  const paths: readonly (readonly [string, readonly string[]])[] = [
    ["ssrun", ["ssrun"]],
    ["./ssrun", ["ssrun"]],
    ["a/b/c", ["a", "b", "c"]],
    ["a//b/", ["a", "b"]],
    ["./", []],
    ["..a/b..", ["..a", "b.."]],
    ["-rf", ["-rf"]],
    ["ä/ö", ["ä", "ö"]],
    ["n".repeat(255), ["n".repeat(255)]],
  ];
  for (const [path, names] of paths) assert.deepEqual(entryPath(path), names, path);
});

Deno.test("entryPath() refuses paths that lead out, and those that are too long", () => {
  const paths: readonly (readonly [string, RegExp])[] = [
    ["/etc/passwd", /"\/etc\/passwd" has an absolute path/],
    ["//x", /absolute/],
    ["..", /leads out/],
    ["../x", /leads out/],
    ["a/../../x", /leads out/],
    ["a/..", /leads out/],
    ["a/b/../c", /leads out/],
    ["a\0b", /zero/],
    ["n".repeat(256), /too long/],
    ["ä".repeat(128), /too long/],
    ["a/".repeat(65), /64 directories deep/],
    [`${"n".repeat(250)}/`.repeat(9), /too long/],
  ];
  for (const [path, why] of paths) assert.throws(() => entryPath(path), why, path);
});

Deno.test("checkLink() takes links that stay in the directory", () => {
  const links: readonly (readonly [string, string])[] = [
    ["link", "file"],
    ["link", "."],
    ["link", "a/b/c"],
    ["a/link", "../b"],
    ["a/link", ".."],
    ["a/b/link", "../../c"],
    ["a/link", "./.././b"],
  ];
  for (const [link, target] of links) {
    assert.doesNotThrow(() => checkLink(link.split("/"), target), `${link} -> ${target}`);
  }
});

Deno.test("checkLink() refuses links that lead out or may do so", () => {
  const links: readonly (readonly [string, string, RegExp])[] = [
    ["link", "/etc", /absolute/],
    ["link", "..", /leads out/],
    ["link", "../x", /leads out/],
    ["a/link", "../..", /leads out/],
    ["a/link", "./../../b", /leads out/],
    ["link", "a/..", /behind a name/],
    ["a/link", "../b/../c", /behind a name/],
    ["link", "", /no target/],
    ["link", "a\0", /no target/],
    ["link", "a/".repeat(2000), /too long/],
  ];
  for (const [link, target, why] of links) {
    assert.throws(() => checkLink(link.split("/"), target), why, `${link} -> ${target}`);
  }
});
