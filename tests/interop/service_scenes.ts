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
import { assertResult, packWork, waitFor } from "./work_package.ts";

/** Messages in a row that show that a service goes on. */
const ENOUGH = 5;

function terminal(make: Make, ...words: readonly string[]): readonly string[] {
  return [make === "ours" ? "terminal" : "rspterminal", ...words];
}

/**
 * The user is given a line, and sends it to this server. Where it took several attempts, the last one gets there: our user
 * that is ended while a line waits for a server says so by its exit status.
 */
async function sends(stage: Stage, server: Server, line: string): Promise<void> {
  await stage.user.typesUntil(
    line,
    (limitMs, text) => stage.asks(server, (seen) => textOf(seen).includes(`${text}\n`), { limitMs }),
  );
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
    assert.doesNotMatch(stage.user.output, /from PE/, "nothing comes back");
  },
};

/**
 * After an answer it takes a line to make our user ask again, a single one, since from then on it rests, as it says at this
 * log level; RSPLIB's asks all the time, unless it finds nobody.
 */
const daytime: Scene = {
  service: "daytime",
  user: (make) => terminal(make, "-poolhandle=DaytimePool", ...make === "ours" ? ["-loglevel=3"] : []),
  async play(stage) {
    await stage.serves("server", isDaytime);
    await stage.user.says(/from PE \$11111111> [A-Z][a-z]+day, /);
    const ours = stage.cast.user === "ours";
    if (ours) await stage.user.says(/the next line asks again/);
    const from = await stage.loseServer();
    if (!ours) {
      await stage.user.typesUntil(
        "And now?",
        (limitMs) => stage.serves("secondServer", isDaytime, { from, limitMs }),
      );
      await stage.user.says(/from PE \$22222222> [A-Z][a-z]+day, /);
      return;
    }
    await stage.user.type("And now?\n");
    const answer = textOf(await stage.serves("secondServer", isDaytime, { from })).trim();
    await stage.user.until(answer, (output) => output.includes(`from PE $22222222> ${answer}`) || undefined);
  },
};

/**
 * The service that RSPLIB's server does not start. Our user rests when it loses a server soon after the first characters, as
 * it does after an answer: then a line makes it ask again.
 */
export const CHARGEN: Scene = {
  service: "chargen",
  user: (make) => terminal(make, "-poolhandle=CharGenPool"),
  async play(stage) {
    await stage.serves("server", isCharacters, { count: ENOUGH });
    const from = await stage.loseServer();
    const more = { count: ENOUGH, from } as const;
    await stage.user.typesUntil(
      "More!",
      (limitMs) => stage.serves("secondServer", isCharacters, { ...more, limitMs }),
    );
    // Then it has sent the line, too: our user that is ended while one waits says so by its exit status.
    await stage.user.says(/from PE \$22222222> /);
  },
};

/** Between two Pings, in milliseconds. */
const PING_MS = 400;
/** A server that stands still is not left for that, in milliseconds. */
const PONG_LIMIT_MS = 600_000;

const pingpong: Scene = {
  service: "pingpong",
  trustsSctp: true,
  user: (make) => [
    ...["pingpongclient", `-interval=${PING_MS}`],
    ...make === "ours" ? [`-recvtimeout=${PONG_LIMIT_MS}`] : [], // RSPLIB's waits for ever
  ],
  async play(stage) {
    await stage.serves("server", isPingPong("pong"), { count: ENOUGH });
    // A user that sends to a lost server before it has read the last cookie fails over without that: this one has read it.
    stage.stopServer();
    await stage.asks("server", isPingPong("ping"), { count: ENOUGH, from: stage.lab.messages.length });
    const from = await stage.loseServer();
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    await stage.serves("secondServer", isPingPong("pong"), { count: ENOUGH, from });
    const toldLate = assertRepliesGoOn(stage.lab.messages);
    if (!toldLate) assert.doesNotMatch(stage.user.output, /Detected gap/);
  },
};

/**
 * The first server numbers its replies from 1 on and its cookies tell the next number; the second server goes on from the last
 * cookie. The first one may have been stopped between a reply and its cookie.
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

/** Over a slow cable it takes 40 s: a server can be lost long before its end. */
const WIDTH = 1024, HEIGHT = 600;
/** A server that is silent for so long is left: on a busy machine, the first words take their time. In milliseconds. */
const DATA_LIMIT_MS = 20_000;
/** Data messages of a server before it is lost, of about 1900. */
const MESSAGES_BEFORE_LOSS = 20;
/** For the rest of the image, on a slow and shared machine. */
const IMAGE_LIMIT_MS = 300_000;

