/** What a page's wishes do, within one process and without a browser: the commands come as a page posts them. */
import assert from "node:assert/strict";
import { decode } from "fast-png";
import { join } from "node:path";
import { command as poolUser } from "../../../cmd/pooluser/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { Program, startRegistrar } from "../program.ts";

/** A pool and a user with a page. */
class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly user: Program;
  readonly #others: readonly Program[];

  constructor(folder: string, user: Program, others: readonly Program[]) {
    this.folder = folder;
    this.user = user;
    this.#others = others;
  }

  /** @param servers options of each */
  static async start(servers: readonly (readonly string[])[], ...options: string[]): Promise<Scene> {
    const folder = await Deno.makeTempDir();
    const { program: registrar, option } = await startRegistrar();
    const elements = servers.map((line) => new Program(server, "-fractal", option, ...line));
    for (const element of elements) await element.event("registered");
    await Deno.mkdir(join(folder, "images"));
    const user = new Program(
      poolUser,
      option,
      "-web=127.0.0.1:0",
      `-output=${folder}/images/%d.png`,
      "-recvtimeout=60000",
      ...options,
    );
    return new Scene(folder, user, [...elements, registrar]);
  }

  /** Posts a command. @returns what is said against it; empty = it was taken */
  async wish(command: unknown): Promise<string> {
    const { url } = await this.user.event("web");
    const response = await fetch(`${url}command`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
    });
    const outcome = await response.json();
    return outcome.ok ? "" : outcome.problem;
  }

  /** The file of an image. */
  async file(image: number): Promise<Uint8Array> {
    return await Deno.readFile(join(this.folder, "images", `${image}.png`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of [this.user, ...this.#others]) await program.stop();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const SLOW = ["-fgpmaxrate=3000"];
const LEFT_HALF = { left: 0, top: 0.25, right: 0.5, bottom: 0.75 };

Deno.test("a wish in the middle of an image: it is given up, and the wished one computed in its place", async () => {
  const size = ["-width=400", "-height=400"];
  await using scene = await Scene.start([SLOW], ...size, "-configdir=none", "-loglevel=4");
  const { user } = scene;
  await user.event("progress");
  assert.equal(await scene.wish({ type: "size", width: 64, height: 64 }), "");
  await user.event("imageCompleted");
  const { width, height } = decode(await scene.file(2));
  assert.deepEqual([width, height], [64, 64]);
  assert.equal((await user.event("imageCompleted"))["image"], 2, "the first was never complete");
  assert.equal(user.lines.filter(({ event }) => event === "imageCancelled").length, 1);
  assert.equal(await user.stop(), 0, "the image that was wanted is there");
});

Deno.test("views and sessions are computed one after the other, and the pool serves all of them", async () => {
  await using scene = await Scene.start([[], []], "-width=64", "-height=64", "-configdir=none");
  const { user } = scene;
  await user.event("imageCompleted", 1);
  assert.equal(await scene.wish({ type: "zoom", image: 1, region: LEFT_HALF }), "");
  await user.event("imageCompleted", 2);
  assert.match(await scene.wish({ type: "zoom", image: 1, region: LEFT_HALF }), /Another image/);
  assert.equal(await scene.wish({ type: "sessions", sessions: 6 }), "");
  await user.event("imageCompleted", 3);
  assert.deepEqual(await scene.file(3), await scene.file(2), "the parts make the same picture");
  assert.notDeepEqual(await scene.file(2), await scene.file(1));
  assert.equal(await scene.wish({ type: "reset", image: 3 }), "");
  await user.event("imageCompleted", 4);
  assert.deepEqual(await scene.file(4), await scene.file(1));
  assert.match(await scene.wish({ type: "back", image: 4 }), /whole image/);
  assert.equal(await scene.wish({ type: "next", name: "octic-edge" }), "");
  await user.event("imageCompleted", 5);
  assert.equal(await user.stop(), 0);
});

Deno.test("wish upon wish, faster than anything is computed", async () => {
  await using scene = await Scene.start([SLOW, SLOW], "-width=400", "-height=400", "-configdir=none");
  const { user } = scene;
  await user.event("progress");
  for (let sessions = 2; sessions <= 9; sessions++) {
    assert.equal(await scene.wish({ type: "sessions", sessions }), "");
  }
  assert.equal(await scene.wish({ type: "size", width: 64, height: 64 }), "");
  const { image } = await user.event("imageCompleted");
  assert.equal(decode(await scene.file(Number(image))).width, 64);
  assert.equal(await user.stop(), 0);
});

Deno.test("an image that was wished for and fails does not end the program; one of the options' does", async () => {
  await using scene = await Scene.start([[]], "-width=64", "-height=64", "-configdir=none");
  const { user } = scene;
  await user.event("imageCompleted");
  await Deno.remove(join(scene.folder, "images"), { recursive: true });
  assert.equal(await scene.wish({ type: "sessions", sessions: 2 }), "");
  assert.match(String((await user.event("notWritten"))["text"]), /cannot write/);
  await Deno.mkdir(join(scene.folder, "images"));
  assert.equal(await scene.wish({ type: "sessions", sessions: 1 }), "");
  await user.event("imageCompleted", 2);
  await Deno.remove(join(scene.folder, "images"), { recursive: true });
  assert.equal(await scene.wish({ type: "sessions", sessions: 2 }), "");
  await user.event("notWritten", 2);
  assert.equal(await user.stop(), 0);
});

Deno.test("an end between two images is no success: images are missing", async () => {
  const size = ["-width=64", "-height=64", "-configdir=none"];
  await using scene = await Scene.start([[]], ...size, "-images=2", "-interimagetime=3600");
  await scene.user.event("imageCompleted");
  assert.equal(await scene.user.stop(), 1);
  assert.match(
    String((await scene.user.event("ended"))["text"]),
    /^ended before all 2 images were complete$/,
  );
});

Deno.test("without -web no page is opened where nobody looks, and a place that is taken is an error", async () => {
  await using scene = await Scene.start([[]], "-width=64", "-height=64", "-configdir=none");
  const { url } = await scene.user.event("web");
  const { host } = new URL(String(url));
  const line = ["-registrar=127.0.0.1:9", `-output=${scene.folder}/other.png`];
  const other = new Program(poolUser, `-web=${host}`, ...line);
  assert.equal(await other.ended, 1);
  assert.match(String((await other.event("web"))["text"]), /another program holds TCP port/);
  const silent = new Program(poolUser, "-timeout=0.1", ...line);
  assert.equal(await silent.ended, 1);
  assert.deepEqual(silent.lines.filter(({ event }) => event === "web"), []);
});
