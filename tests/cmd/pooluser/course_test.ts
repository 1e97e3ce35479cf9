import assert from "node:assert/strict";
import { OptionError } from "../../../cmd/options.ts";
import type { ChosenImage } from "../../../cmd/pooluser/choose_image.ts";
import { Course } from "../../../cmd/pooluser/course.ts";
import type { CoursePlan } from "../../../cmd/pooluser/course.ts";
import { IMAGE } from "../../protocol/app/fractal/fixture.ts";

const REGION = { left: 0, top: 0, right: 0.5, bottom: 0.5 };

function course(plan: Partial<CoursePlan> = {}): Course {
  let chosen = 0;
  const choose = (): ChosenImage => ({ name: `image ${++chosen}`, parameter: { ...IMAGE, n: chosen } });
  return new Course({
    images: 1,
    intervalMs: 5000,
    stays: false,
    sessions: 2,
    first: choose(),
    choose,
    named: (name) => name === "cubic" ? { name, parameter: { ...IMAGE, n: 3 } } : undefined,
    onProblem: (problem) => assert.fail(problem),
    ...plan,
  });
}

/** A course whose first image is complete at instant 1000. */
function completed(plan: Partial<CoursePlan> = {}, pages = 0): Course {
  const one = course(plan);
  assert.deepEqual(one.next(0), { type: "compute" });
  one.started();
  one.pages(pages, 500);
  one.completed(1000);
  return one;
}

Deno.test("without a page, the course ends after the images of the options, with a pause between two", () => {
  assert.deepEqual(completed().next(1000), { type: "end" });
  const two = completed({ images: 2 });
  assert.deepEqual(two.next(1000), { type: "wait", until: 6000 });
  assert.equal(two.name, "image 1");
  assert.deepEqual(two.next(6000), { type: "compute" });
  assert.equal(two.name, "image 2");
  two.started();
  two.completed(7000);
  assert.deepEqual(two.next(7000), { type: "end" });
});

Deno.test("an endless course has one image after another", () => {
  const endless = completed({ images: 0 });
  for (let now = 1000; now < 100_000; now += 6000) {
    assert.deepEqual(endless.next(now), { type: "wait", until: now + 5000 });
    assert.deepEqual(endless.next(now + 5000), { type: "compute" });
    endless.started();
    endless.completed(now + 6000);
    assert.equal(endless.isDone, false);
  }
});

Deno.test("when no other image can be chosen, the present one is computed again, and it is said why", () => {
  const problems: string[] = [];
  const endless = completed({
    images: 0,
    choose: () => {
      throw new OptionError("option -config: it is being written");
    },
    first: { name: "image 1", parameter: IMAGE },
    onProblem: (problem) => problems.push(problem),
  }, 1);
  endless.wish({ type: "zoom", image: 1, region: REGION }, 1);
  endless.started();
  endless.completed(2000);
  endless.pages(0, 2000);
  assert.deepEqual(endless.next(7000), { type: "compute" });
  assert.deepEqual([endless.name, endless.parameter], ["image 1", IMAGE]);
  assert.match(problems.join("\n"), /^no other image: option -config: it is being written$/);
});

Deno.test("an open page holds the program, until it has been closed for longer than a reload takes", () => {
  const open = completed({}, 1);
  assert.deepEqual(open.next(1000), { type: "wait", until: Infinity });
  open.pages(0, 9000);
  assert.deepEqual(open.next(9000), { type: "wait", until: 14_000 });
  open.pages(1, 9500);
  assert.deepEqual(open.next(14_000), { type: "wait", until: Infinity });
  open.pages(0, 20_000);
  assert.deepEqual(open.next(25_000), { type: "end" });
});

Deno.test("a page that was wanted holds the program even when nobody has it open", () => {
  assert.deepEqual(completed({ stays: true }).next(1000), { type: "wait", until: Infinity });
});

Deno.test("who looks closer stops the slide show; it goes on when the page is closed", () => {
  const show = completed({ images: 0 }, 1);
  assert.equal(show.slideShow, true);
  assert.deepEqual(show.wish({ type: "zoom", image: 1, region: REGION }, 1), { ok: true, anew: true });
  assert.deepEqual(show.next(1000), { type: "compute" });
  assert.equal(show.depth, 1);
  show.started();
  show.completed(2000);
  assert.deepEqual(show.next(2000), { type: "wait", until: Infinity });
  show.wish({ type: "slideShow", on: true }, 2);
  assert.deepEqual(show.next(2000), { type: "wait", until: 7000 });
  show.wish({ type: "slideShow", on: false }, 2);
  show.pages(0, 8000);
  assert.deepEqual(show.next(8000), { type: "compute" });
  assert.equal(show.depth, 0);
});

