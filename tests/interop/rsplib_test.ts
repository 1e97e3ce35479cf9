/**
 * Our three programs and RSPLIB's, in every combination of the three roles, over kernel SCTP, and with a server that
 * breaks off; servers that die are in `services_test.ts`. Run under a kernel that has it: `scripts/kernel-lab test rsplib`.
 * The combination of RSPLIB's alone shows that the laboratory is sound.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { assertPng, assertWholeImage, fractalOf } from "./fractal_image.ts";
import type { Program } from "./program.ts";
import { complaints, Lab, serving } from "./rsplib_lab.ts";

type Maker = "ours" | "RSPLIB's";
type Part = "registrar" | "server" | "user";
type Makers = Readonly<Record<Part, Maker>>;

/** How a combination is run. */
interface Setting {
  readonly makers: Makers;
  /** Stands in the name of the capture. */
  readonly name: string;
  readonly serverOptions?: readonly string[];
}

const MAKERS = ["RSPLIB's", "ours"] as const;
/** From the start of the user to the last pixel. */
const LIMIT_MS = 300_000;
/** Where the captures go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");
const WIDTH = 200, HEIGHT = 128;

const ignore = !kernelSctpSupport().available;

for (const registrar of MAKERS) {
  for (const server of MAKERS) {
    for (const user of MAKERS) {
      const name = `registrar ${registrar}, server ${server}, pool user ${user}: the image is complete`;
      const makers = { registrar, server, user };
      Deno.test({ name, ignore, fn: () => draw({ makers, name: "plain" }) });
    }
  }
}

for (const makers of [{ server: "ours", user: "RSPLIB's" }, { server: "RSPLIB's", user: "ours" }] as const) {
  const { server, user } = makers;
  Deno.test({
    name:
      `server ${server} that breaks off every 20 messages, pool user ${user}: the session goes on by cookie`,
    ignore,
    fn: () =>
      draw({
        makers: { registrar: "ours", ...makers },
        serverOptions: ["-fgpfailureafter=20"],
        name: "failover",
      }),
  });
}

async function draw(setting: Setting): Promise<void> {
  const { makers, name } = setting;
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`rsplib-${Deno.pid}`);
    const registrar = await serving(start(lab, makers, "registrar", setting, folder));
    const server = start(lab, makers, "server", setting, folder);
    const user = start(lab, makers, "user", setting, folder);
    const end = await lab.sees("the end of the image", (seen) => fractalOf(seen)?.type === "end", {
      limitMs: LIMIT_MS,
    });

    if (makers.user === "ours") assertSucceeded(user, await user.ends());
    else await user.interrupt();
    for (const [role, program] of [["server", server], ["registrar", registrar]] as const) {
      const code = await program.interrupt();
      if (makers[role] === "ours") assertSucceeded(program, code);
    }

    const capture = await lab.endCapture();
    const initials = Object.values(makers).map((maker) => maker === "ours" ? "o" : "r").join("");
    const file = `${KEEP ?? folder}/rsplib-${name}-${initials}.pcap`;
    await Deno.writeFile(file, capture);
    // RSPLIB's user may have begun the next one.
    assertWholeImage(lab.messages.slice(0, lab.messages.indexOf(end) + 1));
    if (makers.user === "ours") await assertPng(`${folder}/image.png`, WIDTH, HEIGHT);
    const ours = Object.entries(makers).filter(([, maker]) => maker === "ours");
    const addresses = ours.flatMap(([role]) => Lab.addresses(role as Part));
    if (addresses.length > 0) assert.deepEqual(await complaints(file, addresses), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function start(lab: Lab, makers: Makers, role: Part, setting: Setting, folder: string): Program {
  const ours = makers[role] === "ours";
  const size = [`-width=${WIDTH}`, `-height=${HEIGHT}`];
  switch (role) {
    case "registrar":
      return ours ? lab.ours(role, "registrar") : lab.original(role, "rspregistrar");
    case "server": {
      const options = ["-fractal", ...setting.serverOptions ?? []];
      return ours ? lab.ours(role, "server", ...options) : lab.original(role, "rspserver", ...options);
    }
    case "user":
      return ours
        ? lab.ours(role, "pooluser", "-fractal", "-configdir=none", ...size, `-output=${folder}/image.png`)
        : lab.original(role, "fractalpooluser", ...size);
  }
}

function assertSucceeded(program: Program, code: number | undefined): void {
  assert.equal(code, 0, `${program.name} ended with ${code ?? "force"}. ${program.quote()}`);
}
