/** What there is to see of each service of RSPLIB's, whoever made the programs. */
import assert from "node:assert/strict";
import { readPingPongCookie } from "../../protocol/app/pingpong/cookie.ts";
import { assertPng, assertWholeImage, fractalOf } from "./fractal_image.ts";
import type { SeenMessage } from "./live_capture.ts";
import { Lab } from "./rsplib_lab.ts";
import type { Make, Scene, Server, Stage } from "./service_lab.ts";
import {
  calcAppOf,
  isCalcApp,
  isCharacters,
  isDaytime,
  isPingPong,
  isScripting,
  pingPongOf,
  textOf,
} from "./service_messages.ts";
import { assertResult, packWork } from "./work_package.ts";

/** Messages in a row that show that a service goes on. */
const ENOUGH = 5;

function terminal(make: Make, ...words: readonly string[]): readonly string[] {
  return [make === "ours" ? "terminal" : "rspterminal", ...words];
}

/** The user is given a line, and sends it to this server. */
async function sends(stage: Stage, server: Server, line: string): Promise<void> {
  const isLine = (seen: SeenMessage) => textOf(seen).includes(line);
  await stage.types(line, (limitMs) => stage.asks(server, isLine, { limitMs }));
}

const echo: Scene = {
  service: "echo",
  trustsSctp: true,
  user: (make) => terminal(make),
  async play(stage) {
    await sends(stage, "server", "Good morning");
    await stage.user.says(/> Good morning/);
    await stage.loseServer();
    await sends(stage, "secondServer", "Good evening");
    await stage.user.says(/> Good evening/);
  },
};

const discard: Scene = {
  service: "discard",
  trustsSctp: true,
  user: (make) => terminal(make, "-poolhandle=DiscardPool"),
  async play(stage) {
    await sends(stage, "server", "rubbish");
    await stage.program("server").says(/discard/i);
    await stage.loseServer();
    await sends(stage, "secondServer", "more of it");
    await stage.program("secondServer").says(/discard/i);
    assert.doesNotMatch(stage.user.output, />/, "nothing comes back");
  },
};

/** After an answer it takes a line to make our user ask again; RSPLIB's does so all the time. */
const daytime: Scene = {
  service: "daytime",
  user: (make) => terminal(make, "-poolhandle=DaytimePool"),
  async play(stage) {
    await stage.serves("server", isDaytime);
    await stage.user.says(/from PE \$11111111> [A-Z][a-z]+day, /);
    const from = await stage.loseServer();
    await stage.types("And now?", (limitMs) => stage.serves("secondServer", isDaytime, { from, limitMs }));
    await stage.user.says(/from PE \$22222222> [A-Z][a-z]+day, /);
  },
};

/** The service that RSPLIB's server does not start. As with daytime, a line makes our user ask again. */
export const CHARGEN: Scene = {
  service: "chargen",
  user: (make) => terminal(make, "-poolhandle=CharGenPool"),
  async play(stage) {
    await stage.serves("server", isCharacters, { count: ENOUGH });
    const from = await stage.loseServer();
    const more = { count: ENOUGH, from } as const;
    await stage.types("More!", (limitMs) => stage.serves("secondServer", isCharacters, { ...more, limitMs }));
  },
};

/** Between two Pings, in milliseconds: mostly time enough to lose the server that has just told how far it is. */
const PING_MS = 400;

const pingpong: Scene = {
  service: "pingpong",
  trustsSctp: true,
  user: () => ["pingpongclient", `-interval=${PING_MS}`],
  async play(stage) {
    await stage.serves("server", isPingPong("pong"), { count: ENOUGH });
    // The server is lost between two Pings.
    await stage.lab.seesAsap("cookie", "server", { from: stage.lab.messages.length });
    const from = await stage.loseServer();
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    await stage.serves("secondServer", isPingPong("pong"), { count: ENOUGH, from });
    const toldLate = assertRepliesGoOn(stage.lab.messages);
    if (!toldLate) assert.doesNotMatch(stage.user.output, /Detected gap/);
  },
};

/**
 * The first server numbers its replies from 1 on and its cookies tell the next number; the second server goes on from the last
 * cookie. RSPLIB's server sends a cookie up to 200 ms behind its reply (Nagle's algorithm), and can be lost in between.
 *
 * @returns whether the last reply of the first server was without its cookie, so that the second one repeats its number
 */