Deno.test("the slide show of the options' images stops with the last of them", () => {
  const show = completed({ images: 2 }, 1);
  assert.equal(show.slideShow, true);
  assert.deepEqual(show.next(6000), { type: "compute" });
  show.started();
  show.completed(7000);
  assert.equal(show.slideShow, false);
  assert.deepEqual(show.next(7000), { type: "wait", until: Infinity });
});

Deno.test("a slide show may go on after the images of the options, as long as a page is open", () => {
  const show = completed({}, 1);
  assert.equal(show.slideShow, false);
  show.wish({ type: "slideShow", on: true }, 1);
  assert.deepEqual(show.next(6000), { type: "compute" });
  show.started();
  show.completed(7000);
  assert.equal(show.slideShow, true);
  show.pages(0, 7000);
  assert.deepEqual(show.next(12_000), { type: "end" });
});

Deno.test("wishes choose image, view and sessions", () => {
  const wished = completed({}, 1);
  assert.equal(wished.wish({ type: "next" }, 1).ok, true);
  assert.equal(wished.name, "image 2");
  assert.equal(wished.wish({ type: "next", name: "cubic" }, 1).ok, true);
  assert.deepEqual([wished.name, wished.parameter.n], ["cubic", 3]);
  assert.deepEqual(wished.wish({ type: "sessions", sessions: 9 }, 1), { ok: true, anew: true });
  assert.deepEqual(wished.wish({ type: "sessions", sessions: 9 }, 1), { ok: true, anew: false });
  assert.equal(wished.sessions, 9);
  const whole = wished.parameter;
  wished.wish({ type: "zoom", image: 1, region: REGION }, 1);
  wished.wish({ type: "zoom", image: 1, region: REGION }, 1);
  assert.equal(wished.wish({ type: "back", image: 1 }, 1).ok, true);
  assert.equal(wished.depth, 1);
  assert.equal(wished.wish({ type: "reset", image: 1 }, 1).ok, true);
  assert.equal(wished.parameter, whole);
});

Deno.test("a wished size holds for this view, those before it, and later images", () => {
  const sized = completed({}, 1);
  sized.wish({ type: "zoom", image: 1, region: REGION }, 1);
  assert.deepEqual(sized.wish({ type: "size", width: 300, height: 200 }, 1), { ok: true, anew: true });
  assert.deepEqual(sized.wish({ type: "size", width: 300, height: 200 }, 1), { ok: true, anew: false });
  const size = () => [sized.parameter.width, sized.parameter.height];
  assert.deepEqual([size(), sized.depth], [[300, 200], 1]);
  sized.wish({ type: "back", image: 1 }, 1);
  assert.deepEqual(size(), [300, 200]);
  sized.wish({ type: "next" }, 1);
  assert.deepEqual([size(), sized.name], [[300, 200], "image 2"]);
});

Deno.test("a wish that cannot be fulfilled changes nothing, and says why", () => {
  const refusing = completed({
    choose: () => {
      throw new OptionError("option -config: it is gone");
    },
    first: { name: "image 1", parameter: IMAGE },
  }, 1);
  const problems = [
    refusing.wish({ type: "next" }, 1),
    refusing.wish({ type: "next", name: "nothing" }, 1),
    refusing.wish({ type: "zoom", image: 1, region: { ...REGION, right: 0 } }, 1),
    refusing.wish({ type: "zoom", image: 7, region: REGION }, 1),
    refusing.wish({ type: "back", image: 1 }, 1),
    refusing.wish({ type: "reset", image: 1 }, 1),
  ].map((outcome) => outcome.ok ? "" : outcome.problem);
  assert.match(problems[0]!, /it is gone/);
  assert.match(problems[1]!, /no image of this name/);
  assert.match(problems[2]!, /width and a height/);
  assert.match(problems[3]!, /Another image/);
  assert.match(problems[4]!, /whole image/);
  assert.match(problems[5]!, /whole image/);
  assert.deepEqual(refusing.next(1000), { type: "wait", until: Infinity });
  assert.equal(refusing.parameter, IMAGE);
});
