/**
 * The course's work with nothing but the one file: three PCs of the laboratory, an empty room on each, and the command lines
 * of the sheet by the names of the sheet.
 */
import assert from "node:assert/strict";
import { decode } from "fast-png";
import { Lab, labIsPossible, NETWORKS } from "../net/lab.ts";
import { build, Room, RSP } from "./room.ts";

const ignore = !await labIsPossible();
const NAMES = ["registrar", "server", "fractalpooluser", "sctp_darn", "hsdump", "cspmonitor"] as const;
/** Files of the monitor's page: one of its own, one that all pages share, one of a library. */
const PAGE = [["/", /<!doctype html>/i], ["/shared/base.css", /color-scheme/], [
  "/lib/d3-force.js",
  /d3/,
]] as const;
const FETCH =
  "const answer = await fetch(Deno.args[0]); console.log(await answer.text()); Deno.exit(answer.ok ? 0 : 1);";

Deno.test({
  name: "the one file alone: the main job and SCTP by hand, in three namespaces",
  ignore,
  async fn(t) {
    await build();
    await using room = await Room.open(...NAMES);
    const before = await room.files();
    await using lab = await Lab.open(3);
    const [first, second, third] = [lab.pc(1), lab.pc(2), lab.pc(3)] as const;
    const address = (number: number) => `${NETWORKS.blue.ipv6}:${number}`;

    await t.step("registrar, server and fractalpooluser draw an image", async () => {
      const monitor = room.on(first, "cspmonitor", "-web=127.0.0.1:8080", "-json");
      const registrar = room.on(first, "registrar", "-cspserver=127.0.0.1:2960", "-cspinterval=250");
      await registrar.says(/ASAP has SCTP port 3863/);
      // A file of its own, which somebody takes away before it has started its workers.
      await Deno.remove(`${room.path}/server`);
      await Deno.copyFile(RSP, `${room.path}/server`);
      const server = room.on(second, "server", "-fractal");
      await server.says(/registered as/);
      await Deno.remove(`${room.path}/server`);
      const user = room.on(
        third,
        "fractalpooluser",
        "-web=off",
        "-width=400",
        "-height=300",
        "-output=/work/image.png",
      );
      assert.equal(await user.exitCode(), 0, user.output);
      const { width, height, data } = decode(await Deno.readFile(`${room.path}/work/image.png`));
      assert.deepEqual([width, height], [400, 300]);
      assert.ok(new Set(data).size > 10, "an image has colours");

      const dump = room.on(first, "hsdump", "-timeout=50000");
      assert.equal(await dump.exitCode(), 0, dump.output);
      assert.match(dump.output, /FractalGeneratorPool/);
      await monitor.says(/"event":"appeared".*"group":"PR"/);
      for (const [path, text] of PAGE) {
        const page = await first.run(Deno.execPath(), "eval", FETCH, `http://127.0.0.1:8080${path}`);
        assert.match(page, text);
      }
      assert.equal(await server.interrupt(), 0, server.output);
      await registrar.says(/deregistered/);
      assert.equal(await registrar.interrupt(), 0, registrar.output);
      assert.equal(await monitor.interrupt(), 0, monitor.output);
    });

    for (
      const [name, from, to, line] of [
        ["rsp darn", first, 2, ["rsp", "darn"]],
        ["sctp_darn", second, 1, ["sctp_darn"]],
      ] as const
    ) {
      await t.step(`${name} from PC ${from.number} to PC ${to}`, async () => {
        const listener = room.on(lab.pc(to), ...line, "-H", "::", "-P", "1234", "-l");
        await listener.says(/listening/);
        const sender = room.typingOn(
          from,
          ...[...line, "-H", "::", "-P", "2345", "-h", address(to), "-p", "1234", "-s", "-I"],
        );
        await sender.types("snd=10000");
        await listener.says(/10000/);
        await sender.types("shutdown");
        await listener.says(/SHUTDOWN/);
        sender.signal("SIGINT");
        await sender.exitCode();
        assert.equal(await listener.interrupt(), 0, listener.output);
      });
    }

    await t.step("nothing is left behind but the image", async () => {
      const left = [...before.filter((path) => path !== "server"), "work/image.png"];
      assert.deepEqual(await room.files(), left.sort());
    });
  },
});
