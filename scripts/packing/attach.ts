/**
 * Attaches the program to a copy of Deno: one executable that needs nothing beside itself and unpacks nothing.
 *
 *     Deno, as it is │ the program's text │ padding │ entry code, loaded as a segment of its own
 *
 * The entry code makes Deno see the arguments `eval … LOADER --` before those of the user (`entry_code.ts`); the loader
 * reads the text out of the very file that runs, and evaluates it. `deno eval` needs no file, and other than `deno run` it
 * does not ask Deno's makers for newer versions.
 */
import { entryCode } from "./entry_code.ts";
import { alignUp, loadCode, readExecutable, SEGMENT_ALIGNMENT } from "./elf.ts";
import { REQUIRE } from "./program.ts";

/** How Deno is called. No file of the folder that the user stands in has a say; `--` ends what is for Deno. */
const WORDS = {
  before: ["eval", "--quiet", "--ext=js", "--no-config", "--no-lock", "--no-npm", "--no-remote"],
  after: ["--"],
} as const;

/**
 * Deno looks for a `.npmrc` at home, and stumbles over a bad one. It cannot make a folder for its caches at that place, and
 * so it keeps them in memory: nothing is written, and it makes no difference whether there is a home or whose it is. On a
 * terminal it would complain of that: the last variable leaves that out, and nothing else that is an error.
 */
const VARIABLES = {
  HOME: "/proc",
  DENO_DIR: "/dev/null/none",
  DENO_LOG: "error,deno::cache=off",
} as const;

/**
 * What Deno evaluates: it puts the variables right again, reads the program, and calls it. Of two variables of one name Deno lists the last one, which is the user's. By this path the
 * file is there even when it was replaced or removed while it runs.
 */
function loader(offset: number, lengthBytes: number): string {
  return `const o=${JSON.stringify(VARIABLES)},e=Deno.env.toObject();` +
    "for(const n in o)e[n]===o[n]?Deno.env.delete(n):Deno.env.set(n,e[n]);" +
    'let f;try{f=Deno.openSync("/proc/self/exe")}catch{' +
    'console.error("rsp: it reads itself as /proc/self/exe, which is not there: mount /proc");Deno.exit(1)}' +
    `f.seekSync(${offset},0);const b=new Uint8Array(${lengthBytes});` +
    "for(let n=0;n<b.length;)n+=f.readSync(b.subarray(n))??Infinity;f.close();" +
    `(0,eval)(new TextDecoder().decode(b))${REQUIRE}`;
}

/**
 * Attaches a program.
 *
 * @param deno the executable of Deno, for whatever processor there is entry code for
 * @param program a function of `require`, as `bundleProgram()` makes it
 * @returns the executable that is the program
 * @throws {Error} when nothing can be attached to that executable; says why
 */
export function attachProgram(deno: Uint8Array, program: string): Uint8Array {
  const executable = readExecutable(deno);
  // The last line is the name that stack traces show.
  const text = new TextEncoder().encode(`${program}\n//# sourceURL=rsp.js`);
  const codeOffset = alignUp(deno.length + text.length, SEGMENT_ALIGNMENT);
  const code = entryCode({
    machine: executable.machine,
    address: executable.freeAddress,
    nextAddress: executable.entryAddress,
    environAddress: executable.environAddress,
    words: [...WORDS.before, loader(deno.length, text.length), ...WORDS.after],
    variables: Object.entries(VARIABLES).map(([name, value]) => `${name}=${value}`),
  });
  const file = new Uint8Array(codeOffset + code.length);
  file.set(deno);
  file.set(text, deno.length);
  file.set(code, codeOffset);
  loadCode(file, executable, { offset: codeOffset, lengthBytes: code.length });
  return file;
}
