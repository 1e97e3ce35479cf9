/** Which transport works on a host, and why not the other (architecture §5). */
import type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
import type { HostFacts, KernelFacts } from "./facts.ts";
import { type Finding, FindingList } from "./finding.ts";

/** What the user would start the programs with. */
export interface TransportWish {
  readonly transport: TransportChoice;
  readonly encapsulation: EncapsulationChoice;
}

/** What would carry SCTP. */
export interface TransportVerdict {
  readonly findings: readonly Finding[];
  /** Undefined = nothing can. */
  readonly transport: "kernel" | "embedded" | undefined;
  /** For people, behind "SCTP is carried by". */
  readonly carrier: string;
}

/** Says what would carry SCTP, and what is in the way of the rest. */
export function judgeTransport(facts: HostFacts, wish: TransportWish): TransportVerdict {
  const list = new FindingList("transport");
  const kernelWorks = facts.sockets?.sctp === "ok";
  const takesKernel = wish.transport === "kernel" || (wish.transport === "auto" && kernelWorks);
  judgeKernel(list, facts, takesKernel);
  const carrier = judgeEmbedded(list, facts, wish, takesKernel);
  const fails = list.all.some(({ level }) => level === "problem");
  return {
    findings: list.all,
    transport: fails ? undefined : takesKernel ? "kernel" : "embedded",
    carrier: takesKernel ? "the kernel" : `the embedded stack over ${carrier}`,
  };
}

function judgeKernel(list: FindingList, facts: HostFacts, taken: boolean): void {
  const { sockets, noSockets, kernel, settings } = facts;
  const missing = taken ? "problem" : "note";
  if (sockets === undefined) {
    list.add(missing, "kernel-unknown", `Kernel SCTP is out of reach: ${noSockets ?? "no native calls"}.`);
  } else if (sockets.sctp === "EPERM" || sockets.sctp === "EACCES") {
    list.add(
      missing,
      "kernel-forbidden",
      `This process may not open SCTP sockets (${sockets.sctp}): a seccomp filter or a security module forbids it.` +
        ` The administrator of ${
          facts.system.confinement.length > 0 ? "the container" : "this host"
        } can allow it.`,
    );
  } else if (sockets.sctp !== "ok") {
    const { name, sentence, mend } = whyNoKernel(facts);
    list.add(missing, name, sentence, mend);
  } else if (sockets.sctpListen === "ENOSYS") {
    const algorithm = settings["net.sctp.cookie_hmac_alg"] ?? "md5";
    list.add(
      taken ? "problem" : "warning",
      "kernel-cookie",
      `The kernel has SCTP, but cannot listen: the MAC of its cookies (${algorithm}) is not loaded. Without a MAC ` +
        "(`sysctl -w net.sctp.cookie_hmac_alg=none`) it can, and anybody can forge cookies.",
      `modprobe -a ${algorithm === "none" ? "md5" : algorithm} hmac`,
    );
  } else if (sockets.sctpListen !== "ok") {
    list.add(
      taken ? "problem" : "warning",
      "kernel-listen",
      `The kernel has SCTP, but this process cannot listen (${sockets.sctpListen}).`,
    );
  } else {
    const how = kernel.builtIn
      ? "it is built in"
      : kernel.loadedBefore
      ? "its module was loaded already"
      : "asking for a socket loaded its module";
    list.add("ok", "kernel", `The kernel has SCTP: ${how}.`);
  }
}

interface Reason {
  readonly name: string;
  readonly sentence: string;
  readonly mend?: string;
}

