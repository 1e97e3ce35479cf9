import assert from "node:assert/strict";
import {
  choice,
  decimal,
  flag,
  formatSocket,
  hostSockets,
  identifier,
  integer,
  onOff,
  OptionError,
  readHostSocket,
  socket,
  text,
  texts,
} from "../../cmd/options.ts";
import { parseOptions } from "../../cmd/parse_options.ts";
import { fc } from "../properties.ts";

const table = {
  quiet: flag("Say nothing"),
  width: integer("Width", { min: 64, max: 8192, defaultValue: 400 }),
  rate: decimal("Rate", { min: -1, max: 10, defaultValue: undefined }),
  poolhandle: text("Pool", { defaultValue: "EchoPool", aliases: ["pool"] }),
  logcolor: onOff("Colours", { defaultValue: undefined }),
  transport: choice(["auto", "kernel"], "Transport", { defaultValue: "auto", variable: "RSP_TRANSPORT" }),
  identifier: identifier("ID"),
  asapannounce: socket("Group", { words: ["auto", "off"], defaultValue: "auto", defaultPort: 3863 }),
  registrar: hostSockets("Registrar", { defaultPort: 3863 }),
};

const parse = (...line: string[]) => parseOptions(table, line, () => undefined);
const refused = (line: string[], message: RegExp) => {
  assert.throws(() => parse(...line), (error) => error instanceof OptionError && message.test(error.message));
};

Deno.test("parseOptions() fills in defaults", () => {
  const { values, positionals, given } = parse();
  assert.equal(values["width"], 400);
  assert.equal(values["quiet"], false);
  assert.equal(values["transport"], "auto");
  assert.deepEqual(values["registrar"], []);
  assert.deepEqual([positionals, given.size], [[], 0]);
});

for (
  const line of [["-width=500"], ["--width=500"], ["-width", "500"], ["--width", "500"], ["--wid-th=500"]]
) {
  Deno.test(`parseOptions() takes ${line.join(" ")}`, () => {
    const { values, given } = parse(...line);
    assert.equal(values["width"], 500);
    assert.deepEqual([...given], ["width"]);
  });
}

Deno.test("parseOptions() takes flags, their negation, aliases and words", () => {
  const { values, positionals } = parse("-quiet", "one", "-pool=X", "--", "-width=1");
  assert.equal(values["quiet"], true);
  assert.equal(values["poolhandle"], "X");
  assert.deepEqual(positionals, ["one", "-width=1"]);
  assert.equal(parse("-quiet", "--no-quiet").values["quiet"], false);
  assert.deepEqual(parse("-").positionals, ["-"]);
});

Deno.test("parseOptions() keeps an equals sign and a leading dash within a value", () => {
  assert.equal(parse("-poolhandle=a=b").values["poolhandle"], "a=b");
  assert.equal(parse("-rate", "-0.5").values["rate"], -0.5);
});

Deno.test("parseOptions() reads identifiers as RSPLIB writes them", () => {
  assert.equal(parse("-identifier=0xDEADBEEF").values["identifier"], 0xdeadbeef);
  assert.equal(parse("-identifier=$12").values["identifier"], 0x12);
  assert.equal(parse("-identifier=12").values["identifier"], 12);
  assert.equal(parse("-identifier=0").values["identifier"], undefined);
  refused(["-identifier=0x123456789"], /32 bits/);
});

Deno.test("parseOptions() collects repeatable options", () => {
  assert.deepEqual(parse("-registrar=10.1.0.1:4000,fd01::1", "-registrar=10.2.0.2").values["registrar"], [
    { hosts: ["10.1.0.1", "fd01::1"], port: 4000 },
    { hosts: ["10.2.0.2"], port: 3863 },
  ]);
});

Deno.test("parseOptions() asks the environment for what the line does not say", () => {
  const variable = (name: string) => name === "RSP_TRANSPORT" ? "kernel" : undefined;
  assert.equal(parseOptions(table, [], variable).values["transport"], "kernel");
  assert.equal(parseOptions(table, ["-transport=auto"], variable).values["transport"], "auto");
  assert.throws(
    () => parseOptions(table, [], () => "tin"),
    /environment variable RSP_TRANSPORT must be auto or kernel/,
  );
});

Deno.test("parseOptions() refuses what is wrong in one clear line", () => {
  refused(["-widht=3"], /^unknown option -widht; did you mean -width\?$/);
  refused(["--xyzzy"], /^unknown option --xyzzy$/);
  refused(["-width=12x"], /^option -width must be a whole number from 64 to 8192, not "12x"$/);
  refused(["-width=63"], /from 64 to 8192/);
  refused(["-width"], /^option -width wants a value: -width=n$/);
  refused(["-width=100", "--width=200"], /given twice/);
  refused(["-quiet=yes"], /takes no value/);
  refused(["-logcolor=blue"], /on or off/);
  refused(["-transport=tin"], /auto or kernel/);
  refused(["-asapannounce=10.1.0.256"], /must be an address such as/);
  refused(["-asapannounce=10.1.0.1:70000"], /65535/);
  refused(["-poolhandle="], /must not be empty/);
});