const fractal: Scene = {
  service: "fractal",
  isSlow: true,
  serverOptions: () => [`-fgptransmittimeout=${IMAGE_LIMIT_MS}`], // such a cable takes nothing more most of the time
  user: (make, folder) => [
    ...make === "ours"
      ? ["pooluser", "-fractal", `-output=${folder}/image.png`, "-configdir=none"]
      : ["fractalpooluser"],
    ...[`-width=${WIDTH}`, `-height=${HEIGHT}`],
    ...[`-recvtimeout=${DATA_LIMIT_MS}`, `-sendtimeout=${DATA_LIMIT_MS}`], // which RSPLIB takes for each other
  ],
  async play(stage) {
    await stage.serves("server", (seen) => fractalOf(seen)?.type === "data", { count: MESSAGES_BEFORE_LOSS });
    const from = await stage.loseServer();
    assert.ok(!stage.lab.messages.some(isEndOfImage), "the server was lost in time");
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    const end = await stage.serves("secondServer", isEndOfImage, { from, limitMs: IMAGE_LIMIT_MS });
    // Our user may have asked for what is missing by then, and RSPLIB's have begun the next image.
    const image = stage.lab.messages.slice(0, stage.lab.messages.indexOf(end) + 1);
    const isFirst = ({ source }: SeenMessage) => Lab.addresses("server").includes(source);
    assertWholeImage(image, stage.cast.server === "original" ? isFirst : undefined);
    if (stage.cast.user === "original") return;
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    await assertPng(`${stage.folder}/image.png`, WIDTH, HEIGHT);
  },
};

function isEndOfImage(seen: SeenMessage): boolean {
  return fractalOf(seen)?.type === "end";
}

/** Calculations per second: no job ends at the first server, and at the second each one does in no time. */
const CAPACITY = { server: 1, secondServer: 1e10 } as const;
/** On average: sizes are exponentially distributed, so that one of a hundred has not even a hundredth of it. */
const CALCULATIONS = 1e9;
/** How often servers and users ask each other, and how long one may be silent, in milliseconds. */
const ASK_MS = 1000, SILENCE_MS = 10_000;

const calcapp: Scene = {
  service: "calcapp",
  serverOptions: (role, folder) => [
    ...[`-capcapacity=${CAPACITY[role]}`, "-capcookiemaxtime=0.5"],
    ...[`-capkeepalivetransmissioninterval=${ASK_MS}`, `-capkeepalivetimeoutinterval=${SILENCE_MS}`],
    ...[`-capvector=${folder}/${role}.vec`, `-capscalar=${folder}/${role}.sca`],
  ],
  user: (_, folder) => [
    ...["calcappclient", `-jobsize=${CALCULATIONS}`, "-jobinterval=0.5"],
    ...[`-keepalivetransmissioninterval=${ASK_MS}`, `-keepalivetimeoutinterval=${SILENCE_MS}`],
    ...[`-vector=${folder}/user.vec`, `-scalar=${folder}/user.sca`],
  ],
  async play(stage) {
    const request = calcAppOf(await stage.asks("server", isCalcApp("request")));
    assert.ok(request?.type === "request");
    const { jobId, jobSize } = request;
    await stage.lab.seesAsap("cookie", "server");
    // A user that sends to a lost server before it has read the cookie fails over without that. This one has read it: the
    // second of its answers is to what came behind the cookie.
    await stage.asks("server", isCalcApp("keepAliveAck"), { count: 2, from: stage.lab.messages.length });
    const from = await stage.loseServer();
    await stage.lab.seesAsap("cookieEcho", "user", { from });
    const accept = await stage.serves("secondServer", isCalcApp("accept"), { from });
    assert.deepEqual(calcAppOf(accept), { type: "accept", jobId });
    const complete = await stage.serves("secondServer", isCalcApp("complete"), { from });
    assert.deepEqual(calcAppOf(complete), { type: "complete", jobId, jobSize, completed: jobSize });
    await stage.serves("secondServer", isCalcApp("complete"), { count: ENOUGH, from });
  },
};

/** The job waits for this file, so that no server ends it before the first one is lost. */
const SERVER_IS_LOST = "server-is-lost";

const scripting: Scene = {
  service: "scripting",
  // A sandboxed job would not see that file.
  serverOptions: (_role, _folder, make) => [
    "-ssmaxthreads=2",
    ...make === "ours" ? ["-sssandbox=none"] : [],
  ],
  user: async (_, folder) => [
    ...["scriptingclient", ...await packWork(folder, waitFor(`${folder}/${SERVER_IS_LOST}`))],
    ...[`-output=${folder}/result`, "-retrydelay=200"],
    // RSPLIB's user asks while it still uploads, too, and is turned away for that: by then the job has begun.
    ...["-keepaliveinterval=15000", "-keepalivetimeout=10000"],
  ],
  async play(stage) {
    await stage.serves("server", isScripting("status"));
    const from = await stage.loseServer();
    await Deno.writeTextFile(`${stage.folder}/${SERVER_IS_LOST}`, "");
    await stage.serves("secondServer", isScripting("status"), { from, count: 2 });
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    await assertResult(`${stage.folder}/result`);
  },
};

/** The services that have servers of both makes. */
export const SCENES: readonly Scene[] = [echo, discard, daytime, pingpong, fractal, calcapp, scripting];

/** Those whose users send, and so notice that their server has fallen silent. */
export const WATCHFUL: readonly Scene[] = [echo, discard, pingpong, fractal, calcapp, scripting];
