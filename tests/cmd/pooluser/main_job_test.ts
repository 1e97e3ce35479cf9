/** The main job within one process: registrar, servers and pool user as commands, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { decode } from "fast-png";
import { join } from "node:path";
import type { Command } from "../../../cmd/command.ts";
import { command as poolUser } from "../../../cmd/pooluser/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { colourOf } from "../../../protocol/app/fractal/colour.ts";
import { TEST_PATTERN } from "../../../protocol/app/fractal/compute.ts";
import { Program, startRegistrar } from "../program.ts";
import { IMAGE, wholeImage } from "../../protocol/app/fractal/fixture.ts";

/**
 * On a machine with much else to do the workers take their time; an element that is silent would be left, and reported
 * unreachable until the pool is empty. That is another story.
 */
const PATIENT = "-recvtimeout=60000";

Deno.test("the pool user's PNG has every pixel right, though servers leave again and again", async () => {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const servers = [1, 2].map((id) =>
    new Program(
      server,
      "-fractal",
      option,
      `-identifier=${id}`,
      "-fgpfailureafter=4",
      "-fgpmaxthreads=3",
    )
  );
  try {
    for (const one of servers) await one.event("registered");
    const file = join(folder, "image-%d.png");
    const user = new Program(
      poolUser,
      option,
      `-output=${file}`,
      "-width=100",
      "-height=64",
      "-threads=3",
      "-iterations=200",
      PATIENT,
      "-timeout=120",
    );
    assert.equal(await user.ended, 0);
    const { failovers } = await user.event("imageCompleted");
    assert.ok(Number(failovers) >= 1, "a server left after 4 Data");
    const image = { ...IMAGE, height: 64 };
    const { width, data } = decode(await Deno.readFile(join(folder, "image-1.png")));
    assert.equal(width, 100);
    // The halves of an image are interpolated, so that a value may differ where the set is chaotic.
    const wrong = wholeImage(image).filter((value, index) => {
      const colour = colourOf(value);
      return data[3 * index] !== colour >> 16 || data[3 * index + 1] !== (colour >> 8 & 255);
    });
    assert.ok(wrong.length < 6400 / 200, `${wrong.length} pixels differ`);
  } finally {
    for (const one of [...servers, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a test pattern comes through exactly, and -timeout ends a user whose pool nobody offers", async () => {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-fractal", option, "-fgptestmode");
  try {
    const file = join(folder, "out.png");
    const size = ["-width=64", "-height=64"];
    const nobody = new Program(
      poolUser,
      option,
      "-poolhandle=Nobody",
      `-output=${file}`,
      "-timeout=0.7",
      ...size,
    );
    assert.equal(await nobody.ended, 1);
    assert.match(String((await nobody.event("timeout"))["text"]), /not complete after 0\.7 s/);
    await pe.event("registered");
    const user = new Program(poolUser, option, `-output=${file}`, PATIENT, "-timeout=60", ...size);
    assert.equal(await user.ended, 0);
    const { data } = decode(await Deno.readFile(file));
    const image = wholeImage({ ...IMAGE, width: 64, height: 64, algorithm: TEST_PATTERN });
    const expected = [...image].flatMap((value) => {
      const colour = colourOf(value);
      return [colour >> 16, colour >> 8 & 255, colour & 255];
    });
    assert.deepEqual([...data], expected);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Ctrl+C in the middle of an image shuts the session down, and the exit code says that it is incomplete", async () => {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-fractal", option, "-fgpmaxrate=20000", "-loglevel=4");
  try {
    await pe.event("registered");
    const user = new Program(
      poolUser,
      option,
      `-output=${join(folder, "out.png")}`,
      "-width=1000",
      "-height=1000",
    );
    await pe.event("fractalStarted");
    assert.equal(await user.stop(), 1);
    assert.equal((await pe.event("sessionDown"))["text"], "session 1: ended: shut down by the peer");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), [], "no half image is left");
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("rsp server gives up a refused registration when it is told to", async () => {
  const { program: pr, option } = await startRegistrar();
  const first = new Program(server, "-fractal", option);
  try {
    await first.event("registered");
    const second = new Program(server, "-fractal", option, "-policy=LeastUsed", "-giveup");
    assert.equal(await second.ended, 1);
    assert.match(String((await second.event("registrationRefused"))["reason"]), /policy/);
  } finally {
    for (const one of [first, pr]) assert.equal(await one.stop(), 0);
  }
});

Deno.test("a wrong command line is told before the network is opened", async () => {
  const cases: readonly (readonly [Command, string[], RegExp])[] = [
    [server, ["-echo", "-fractal", "-identifier=1"], /for one pool element/],
    [server, ["-fractal", `-poolhandle=${"x".repeat(33)}`], /1 to 32 octets/],
    [poolUser, [`-poolhandle=${"x".repeat(33)}`], /1 to 32 octets/],
    [poolUser, ["-output=/no/such/folder/x.png"], /no folder/],
    [poolUser, ["-config=/no/such/file.fsf"], /cannot be read/],
  ];
  for (const [command, line, message] of cases) {
    await assert.rejects(async () => await new Program(command, ...line).ended, {
      name: "OptionError",
      message,
    });
  }
});

Deno.test("-imagestorageprefix keeps every image, -statsfile says who computed what", async () => {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const pe = new Program(server, "-fractal", option, "-identifier=0xabc");
  try {
    await pe.event("registered");
    const user = new Program(
      poolUser,
      option,
      ...["-config=cubic", "-width=64", "-height=64", "-images=2", "-interimagetime=0", "-timeout=60"],
      PATIENT,
      ...[`-output=${folder}/last.png`, `-imagestorageprefix=${folder}/kept-`, `-statsfile=${folder}/stats`],
    );
    assert.equal(await user.ended, 0);
    const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
    assert.deepEqual(files, ["kept-000001.png", "kept-000002.png", "last.png", "stats"]);
    const [last, kept] = await Promise.all(
      ["last.png", "kept-000002.png"].map((name) => Deno.readFile(join(folder, name))),
    );
    assert.deepEqual(last, kept);
    const lines = (await Deno.readTextFile(join(folder, "stats"))).trim().split("\n").slice(1);
    const fields = lines.map((line) => line.split(/ +/));
    assert.deepEqual(fields.map(([serial, , , image]) => [serial, image]), [["000001", "1"], [
      "000002",
      "2",
    ]]);
    assert.deepEqual(fields.map((line) => line.slice(-4, -3)), [["0x00000abc"], ["0x00000abc"]]);
    assert.deepEqual(fields.map((line) => line.at(-2)), ["4096", "4096"]);
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});