Deno.test("parseOptions() does not take names of objects for options", () => {
  refused(["-constructor=1"], /unknown option/);
  refused(["-__proto__=1"], /unknown option/);
});

Deno.test("readHostSocket() reads every spelling of an address", () => {
  const cases: [string, string[], number][] = [
    ["10.1.0.1", ["10.1.0.1"], 9901],
    ["10.1.0.1:1", ["10.1.0.1"], 1],
    ["10.1.0.1!2", ["10.1.0.1"], 2],
    ["[fd01::1]:3", ["fd01::1"], 3],
    ["[fd01::1]!4", ["fd01::1"], 4],
    ["fd01::1!5", ["fd01::1"], 5],
    ["fd01::1", ["fd01::1"], 9901],
  ];
  for (const [written, addresses, port] of cases) {
    const read = readHostSocket(written, 9901);
    assert.deepEqual(read, { hosts: addresses, port }, written);
    assert.deepEqual(readHostSocket(formatSocket({ addresses, port }), 0), read);
  }
});

Deno.test("readHostSocket() takes names, but no mistyped addresses", () => {
  assert.deepEqual(readHostSocket("lab-pc-1.example:3863,10.1.0.1", 1), {
    hosts: ["lab-pc-1.example", "10.1.0.1"],
    port: 3863,
  });
  assert.deepEqual(readHostSocket("pc1", 3863), { hosts: ["pc1"], port: 3863 });
  for (const wrong of ["10.1.0.256", "10.1.0", "", "a..b", "pc 1", "pc1:x", "10.1.0.1.2:3863"]) {
    assert.throws(() => readHostSocket(wrong, 1), /must be an address/, wrong);
  }
});

Deno.test("parseOptions() answers any line with values or an OptionError", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom(...Object.keys(table)).map((name) => `-${name}`));
  const argument = fc.oneof(word, fc.tuple(word, fc.string()).map((pair) => pair.join("=")));
  fc.assert(fc.property(fc.array(argument, { maxLength: 6 }), (line) => {
    try {
      assert.equal(typeof parse(...line).values, "object");
    } catch (error) {
      assert.ok(error instanceof OptionError, String(error));
    }
  }));
});

const letters = {
  listen: flag("Listen", { aliases: ["l"] }),
  interactive: flag("Ask", { aliases: ["I"] }),
  port: integer("Port", { min: 0, max: 65535, defaultValue: 0, aliases: ["P"] }),
  remote: text("Host", { defaultValue: undefined, aliases: ["h"] }),
  host: texts("Hosts", { aliases: ["B"] }),
  interface: text("Interface", { defaultValue: undefined, bareValue: "eth0" }),
  auth: flag("Authenticate", { defaultValue: true }),
};
const getopt = (...line: string[]) => parseOptions(letters, line, () => undefined).values;

for (
  const line of [
    ["-l", "-I", "-P", "1234"],
    ["-lI", "-P1234"],
    ["-lIP", "1234"],
    ["-IlP1234"],
    ["--listen", "--interactive", "--port=1234"],
    ["-lI", "-P=1234"],
  ]
) {
  Deno.test(`parseOptions() takes ${line.join(" ")} as getopt does`, () => {
    const { listen, interactive, port } = getopt(...line);
    assert.deepEqual([listen, interactive, port], [true, true, 1234]);
  });
}

Deno.test("parseOptions() takes values of one-letter options as they are, and each of a repeatable one", () => {
  assert.equal(getopt("-h::1")["remote"], "::1");
  assert.equal(getopt("-h", "-x")["remote"], "-x");
  assert.deepEqual(getopt("-B", "a", "-Bb", "--host=c")["host"], ["a", "b", "c"]);
});

Deno.test("parseOptions() says which letter of several it does not know", () => {
  assert.throws(() => getopt("-lx"), /unknown option -x in -lx/);
  assert.throws(() => getopt("-lP"), /option -P wants a value/);
  assert.throws(() => getopt("--lI"), /unknown option --lI/);
});

Deno.test("parseOptions() takes no word that begins like an option of one letter for that option", () => {
  const words = {
    n: decimal("Power", { min: -9, max: 9, defaultValue: undefined }),
    sessions: flag("Sessions"),
  };
  const read = (argument: string) => parseOptions(words, [argument], () => undefined).values;
  assert.throws(() => read("-nosession"), {
    message: "unknown option -nosession; did you mean -nosessions?",
  });
  assert.throws(() => read("-session"), { message: "unknown option -session; did you mean -sessions?" });
  assert.throws(() => read("-n3"), /unknown option -n3; did you mean -n\?/);
  assert.equal(read("-n=3")["n"], 3);
  assert.equal(read("-nosessions")["sessions"], false);
});

Deno.test("parseOptions() has options whose value may be left out, and flags that are on by themselves", () => {
  assert.equal(getopt("--interface", "-l")["interface"], "eth0");
  assert.equal(getopt("--interface=ens3")["interface"], "ens3");
  assert.equal(getopt()["auth"], true);
  assert.equal(getopt("--no-auth")["auth"], false);
});
