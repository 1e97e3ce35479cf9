/**
 * Lint rules of the project: what types and Deno's own rules do not see. `deno lint` loads it (deno.json, `lint.plugins`).
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Path of a file within the project, with slashes. */
function projectPath(filename: string): string {
  return relative(ROOT, filename).replaceAll("\\", "/");
}

/** Global objects that give time, chance or the outside world, with what takes their place. */
const IMPURE_GLOBALS: ReadonlyMap<string, string> = new Map([
  ["performance", "time comes in as `now`"],
  ["setTimeout", "use a TimerQueue"],
  ["setInterval", "use a TimerQueue"],
  ["setImmediate", "effects leave by `drain`"],
  ["queueMicrotask", "effects leave by `drain`"],
  ["Temporal", "time comes in as `now`"],
  ["Deno", "protocol/ knows no process"],
  ["process", "protocol/ knows no process"],
  ["console", "report effects leave by `drain`"],
  ["crypto", "chance comes in as a Prng or a function"],
  ["fetch", "protocol/ knows no network"],
]);

const IMPURE_MEMBERS: ReadonlyMap<string, string> = new Map([
  ["Date.now", "time comes in as `now`"],
  ["Math.random", "chance comes in as a Prng"],
]);

/** `protocol/` gets time and chance as arguments (architecture: floors). */
const pureProtocol: Deno.lint.Rule = {
  create(context) {
    if (!projectPath(context.filename).startsWith("protocol/")) return {};
    const refuse = (node: Deno.lint.Node, what: string, why: string) => {
      context.report({ node, message: `${what} is not allowed in protocol/`, hint: why });
    };
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.property.type !== "Identifier" || node.computed) return;
        const name = `${node.object.name}.${node.property.name}`;
        const why = IMPURE_MEMBERS.get(name);
        if (why !== undefined) refuse(node, name, why);
        const whyObject = IMPURE_GLOBALS.get(node.object.name);
        if (whyObject !== undefined) refuse(node, node.object.name, whyObject);
      },
      NewExpression(node) {
        if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0) {
          refuse(node, "new Date()", "time comes in as `now`");
        }
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier") return;
        const why = IMPURE_GLOBALS.get(node.callee.name);
        if (why !== undefined) refuse(node, node.callee.name, why);
      },
    };
  },
};

/** Private by language, not by type checker. */
const hashPrivate: Deno.lint.Rule = {
  create(context) {
    const check = (node: Deno.lint.PropertyDefinition | Deno.lint.MethodDefinition) => {
      if (node.accessibility !== "private" && node.accessibility !== "protected") return;
      if (node.type === "MethodDefinition" && node.kind === "constructor") return; // the language has no #constructor
      context.report({
        node,
        message: `The keyword ${node.accessibility} is not used here`,
        hint: "Write #name",
      });
    };
    return { PropertyDefinition: check, MethodDefinition: check };
  },
};

/** Messages of errors read alike: one sentence or clause, no full stop, no short forms. */
const errorMessage: Deno.lint.Rule = {
  create(context) {
    return {
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || !node.callee.name.endsWith("Error")) return;
        const message = node.arguments.map(literalEnd).find((text) => text !== undefined);
        if (message === undefined) return;
        const { whole, node: where } = message;
        if (whole.trim() === "") context.report({ node: where, message: "An error message is empty" });
        if (/[^.]\.$/.test(whole)) {
          context.report({
            node: where,
            message: "An error message ends with a full stop",
            hint: "Leave it out",
          });
        }
        if (/\b(can|don|won|isn|doesn|couldn|shouldn)['’]t\b/i.test(whole)) {
          context.report({
            node: where,
            message: "An error message has a short form",
            hint: "Write cannot, do not",
          });
        }
      },
    };
  },
};

/** The literal text of an argument, template holes left out. */
function literalEnd(node: Deno.lint.Node): { whole: string; node: Deno.lint.Node } | undefined {
  if (node.type === "Literal" && typeof node.value === "string" && node.value.includes(" ")) {
    return { whole: node.value, node };
  }
  if (node.type !== "TemplateLiteral") return undefined;
  return { whole: node.quasis.map((part) => part.cooked).join("…"), node };
}

/** Only commands and scripts talk to people, and the programs that tests start talk to the tests. */
const noConsole: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    const speaks = /^(cmd|scripts)\//.test(path) || (path.startsWith("tests/") && !path.endsWith("_test.ts"));
    if (speaks) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "console") return;
        context.report({ node, message: "console is for commands, scripts and programs that tests start" });
      },
    };
  },
};

/** One place ends the process, so that everything else can be run within a test. */
const noExit: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (path === "cmd/main.ts" || path.startsWith("scripts/") || path.startsWith("tests/")) return {};
    return {
      MemberExpression(node) {
        if (node.object.type !== "Identifier" || node.object.name !== "Deno") return;
        if (node.property.type !== "Identifier" || node.property.name !== "exit") return;
        context.report({ node, message: "Deno.exit is for cmd/main.ts alone", hint: "Return an exit code" });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "rsp",
  rules: {
    "pure-protocol": pureProtocol,
    "hash-private": hashPrivate,
    "error-message": errorMessage,
    "no-console": noConsole,
    "no-exit": noExit,
  },
};

export default plugin;
