import assert from "node:assert/strict";
import {
  findSocketOption,
  SOCKET_OPTION_WORDS,
  SOCKET_OPTIONS,
  socketOption,
  type SocketOptionName,
} from "../../../protocol/net.ts";

Deno.test("findSocketOption() takes names as people write them", () => {
  for (const text of ["rtoinfo", "RTOINFO", "SCTP_RTOINFO", "sctp-rtoinfo"]) {
    assert.equal(findSocketOption(text), "rtoinfo");
  }
  assert.equal(findSocketOption("SO_SNDBUF"), "sndbuf");
  assert.equal(findSocketOption("delayed-sack"), "delayed_sack");
  for (const text of ["", "sctp_", "toString", "rto", "so_so_sndbuf"]) {
    assert.equal(findSocketOption(text), undefined, text);
  }
});

Deno.test("SOCKET_OPTIONS has each number of the kernel once, fields for each, and read-only fields that exist", () => {
  const numbers = new Set<string>();
  for (const [name, option] of Object.entries(SOCKET_OPTIONS)) {
    assert.equal(socketOption(name as SocketOptionName), option);
    numbers.add(`${option.level} ${option.number}`);
    assert.ok(Object.keys(option.fields).length > 0, name);
    for (const field of option.readOnly ?? []) assert.ok(field in option.fields, `${name}.${field}`);
    assert.ok(!option.summary.endsWith("."), name);
  }
  assert.equal(numbers.size, Object.keys(SOCKET_OPTIONS).length);
});

Deno.test("SOCKET_OPTION_WORDS has no word twice in a kind", () => {
  for (const words of Object.values(SOCKET_OPTION_WORDS)) assert.equal(new Set(words).size, words.length);
});