/** Why there is no SCTP socket to be had, from the nearest cause to the farthest. */
function whyNoKernel({ kernel, system, sockets }: HostFacts): Reason {
  const confined = system.confinement.length > 0;
  const start = "The kernel has no SCTP";
  if (kernel.modulesDisabled) {
    return {
      name: "kernel-modules-disabled",
      sentence:
        `${start} loaded, and kernel.modules_disabled forbids to load any module until the next boot.`,
    };
  }
  const [obstacle] = kernel.obstacles;
  if (obstacle !== undefined && (kernel.moduleFile !== undefined || !kernel.hasModules)) {
    return {
      name: "kernel-blacklisted",
      sentence: `${start} loaded: ${obstacle.file} keeps its module away by \`${obstacle.line}\`. ` +
        "Put a # before that line to have it loaded whenever a program asks.",
      mend: loadCommand(kernel),
    };
  }
  if (kernel.moduleFile !== undefined) {
    return {
      name: "kernel-not-loaded",
      sentence: `${start} loaded, though its module is installed` +
        (kernel.modprobe === undefined
          ? ": there is no modprobe that the kernel could call."
          : confined
          ? "; from within here the kernel does not load it, so load it on the host."
          : "."),
      mend: loadCommand(kernel),
    };
  }
  if (kernel.hasModules) {
    const install = packageCommand(system.distribution);
    return {
      name: "kernel-module-missing",
      sentence: `${start}: the module sctp for Linux ${system.kernelRelease} is not installed` +
        (install === undefined ? " (in some distributions it is in a package of its own)." : "."),
      ...(install !== undefined && { mend: install }),
    };
  }
  if (confined) {
    return {
      name: "kernel-of-host",
      sentence:
        `${start} loaded (${sockets?.sctp}), and there are no modules here to load: if its host has the module, it is to be ` +
        "loaded there.",
      mend: "modprobe sctp",
    };
  }
  return {
    name: "kernel-without-modules",
    sentence:
      `${start} (${sockets?.sctp}): Linux ${system.kernelRelease} was built without it, or without its modules.`,
  };
}

/** The command that loads the module here. */
export function loadCommand(kernel: KernelFacts): string {
  if (kernel.modprobe === undefined && kernel.moduleFile !== undefined) return `insmod ${kernel.moduleFile}`;
  // `blacklist` stops the kernel's own wish only; `install sctp /bin/false` stops everybody's.
  const replaced = kernel.obstacles.some(({ line }) => line.startsWith("install"));
  return replaced ? "modprobe --ignore-install sctp" : "modprobe sctp";
}

function packageCommand(distribution: string): string | undefined {
  if (/\bubuntu\b/.test(distribution)) return "apt install linux-modules-extra-$(uname -r)";
  if (/\bdebian\b/.test(distribution)) return "apt install linux-image-$(uname -r)";
  if (/\b(rhel|fedora|centos)\b/.test(distribution)) return "dnf install kernel-modules-extra-$(uname -r)";
  return undefined;
}

/** @returns what would carry the embedded stack's packets */
function judgeEmbedded(
  list: FindingList,
  facts: HostFacts,
  wish: TransportWish,
  kernelTaken: boolean,
): string {
  const { sockets, noSockets, kernel, system } = facts;
  if (sockets === undefined) {
    const reason = noSockets ?? "no native calls";
    if (wish.encapsulation === "raw" && !kernelTaken) {
      list.add("problem", "embedded-raw", `The embedded stack cannot send plain SCTP over IP: ${reason}.`);
    } else {
      list.add(
        "warning",
        "embedded-portable",
        `The embedded stack works in UDP by its slow portable driver: ${reason}.`,
      );
    }
    return "UDP";
  }
  if (sockets.udpIpv4 !== "ok" && sockets.udpIpv6 !== "ok") {
    list.add(
      kernelTaken ? "warning" : "problem",
      "embedded",
      `The embedded stack cannot work: this process gets no UDP socket (${sockets.udpIpv4}).`,
    );
    return "nothing";
  }
  const raw = sockets.rawIpv4 === "ok" || sockets.rawIpv6 === "ok";
  if (wish.encapsulation === "udp") {
    list.add(
      "ok",
      "embedded",
      "The embedded stack works here, in UDP as -encapsulation=udp asks (RFC 6951).",
    );
    return "UDP";
  }
  if (!raw) {
    const needed = wish.encapsulation === "raw" && !kernelTaken;
    list.add(
      needed ? "problem" : "note",
      "embedded-raw",
      "The embedded stack works in UDP only (RFC 6951): plain SCTP over IP needs root or the capability CAP_NET_RAW" +
        ` (${sockets.rawIpv4}), and captures and peers with kernel SCTP want it.`,
      system.confinement.length > 0 && system.userId === 0
        ? "docker run --cap-add=NET_RAW …"
        : 'setcap cap_net_raw+ep "$(command -v rsp)"',
    );
    return "UDP";
  }
  if (kernel.loaded && wish.encapsulation === "auto") {
    list.add(
      kernelTaken ? "ok" : "note",
      "embedded",
      "The embedded stack works here, in UDP only (RFC 6951): plain SCTP over IP belongs to the kernel's own SCTP, which " +
        "would answer the peers' packets with ABORTs.",
    );
    return "UDP";
  }
  list.add("ok", "embedded", "The embedded stack works here, over IP and in UDP (RFC 6951).");
  return "IP and UDP";
}
