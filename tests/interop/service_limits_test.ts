/**
 * Servers that break off, are full or fail, RSPLIB's and ours, with the pool users of the other make. Run by
 * `scripts/kernel-lab test services`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { readPingPongCookie } from "../../protocol/app/pingpong/cookie.ts";
import { assertPng, fractalOf } from "./fractal_image.ts";
import type { SeenMessage } from "./live_capture.ts";
import { type Cast, enact, MAKER, Review, type Scene } from "./service_lab.ts";
import { isCalcApp, isDaytime, isPingPong, isScripting, pingPongOf, textOf } from "./service_messages.ts";
import { assertResult, packScript, packWork, waitFor } from "./work_package.ts";

const ignore = !kernelSctpSupport().available;

/** RSPLIB's user at our server. */
const AT_OURS: Cast = { registrar: "original", server: "ours", secondServer: "ours", user: "original" };
/** Our user at RSPLIB's server. */
const AT_RSPLIBS: Cast = { registrar: "ours", server: "original", secondServer: "original", user: "ours" };

/** Replies after which the server breaks off, and replies to see. */
const REPLIES = 5, ALL_REPLIES = 18;

const breaksOff: Scene = {
  service: "pingpong",
  plot: `breaks off every ${REPLIES} replies`,
  serverOptions: () => [`-pppfailureafter=${REPLIES}`],
  user: () => ["pingpongclient", "-interval=50"],
  async play(stage) {
    await stage.serves("server", isPingPong("pong"), { count: ALL_REPLIES });
    assertRepliesGoOn(stage.lab.messages, stage.cast);
  },
};

/**
 * Each session has all its replies, and their numbers go on from the cookie that its user brings: the last one that was sent.
 * But RSPLIB's user gives a session up when it cannot send, whatever is unread, and so may bring the one before, or begin anew
 * without any; and RSPLIB's server takes back by its ABORT what Nagle's algorithm has kept.
 */
function assertRepliesGoOn(messages: readonly SeenMessage[], { server, user }: Cast): void {
  const told: number[] = [];
  let next = 1, replies = 0, hasCookie = false;
  for (const seen of messages) {
    const { asap } = seen, pong = pingPongOf(seen);
    if (pong?.type === "pong") {
      if (user === "original" && !hasCookie && replies === REPLIES && Number(pong.replyNumber) === 1) {
        next = 1;
        replies = 0;
      }
      assert.equal(Number(pong.replyNumber), next, "the replies' numbers go on");
      next++;
      replies++;
    } else if (asap?.type === "cookie") {
      told.push(Number(readPingPongCookie(asap.cookie).nextReply));
      assert.equal(told.at(-1), next, "a cookie tells the next reply's number");
    } else if (asap?.type === "cookieEcho") {
      next = Number(readPingPongCookie(asap.cookie).nextReply);
      hasCookie = true;
      if (user === "ours") assert.equal(next, told.at(-1), "ours brings the last cookie");
      else assert.ok(told.includes(next), `the cookie with ${next} is one of the server's`);
      const isWhole = replies === REPLIES || (server === "original" && replies < REPLIES);
      assert.ok(isWhole, `broken off after ${replies} replies`);
      replies = 0;
    }
  }
}

/**
 * One job that has no end, and then small ones. RSPLIB's server gives up that job, and its place, only when nobody answers
 * its keep-alives any more: soon, but no user that stands still for a moment may lose its job.
 */
