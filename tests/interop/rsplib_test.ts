/**
 * Our three programs and RSPLIB's, in every combination of the three roles, over kernel SCTP, and with servers that fail.
 * Run under a kernel that has it: `scripts/kernel-lab test rsplib`. The combination of RSPLIB's alone shows that the
 * laboratory is sound.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { assertPng, assertWholeImage, fractalOf } from "./fractal_image.ts";
import type { Program } from "./program.ts";
import { complaints, isFractalOf, Lab, type Role } from "./rsplib_lab.ts";

type Maker = "ours" | "RSPLIB's";
type Makers = { readonly [role in Role]?: Maker };

/** How a combination is run. */
interface Setting {
  readonly makers: Makers;
  /** Stands in the name of the capture. */
  readonly name: string;
  readonly serverOptions?: readonly string[];
  readonly width: number;
  readonly height: number;
  /** What happens between the start of the programs and the end of the image. */
  readonly meanwhile?: (lab: Lab, programs: Programs) => Promise<void>;
}

type Programs = { readonly [role in Role]?: Program };

const MAKERS = ["RSPLIB's", "ours"] as const;
/** From the start of the user to the last pixel. */
const LIMIT_MS = 120_000;
/** Where the captures go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");
const SMALL = { width: 200, height: 128 };
/** Large enough that a server can be killed long before its end. */
const LARGE = { width: 640, height: 400 };
/** Data messages of a server before it is killed, of about 790. */
const MESSAGES_BEFORE_DEATH = 60;

const ignore = !kernelSctpSupport().available;

for (const registrar of MAKERS) {
  for (const server of MAKERS) {
    for (const user of MAKERS) {
      const name = `registrar ${registrar}, server ${server}, pool user ${user}: the image is complete`;
      const makers = { registrar, server, user };
      Deno.test({ name, ignore, fn: () => draw({ makers, name: "plain", ...SMALL }) });
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
        ...SMALL,
      }),
  });
}

for (
  const makers of [
    { registrar: "ours", server: "RSPLIB's", secondServer: "ours", user: "ours" },
    { registrar: "RSPLIB's", server: "ours", secondServer: "RSPLIB's", user: "RSPLIB's" },
  ] as const
) {
  const { registrar, server, secondServer, user } = makers;
  Deno.test({
    name: `registrar ${registrar}, server ${server} killed in mid-image, second server ${secondServer}, ` +
      `pool user ${user}: the image is complete`,
    ignore,
    fn: () => draw({ makers, name: "killed", ...LARGE, meanwhile: killServer }),
  });
}

async function killServer(lab: Lab, { server }: Programs): Promise<void> {
  await lab.sees("Data of the first server", isFractalOf("server"), { count: MESSAGES_BEFORE_DEATH });
  await server?.kill();
  const from = lab.messages.length;
  assert.ok(!lab.messages.some((seen) => fractalOf(seen)?.type === "end"), "the server was killed in time");
  await lab.seesAsap("cookieEcho", "user", { from });
  await lab.sees("Data of the second server", isFractalOf("secondServer"), { from });
}

async function draw(setting: Setting): Promise<void> {
  const { makers, name, width, height } = setting;
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`rsplib-${Deno.pid}`);
    const registrar = start(lab, makers, "registrar", setting, folder);
    const server = start(lab, makers, "server", setting, folder);
    const programs: { [role in Role]?: Program } = { registrar, server };
    if (makers.secondServer !== undefined) {
      // The first one is to be the first of the pool, too.
      await registered(lab, "server");
      programs.secondServer = start(lab, makers, "secondServer", setting, folder);
      await registered(lab, "secondServer");
    }
    const user = start(lab, makers, "user", setting, folder);
    await setting.meanwhile?.(lab, programs);
    await lab.sees("the end of the image", (seen) => fractalOf(seen)?.type === "end", { limitMs: LIMIT_MS });

    if (makers.user === "ours") assertSucceeded(user, await user.ends());
    else await user.interrupt();
    for (const role of ["secondServer", "server", "registrar"] as const) {
      const program = programs[role];
      if (program?.isRunning !== true) continue;
      const code = await program.interrupt();
      if (makers[role] === "ours") assertSucceeded(program, code);
    }

    const capture = await lab.endCapture();
    const initials = Object.values(makers).map((maker) => maker === "ours" ? "o" : "r").join("");
    const file = `${KEEP ?? folder}/rsplib-${name}-${initials}.pcap`;
    await Deno.writeFile(file, capture);
    assertWholeImage(lab.messages);
    if (makers.user === "ours") await assertPng(`${folder}/image.png`, width, height);
    const ours = Object.entries(makers).filter(([, maker]) => maker === "ours");
    const addresses = ours.flatMap(([role]) => Lab.addresses(role as Role));
    if (addresses.length > 0) assert.deepEqual(await complaints(file, addresses), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function start(lab: Lab, makers: Makers, role: Role, setting: Setting, folder: string): Program {
  const ours = makers[role] === "ours";
  const size = [`-width=${setting.width}`, `-height=${setting.height}`];
  switch (role) {
    case "registrar":
      return ours ? lab.ours(role, "registrar") : lab.original(role, "rspregistrar");
    case "server":
    case "secondServer": {
      const options = ["-fractal", ...setting.serverOptions ?? []];
      return ours ? lab.ours(role, "server", ...options) : lab.original(role, "rspserver", ...options);
    }
    case "user":
      return ours
        ? lab.ours(role, "pooluser", "-fractal", ...size, `-output=${folder}/image.png`)
        : lab.original(role, "fractalpooluser", ...size);
  }
}

async function registered(lab: Lab, role: Role): Promise<void> {
  await lab.seesAsap("registrationResponse", "registrar", {
    matches: ({ rejected }, { destination }) => !rejected && Lab.addresses(role).includes(destination),
  });
}

function assertSucceeded(program: Program, code: number | undefined): void {
  assert.equal(code, 0, `${program.name} ended with ${code ?? "force"}. ${program.quote()}`);
}
