import assert from "node:assert/strict";
import { FractalPart } from "../../../../protocol/app/fractal/part.ts";
import { PartSession } from "../../../../protocol/app/fractal/part_session.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { IMAGE } from "./fixture.ts";

const makePart = () => {
  const area = { left: 0, top: 0, width: IMAGE.width, height: IMAGE.height };
  return new PartSession(new FractalPart(IMAGE, area), 0);
};

Deno.test("PartSession pauses the longer the more PEs in a row gave nothing new, and not after one that did", () => {
  const part = makePart(), prng = new Prng(1), longest = [100, 200, 400, 800, 1000, 1000];
  for (const [index, most] of longest.entries()) {
    part.found(index + 1);
    part.gave(10, 0);
    const pauseMs = part.pauseAfter(prng);
    assert.ok(pauseMs >= most / 2 && pauseMs <= most, `${pauseMs} after ${index + 1}`);
  }
  part.found(9);
  part.gave(10, 1);
  assert.equal(part.pauseAfter(prng), 0);
  part.found(10);
  assert.ok(part.pauseAfter(prng) <= 100);
});

Deno.test("PartSession drops a cookie after twelve PEs that were lost with it and gave nothing new", () => {
  const part = makePart();
  part.hasCookie = true;
  const loses = (loss: PartSession["loss"], fresh = 0) => {
    part.found(1);
    part.gave(fresh, fresh);
    part.loss = loss;
    return part.losesCookie();
  };
  for (let count = 0; count < 11; count++) assert.equal(loses("aborted"), false);
  assert.equal(loses("shutdown"), false, "who leaves in order has read it");
  assert.equal(loses("silent"), true);
  for (let count = 0; count < 11; count++) assert.equal(loses("aborted"), false);
  assert.equal(loses("aborted", 1), false);
  assert.equal(loses("aborted"), false, "one that gave points begins the count anew");
});

Deno.test("PartSession counts changes of its PE, not its returns to the same one", () => {
  const part = makePart();
  for (const elementId of [1, 1, 2, 1]) part.found(elementId);
  assert.equal(part.peChanges, 2);
});
