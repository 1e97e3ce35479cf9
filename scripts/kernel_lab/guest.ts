/**
 * One boot of user-mode Linux: the guest's start script, its life and its result.
 */
import { existsSync } from "node:fs";

/** What to run in the guest, and how. */
export interface GuestOptions {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Working directory; default: the caller's. */
  readonly directory?: string | undefined;
  /** As user-mode Linux wants it: `2G`. Default 2G. */
  readonly memory?: string | undefined;
  /** After so many seconds the guest is ended and the status is 124. */
  readonly timeoutSeconds: number;
  /** Network namespace of the host in which the tap devices are. */
  readonly networkNamespace?: string | undefined;
  /** Tap devices of the host; the guest has them as vec0, vec1, … */
  readonly taps?: readonly string[] | undefined;
  /** Variables for the command. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Takes the guest's console; default: standard output. */
  readonly onOutput?: ((octets: Uint8Array) => void) | undefined;
}

/** The guest could not be started, or ended without a result. */
export class GuestFailure extends Error {
  override readonly name = "GuestFailure";
}

/** Programs the lab needs, and the Debian packages that bring them. */
const NEEDED: readonly (readonly [program: string, debianPackage: string])[] = [
  ["linux.uml", "user-mode-linux"],
  ["modprobe", "kmod"],
  ["ip", "iproute2"],
  ["mount", "mount"],
  ["timeout", "coreutils"],
];

const MODULES_FOLDER = "/usr/lib/uml/modules";
const GUEST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Status of a command that was ended by its time limit, as timeout(1) has it. */
export const TIMED_OUT = 124;

/** Names of the Debian packages that the lab needs and this machine has not. */
export function missingPackages(): string[] {
  const folders = [...new Set([...(Deno.env.get("PATH") ?? "").split(":"), ...GUEST_PATH.split(":")])];
  const missing = NEEDED.filter(([program]) => !folders.some((folder) => existsSync(`${folder}/${program}`)))
    .map(([, debianPackage]) => debianPackage);
  if (!existsSync(MODULES_FOLDER)) missing.push("user-mode-linux");
  return [...new Set(missing)];
}

/** Quotes a word for the shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Runs one command under a kernel with SCTP.
 *
 * @returns exit status of the command, or {@linkcode TIMED_OUT}
 * @throws {GuestFailure} when the guest gave no result
 */
export async function runGuest(options: GuestOptions): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "kernel-lab-" });
  try {
    const resultFile = `${folder}/status`;
    await Deno.writeTextFile(`${folder}/init`, guestScript(options, folder), { mode: 0o755 });
    const taps = (options.taps ?? []).map((tap, index) =>
      `vec${index}:transport=tap,ifname=${tap},depth=128`
    );
    const words = [
      ...(options.networkNamespace === undefined ? [] : ["ip", "netns", "exec", options.networkNamespace]),
      "timeout",
      "--kill-after=5",
      `${options.timeoutSeconds}`,
      "linux.uml",
      `mem=${options.memory ?? "2G"}`,
      "root=/dev/root",
      "rootfstype=hostfs",
      "rootflags=/",
      "rw",
      `init=${folder}/init`,
      "con=null",
      "con0=null,fd:2", // boot messages
      "con1=null,fd:1", // the command's output
      "quiet",
      "loglevel=1",
      `uml_dir=${folder}/`,
      "umid=guest",
      ...taps,
    ];
    const { status, bootMessages } = await runKernel(words, options.onOutput ?? writeOut);
    if (status === TIMED_OUT || status === 137) return TIMED_OUT;
    let result: string;
    try {
      result = await Deno.readTextFile(resultFile);
    } catch {
      throw new GuestFailure(
        `the guest ended without a result (user-mode Linux: exit status ${status})\n${
          bootMessages.slice(-2000)
        }`,
      );
    }
    return Number.parseInt(result, 10);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runKernel(
  words: readonly string[],
  onOutput: (octets: Uint8Array) => void,
): Promise<{ status: number; bootMessages: string }> {
  const child = new Deno.Command(words[0]!, {
    args: words.slice(1),
    env: { TMPDIR: existsSync("/dev/shm") ? "/dev/shm" : "/tmp" }, // the guest's memory is a file there
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const bootMessages = new Response(child.stderr).text();
  const stop = () => child.kill("SIGTERM"); // timeout(1) hands it on to the guest
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  try {
    for await (const octets of child.stdout) onOutput(octets);
    return { status: (await child.status).code, bootMessages: await bootMessages };
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, stop);
  }
}

function writeOut(octets: Uint8Array): void {
  for (let offset = 0; offset < octets.length;) {
    offset += Deno.stdout.writeSync(octets.subarray(offset));
  }
}

/** Everything the guest does, as process 1. */
function guestScript(options: GuestOptions, folder: string): string {
  const denoFolder = Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
  const environment = {
    PATH: GUEST_PATH,
    HOME: Deno.env.get("HOME") ?? "/root",
    TMPDIR: "/run/tmp",
    DENO_DIR: "/run/deno",
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    QT_QPA_PLATFORM: "offscreen",
    XDG_RUNTIME_DIR: "/run/tmp",
    ...options.environment,
  };
  return `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/tmp /run/lock /run/netns /run/lab/lib /run/deno
${Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`).join("\n")}
stty -F /dev/tty1 -onlcr
# The modules are not where modprobe looks; the kernel itself asks for some later, through the same wrapper.
ln -s ${MODULES_FOLDER} /run/lab/lib/modules
printf '#!/bin/sh\\nexec /sbin/modprobe -d /run/lab "$@"\\n' > /run/lab/modprobe
chmod 755 /run/lab/modprobe
echo /run/lab/modprobe > /proc/sys/kernel/modprobe
# Deno's downloads are used from the host; its databases are not shared with a kernel whose locks the host does not see.
for name in npm remote gen; do
  [ -d ${quote(denoFolder)}/$name ] && ln -s ${quote(denoFolder)}/$name /run/deno/$name
done
for module in ipv6 md5 sha1_generic hmac sctp sctp_diag veth dummy af_packet; do
  /run/lab/modprobe -q $module
done
ip link set lo up
cd ${quote(options.directory ?? Deno.cwd())}
${options.command.map(quote).join(" ")} </dev/null >/dev/tty1 2>&1
echo $? > ${quote(`${folder}/status`)}
sync
echo o > /proc/sysrq-trigger
while :; do sleep 1; done
`;
}