function assertRepliesGoOn(messages: readonly SeenMessage[]): boolean {
  let next = 1, told = 1, hasChanged = false, toldLate = false;
  for (const seen of messages) {
    const isFirst = Lab.addresses("server").includes(seen.source);
    if (isFirst && seen.asap?.type === "cookie") {
      told = Number(readPingPongCookie(seen.asap.cookie).nextReply);
      assert.equal(told, next, "a cookie tells the next reply's number");
    }
    const message = pingPongOf(seen);
    if (message?.type !== "pong") continue;
    if (isFirst) assert.equal(told, next, "only its last reply may be without its cookie");
    if (!isFirst && !hasChanged) {
      hasChanged = true;
      toldLate = told !== next;
      next = told;
    }
    assert.equal(Number(message.replyNumber), next, "the replies' numbers go on over the failover");
    next++;
  }
  return toldLate;
}

/** Large enough that a server can be lost long before its end. */
const WIDTH = 1024, HEIGHT = 600;
/** Data messages of a server before it is lost, of about 1900. */
const MESSAGES_BEFORE_LOSS = 20;
/** For the rest of the image, on a slow and shared machine. */
const IMAGE_LIMIT_MS = 120_000;

const fractal: Scene = {
  service: "fractal",
  user: (make, folder) => [
    ...make === "ours"
      ? ["pooluser", "-fractal", `-output=${folder}/image.png`, "-configdir=none"]
      : ["fractalpooluser"],
    ...[`-width=${WIDTH}`, `-height=${HEIGHT}`],
  ],
  async play(stage) {
    await stage.serves("server", (seen) => fractalOf(seen)?.type === "data", { count: MESSAGES_BEFORE_LOSS });
    const from = await stage.loseServer();
    assert.ok(!stage.lab.messages.some(isEndOfImage), "the server was lost in time");
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    await stage.serves("secondServer", isEndOfImage, { from, limitMs: IMAGE_LIMIT_MS });
    assertWholeImage(stage.lab.messages);
    if (stage.cast.user === "original") return;
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    await assertPng(`${stage.folder}/image.png`, WIDTH, HEIGHT);
  },
};

function isEndOfImage(seen: SeenMessage): boolean {
  return fractalOf(seen)?.type === "end";
}

/** Calculations per second: no job ends at the first server, and at the second each one does in no time. */
const CAPACITY = { server: 1e6, secondServer: 1e10 } as const;
const CALCULATIONS = 1e9;

const calcapp: Scene = {
  service: "calcapp",
  serverOptions: (role, folder) => [
    ...[`-capcapacity=${CAPACITY[role]}`, "-capcookiemaxtime=0.5"],
    ...[`-capvector=${folder}/${role}.vec`, `-capscalar=${folder}/${role}.sca`],
  ],
  user: (_, folder) => [
    ...["calcappclient", `-jobsize=${CALCULATIONS}`, "-jobinterval=0.5"],
    ...["-keepalivetransmissioninterval=1000", "-keepalivetimeoutinterval=2000"],
    ...[`-vector=${folder}/user.vec`, `-scalar=${folder}/user.sca`],
  ],
  async play(stage) {
    const request = calcAppOf(await stage.asks("server", isCalcApp("request")));
    assert.ok(request?.type === "request");
    const { jobId, jobSize } = request;
    await stage.lab.seesAsap("cookie", "server");
    const from = await stage.loseServer();
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    const accept = await stage.serves("secondServer", isCalcApp("accept"), { from });
    assert.deepEqual(calcAppOf(accept), { type: "accept", jobId });
    const complete = await stage.serves("secondServer", isCalcApp("complete"), { from });
    assert.deepEqual(calcAppOf(complete), { type: "complete", jobId, jobSize, completed: jobSize });
    await stage.serves("secondServer", isCalcApp("complete"), { count: ENOUGH, from });
  },
};

/** The job takes so long that its server can be lost meanwhile, in seconds. */
const JOB_SECONDS = 5;

const scripting: Scene = {
  service: "scripting",
  serverOptions: () => ["-ssmaxthreads=2"],
  user: async (_, folder) => [
    ...["scriptingclient", ...await packWork(folder, `sleep ${JOB_SECONDS}`), `-output=${folder}/result`],
    ...["-retrydelay=200", "-keepaliveinterval=1000", "-keepalivetimeout=2000"],
  ],
  async play(stage) {
    await stage.serves("server", isScripting("status"));
    const from = await stage.loseServer();
    await stage.serves("secondServer", isScripting("status"), { from, count: 2 });
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    await assertResult(`${stage.folder}/result`);
  },
};

/** The services that have servers of both makes. */
export const SCENES: readonly Scene[] = [echo, discard, daytime, pingpong, fractal, calcapp, scripting];

/** Those whose users send, and so notice that their server has fallen silent. */
export const WATCHFUL: readonly Scene[] = [echo, discard, pingpong, fractal, calcapp, scripting];