const rejects: Scene = {
  service: "calcapp",
  plot: "rejects a second job",
  serverOptions: (role, folder) => [
    ...["-capmaxjobs=1", "-capkeepalivetransmissioninterval=500", "-capkeepalivetimeoutinterval=10000"],
    ...[`-capvector=${folder}/${role}.vec`, `-capscalar=${folder}/${role}.sca`],
  ],
  user: (_, folder, nth) => [
    ...["calcappclient", nth === 1 ? "-jobsize=1e12" : "-jobsize=1e4", "-jobinterval=0.5"],
    ...[`-vector=${folder}/user${nth}.vec`, `-scalar=${folder}/user${nth}.sca`],
  ],
  async play(stage) {
    await stage.serves("server", isCalcApp("accept"));
    const second = await stage.startUser();
    await stage.serves("server", isCalcApp("reject"), { count: 2 });
    await stage.user.interrupt();
    await second.says(/job #?\d+:? completed/i);
  },
};

/** Jobs go on when this file is in the folder: the second user has found the server busy with the first one. */
const TURNED_AWAY = "turned-away";

const isFull: Scene = {
  service: "scripting",
  plot: "is not ready for a second job",
  // A sandboxed job would not see that file.
  serverOptions: (_role, _folder, make) => [
    "-ssmaxthreads=1",
    ...make === "ours" ? ["-sssandbox=none"] : [],
  ],
  user: async (_, folder, nth) => [
    ...[
      "scriptingclient",
      ...await packWork(folder, waitFor(`${folder}/${TURNED_AWAY}`)),
      `-output=${folder}/result${nth}`,
      "-retrydelay=1000",
    ],
  ],
  async play(stage) {
    const second = await stage.startUser();
    await stage.serves("server", isScripting("notReady"));
    await Deno.writeTextFile(`${stage.folder}/${TURNED_AWAY}`, "");
    for (const [i, user] of [stage.user, second].entries()) {
      assert.equal(await user.ends(), 0, user.quote());
      assert.doesNotMatch(user.output, /FAILOVER \.\.\./, "nobody has lost a server that was ready");
      await assertResult(`${stage.folder}/result${i + 1}`);
    }
  },
};

const fails: Scene = {
  service: "scripting",
  plot: "reports a job that fails",
  user: async (_, folder) => [
    ...["scriptingclient", `-input=${await packScript(folder, 'echo rest >"$1"\nexit 1\n')}`],
    ...[`-output=${folder}/result`, "-retrydelay=100", "-maxretry=1"],
  ],
  async play(stage) {
    assert.equal(await stage.user.ends(), 1, stage.user.quote());
    assert.equal(await Deno.readTextFile(`${stage.folder}/result`), "rest\n");
  },
};

/** Places of a server, and sessions of a user. */
const PLACES = 2, SESSIONS = 4;

const tooFewPlaces: Scene = {
  service: "fractal",
  plot: `has ${PLACES} places for ${SESSIONS} sessions`,
  isSlow: true, // else the first sessions may be over when the last ones come
  // Who is turned away reports the server, and three reports would remove it until it registers again.
  registrarOptions: ["-maxbadpereports=1000000"],
  serverOptions: () => [`-fgpmaxthreads=${PLACES}`],
  user: (make, folder) => [
    ...make === "ours"
      ? ["pooluser", "-fractal", `-output=${folder}/image.png`, "-configdir=none"]
      : ["fractalpooluser"],
    ...["-width=400", "-height=256", `-threads=${SESSIONS}`],
  ],
  async play(stage) {
    await stage.serves("server", (seen) => fractalOf(seen)?.type === "end", { count: SESSIONS });
    // Who was turned away has asked for an element again.
    await stage.lab.seesAsap("handleResolution", "user", { count: SESSIONS + 1 });
    if (stage.cast.user === "original") return;
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    await assertPng(`${stage.folder}/image.png`, 400, 256);
  },
};

/** What comes with RSPLIB to show how a job is run. */
const example: Scene = {
  service: "scripting",
  plot: "runs the job of scriptingserviceexample",
  async user(_, folder) {
    await Deno.writeTextFile(`${folder}/environment`, "An environment.\n");
    return ["env", "-C", folder, "scriptingserviceexample", "1", "environment", "", ""];
  },
  async play(stage) {
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    assert.match(await Deno.readTextFile(`${stage.folder}/my-output.data`), /:\d\d/);
    assert.equal((await Deno.stat(`${stage.folder}/my-output.random`)).size, 2000);
  },
};

const WORDS = ["one", "two", "three"] as const;

/** Its jobs need nothing of our server: their script and its helpers come with them. */
const farm: Scene = {
  service: "scripting",
  plot: "does the jobs of rsp farm",
  serverOptions: () => ["-ssmaxthreads=2"],
  async user(_, folder) {
    await Deno.writeTextFile(`${folder}/inputs`, WORDS.join("\n"));
    return [
      ...[
        "farm",
        "-values",
        `-inputs=${folder}/inputs`,
        "-command=echo {} | tr a-z A-Z >capitals; echo told",
      ],
      ...[`-output=${folder}/results`, "-parallel=2", "-retrydelay=200"],
    ];
  },
  async play(stage) {
    assert.equal(await stage.user.ends(), 0, stage.user.quote());
    for (const word of WORDS) {
      const results = `${stage.folder}/results`;
      assert.equal(await Deno.readTextFile(`${results}/${word}/capitals`), `${word.toUpperCase()}\n`);
      assert.equal(await Deno.readTextFile(`${results}/.farm/logs/${word}.stdout.txt`), "told\n");
    }
  },
};

/** RSPLIB's server has one service a process. */
const several: Scene = {
  service: "echo",
  plot: "has three services",
  serverOptions: () => ["-daytime", "-pingpong"],
  user: (_make, _folder, nth) =>
    nth === 1 ? ["rspterminal"] : nth === 2 ? ["rspterminal", "-poolhandle=DaytimePool"] : ["pingpongclient"],
  async play(stage) {
    const isLine = (limitMs: number) =>
      stage.serves("server", (seen) => textOf(seen).includes("Hello"), { limitMs });
    await stage.user.typesUntil("Hello", isLine);
    const daytime = await stage.startUser();
    await stage.serves("server", isDaytime);
    await daytime.interrupt();
    await stage.startUser();
    await stage.serves("server", isPingPong("pong"), { count: 2 });
  },
};

const PLAYS = [
  ...[breaksOff, tooFewPlaces, rejects, isFull, fails].flatMap((scene) =>
    [AT_OURS, AT_RSPLIBS].map((cast) => ({ scene, cast }))
  ),
  ...[example, several].map((scene) => ({ scene, cast: AT_OURS })),
  { scene: farm, cast: AT_RSPLIBS },
];

const review = new Review();

for (const play of PLAYS) {
  const { scene: { service, plot }, cast } = play;
  Deno.test({
    name: `${service}: server ${MAKER[cast.server]} ${plot}, pool user ${MAKER[cast.user]}`,
    ignore,
    fn: () => enact(play, review),
  });
}

Deno.test({
  name: "tshark finds no fault in what ours sent when servers break off, are full or fail",
  ignore,
  fn: async () => assert.deepEqual(await review.complaints(), []),
});
