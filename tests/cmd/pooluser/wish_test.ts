import assert from "node:assert/strict";
import { readWish } from "../../../cmd/pooluser/wish.ts";
import type { Wish } from "../../../cmd/pooluser/wish.ts";
import { fc } from "../../properties.ts";

const REGION = { left: 0, top: -0.5, right: 1, bottom: 0.5 };

Deno.test("readWish() takes each wish, and leaves out what does not belong to it", () => {
  const wishes: Wish[] = [
    { type: "next" },
    { type: "next", name: "cubic" },
    { type: "sessions", sessions: 400 },
    { type: "size", width: 8192, height: 64 },
    { type: "zoom", image: 3, region: REGION },
    { type: "back", image: 1 },
    { type: "reset", image: 1 },
    { type: "slideShow", on: false },
  ];
  for (const wish of wishes) assert.deepEqual(readWish({ ...wish, more: 1 }), wish);
});

Deno.test("readWish() says what is wrong", () => {
  const cases: [unknown, RegExp][] = [
    [null, /object/],
    ["next", /object/],
    [{}, /no such command/],
    [{ type: "exit" }, /no such command/],
    [{ type: "next", name: "/etc/passwd" }, /no image of this name/],
    [{ type: "next", name: 7 }, /no image of this name/],
    [{ type: "sessions", sessions: 0 }, /1 to 400/],
    [{ type: "sessions", sessions: 401 }, /1 to 400/],
    [{ type: "sessions", sessions: 1.5 }, /1 to 400/],
    [{ type: "sessions", sessions: "9" }, /1 to 400/],
    [{ type: "size", width: 8193, height: 64 }, /64 to 8192 times 64 to 4096/],
    [{ type: "size", width: 64, height: 4097 }, /64 to 8192 times 64 to 4096/],
    [{ type: "size", width: 63, height: 64 }, /64 to 8192 times 64 to 4096/],
    [{ type: "zoom", image: 1 }, /four numbers/],
    [{ type: "zoom", region: REGION }, /four numbers/],
    [{ type: "zoom", image: 1, region: { ...REGION, top: "0" } }, /four numbers/],
    [{ type: "back" }, /which image/],
    [{ type: "slideShow", on: 1 }, /true or false/],
  ];
  for (const [value, message] of cases) {
    const wish = readWish(value);
    assert.equal(typeof wish, "string", JSON.stringify(value));
    assert.match(wish as string, message);
  }
});

Deno.test("readWish() throws at nothing", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.equal(typeof readWish(value), "string");
  }));
});
