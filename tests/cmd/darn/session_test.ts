import assert from "node:assert/strict";
import { darn, LOOPBACK, start, withListener } from "./darn_world.ts";

const toPort = (port: string) => ["-h", "127.0.0.1", "-p", port];

Deno.test("a script from a pipe sends, shuts down and ends with 0", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    sender.say("snd=10000");
    sender.say("shutdown");
    sender.say("quit");
    assert.equal(await sender.exitCode, 0);
    await listener.until(/COMM_UP/);
    await listener.until(/DATA\(10000\): {2}!"#\$%/);
    await listener.until(/SHUTDOWN_EVENT/);
    await listener.until(/SHUTDOWN_COMP: shut down by the peer \(#1\)\nNo association is present now!!\n/);
    assert.match(sender.stdout(), /Successfully SHUTDOWN the original association/);
    assert.equal(sender.stderr(), "");
  }));

Deno.test("the end of the input ends in order, too: everything arrives", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    sender.say("snd=5000 count=200");
    sender.endInput();
    assert.equal(await sender.exitCode, 0);
    await listener.until(/SHUTDOWN_COMP/);
    assert.equal(listener.stdout().match(/^DATA\(5000\)/gm)?.length, 200);
  }));

for (
  const [name, line, octets] of [
    ["darn", [], "68 65 6c 6c 6f 0a"],
    ["darn", ["-line-end", "lf-nul"], "68 65 6c 6c 6f 0a 00"],
    ["sctp_darn", [], "68 65 6c 6c 6f 0a 00"], // as the original
    ["sctp-darn", [], "68 65 6c 6c 6f 0a 00"],
    ["sctp_darn", ["-line-end=lf"], "68 65 6c 6c 6f 0a"],
  ] as const
) {
  Deno.test(`lines of the input are messages of ${name} -s ${line.join(" ")}: ${octets}`, () =>
    withListener(["-view=hex"], async (listener, port) => {
      const sender = start([...LOOPBACK, "-s", ...line, ...toPort(port)], name);
      sender.say("hello");
      sender.endInput();
      assert.equal(await sender.exitCode, 0);
      const length = (octets.length + 1) / 3;
      await listener.until(new RegExp(`DATA\\(${length}\\):\n {3}0000 {2}${octets}  `));
    }));
}

Deno.test("-command does its work without any input, and then ends", () =>
  withListener([], async (listener, port) => {
    const sender = darn(
      "-s",
      ...toPort(port),
      "-command",
      "snd=3 ppid=M3UA sid=4",
      "-command",
      "text two words",
    );
    assert.equal(await sender.exitCode, 0);
    await listener.until(/DATA\(3\): {2}!"#\n.*stream 4, SSN 0, TSN \d+, PPID 3 \(M3UA\)/);
    await listener.until(/DATA\(9\): {2}two words/);
  }));

// reference/sctp.md §1.5, point by point.

Deno.test("fault 1: what a listener shows is written at once, the banner first", () =>
  withListener([], async (listener, port) => {
    assert.match(listener.stdout(), /^rsp darn listening\.\.\.\n/);
    const sender = darn("-s", ...toPort(port), "-command", "snd=5");
    await listener.until(/DATA\(5\)/); // while the listener runs
    await sender.exitCode;
  }));

Deno.test("fault 2: a listener sends, and a sender shows what comes", () =>
  withListener(["-I"], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    sender.say("snd=5");
    await listener.until(/DATA\(5\)/);
    listener.say('snd text="from the listener"');
    await sender.until(/DATA\(17\): {2}from the listener/);
    sender.endInput();
    assert.equal(await sender.exitCode, 0);
  }));

Deno.test("fault 3: shutdown and abort work after the peer has sent data", () =>
  withListener(["-e"], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    for (
      const line of [
        "snd=8",
        "expect message 20",
        "shutdown",
        "snd=9",
        "expect message 20",
        "abort=enough",
        "quit",
      ]
    ) {
      sender.say(line);
    }
    assert.equal(await sender.exitCode, 0);
    assert.match(sender.stdout(), /Successfully SHUTDOWN[^]*starting a new one[^]*Successfully ABORT/i);
    await listener.until(/COMM_LOST: aborted by the peer: User-Initiated Abort \("enough"\)/);
  }));

Deno.test("fault 4: one-to-one sends the pattern every time", () =>
  withListener(["-t"], async (listener, port) => {
    const sender = darn("-sIt", ...toPort(port));
    for (const line of ["snd=4", "snd=4", "quit"]) sender.say(line);
    assert.equal(await sender.exitCode, 0);
    await listener.until(/DATA\(4\): {2}!"#\$\n[^]*DATA\(4\): {2}%&'\(\n/);
  }));

Deno.test("fault 5: when one of two peers leaves, the other one's messages are shown as before", () =>
  withListener(["-I"], async (listener, port) => {
    const first = darn("-sI", ...toPort(port)), second = darn("-sI", ...toPort(port));
    first.say("snd=1");
    await listener.until(/DATA\(1\)/);
    second.say("snd=2");
    await listener.until(/DATA\(2\)/);
    first.say("quit");
    assert.equal(await first.exitCode, 0);
    await listener.until(/SHUTDOWN_COMP/);
    second.say("snd=3");
    await listener.until(/DATA\(3\)/);
    listener.say("assocs");
    await listener.until(/^\*2 {2}127\.0\.0\.1:\d+ /m);
    assert.doesNotMatch(listener.stdout(), /No association is present now/);
    second.endInput();
    await second.exitCode;
  }));

Deno.test("fault 6: a listener knows its peer's address, and heartbeats to it", () =>
  withListener(["-I"], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    sender.say("snd=1");
    await listener.until(/peer addresses[^\n]*\n127\.0\.0\.1:\d+\n/);
    listener.say("primary");
    await listener.until(/primary is 127\.0\.0\.1\n/);
    listener.say("heartbeat=127.0.0.1");
    await listener.until(/HEARTBEAT ACK from 127\.0\.0\.1: \d+\.\d+ ms/);
    sender.endInput();
    await sender.exitCode;
  }));

Deno.test("fault 7: an ABORT does not end a one-to-one listener, and stats work there", () =>
  withListener(["-tI"], async (listener, port) => {
    const sender = darn("-sIt", ...toPort(port));
    sender.say("snd=1");
    sender.say("stats");
    await sender.until(/Ordered data chunks sent: 1\n/);
    await listener.until(/DATA\(1\)/);
    listener.say("stats");
    await listener.until(/Ordered data chunks received: 1\n/);
    sender.say("abort");
    await listener.until(/COMM_LOST/);
    sender.say("snd=2");
    await listener.until(/DATA\(2\)/);
    sender.endInput();
    assert.equal(await sender.exitCode, 0);
  }));

Deno.test("fault 8: a command that fails does not end a session that is to go on, and its exit code says so", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-sI", "-keep-going", ...toPort(port));
    for (
      const line of [
        "snd=0",
        "snd=9 sid=60000",
        "bindx-add=no.such.host.invalid",
        "nonsense",
        "snd=7",
        "quit",
      ]
    ) {
      sender.say(line);
    }
    assert.equal(await sender.exitCode, 1);
    await listener.until(/DATA\(7\)/);
    const errors = sender.stderr().trimEnd().split("\n");
    assert.equal(errors.length, 4, sender.stderr());
    assert.match(errors[0]!, /^error: input, line 1: SCTP has no empty messages/);
    assert.match(errors[3]!, /line 4: Invalid input\. There is no command "nonsense"/);
  }));

Deno.test("fault 8: a script stops at the first command that fails", () =>
  withListener([], async (_listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    for (const line of ["nonsense", "snd=7"]) sender.say(line);
    assert.equal(await sender.exitCode, 1);
    assert.doesNotMatch(sender.stdout(), /COMM_UP/);
  }));

Deno.test("fault 8: a refused association is exit code 3, a wait that was too long 4", () =>
  withListener([], async (_listener, port) => {
    const nobody = darn("-s", "-h", "127.0.0.1", "-p", "19999", "-command", "snd=1");
    assert.equal(await nobody.exitCode, 3);
    assert.match(nobody.stderr(), /error: -command, line 1: Connection refused/);
    const waiting = darn("-s", ...toPort(port), "-command", "snd=1", "-command", "expect message 0.05");
    assert.equal(await waiting.exitCode, 4);
    assert.match(waiting.stderr(), /timeout: no message within 0\.05 s/);
  }));

Deno.test("fault 9: the first snd of a non-blocking sender works", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-sIn", ...toPort(port));
    for (const line of ["snd=1", "rcv", "quit"]) sender.say(line);
    assert.equal(await sender.exitCode, 0);
    await listener.until(/DATA\(1\)/);
  }));

Deno.test("fault 10: a message of more than 64 KiB is shown as one", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-s", ...toPort(port), "-command", "snd=200000");
    assert.equal(await sender.exitCode, 0);
    await listener.until(/DATA\(200000\)/);
    assert.equal(listener.stdout().match(/^DATA/gm)?.length, 1);
  }));

Deno.test("fault 12: IPv6 addresses are short and stand in brackets", async () => {
  const ipv6 = ["-H", "::1", "-transport=embedded", "-encapsulation=udp"];
  const listener = start([...ipv6, "-l"]);
  const port = String(await listener.port());
  const sender = start([...ipv6, "-s", "-h", "::1", "-p", port, "-command", "snd=1"]);
  assert.equal(await sender.exitCode, 0);
  await listener.until(/\n\[::1\]:\d+\n/);
  listener.interrupt();
  assert.equal(await listener.exitCode, 0);
});

Deno.test("fault 13: poll mode counts what it receives and sends, and ends in order", async () => {
  const receiver = darn("-i", "2", "-P", "14101");
  await receiver.until(/listening on ports 14101 to 14102/);
  const flood = darn("-i", "1", "-P", "14111", "-h", "127.0.0.1", "-p", "14102", "-z", "1000");
  await receiver.until(/received on port 14102: \d+ messages, \d+000 octets/);
  await flood.until(/sent to 127\.0\.0\.1:14102: \d+ messages/);
  flood.interrupt();
  assert.equal(await flood.exitCode, 0);
  await receiver.until(/SHUTDOWN_COMP/);
  receiver.interrupt();
  assert.equal(await receiver.exitCode, 0);
  assert.equal(receiver.stdout().match(/No association is present/g)?.length, 1);
});

// The original's options that no fault is about.

const SECOND = ["-B", "::1"]; // the one address besides 127.0.0.1 that every host has

Deno.test("-B adds an address on either side, -c names those of the peer, -m sets the buffers", async () => {
  const listener = darn(...SECOND, "-P", "14121", "-l");
  await listener.port();
  const sender = darn(...SECOND, ..."-P 14122 -c ::1 -c 127.0.0.1 -p 14121 -m 131072 -sI".split(" "));
  for (const line of ["snd=5", "sndbuf", "rcvbuf", "quit"]) sender.say(line);
  assert.equal(await sender.exitCode, 0, sender.stderr());
  assert.match(sender.stdout(), /peer addresses.*\n127\.0\.0\.1:14121\n\[::1\]:14121\n/);
  assert.match(sender.stdout(), /sndbuf is 131072\.\nrcvbuf is 131072\.\n/);
  await listener.until(/peer addresses.*\n127\.0\.0\.1:14122\n\[::1\]:14122\n/);
  listener.interrupt();
  assert.equal(await listener.exitCode, 0);
});

Deno.test("-b takes an address away again, which no peer hears of", async () => {
  const listener = darn(...SECOND, "-b", "::1", "-P", "14123", "-l");
  await listener.port();
  const sender = darn(...SECOND, ..."-P 14124 -h 127.0.0.1 -p 14123 -s -command snd=1".split(" "));
  assert.equal(await sender.exitCode, 0, sender.stderr());
  assert.match(sender.stdout(), /peer addresses.*\n127\.0\.0\.1:14123\n(?!\[)/);
  listener.interrupt();
  assert.equal(await listener.exitCode, 0);
});

Deno.test("--use-poll makes no difference", async () => {
  const receiver = darn("-i", "1", "-P", "14125", "--use-poll");
  await receiver.until(/listening on port 14125/);
  const sender = darn("-s", ...toPort("14125"), "-command", "snd=1000");
  assert.equal(await sender.exitCode, 0);
  await receiver.until(/received on port 14125: 1 messages, 1000 octets/);
  receiver.interrupt();
  assert.equal(await receiver.exitCode, 0);
});

const linkLocal = Deno.networkInterfaces().find(({ address }) => address.startsWith("fe80::"));

Deno.test({
  name: "--interface says where link-local addresses are, on either side",
  ignore: linkLocal === undefined,
  async fn() {
    const { name, address } = linkLocal!;
    const common = [`--interface=${name}`, "-transport=embedded", "-encapsulation=udp", "-H", address];
    const listener = start([...common, "-l"]);
    const port = String(await listener.port());
    const sender = start([...common, "-s", "-h", address, "-p", port, "-command", "snd=7"]);
    assert.equal(await sender.exitCode, 0, sender.stderr());
    await listener.until(/DATA\(7\)/);
    listener.interrupt();
    assert.equal(await listener.exitCode, 0);
  },
});

Deno.test("-i says that there are no ports beyond 65535", async () => {
  const program = darn("-i", "100", "-P", "65500");
  assert.equal(await program.exitCode, 1);
  assert.match(program.stderr(), /^error: -i 100 from port 65500 on goes beyond 65535\n$/);
});

// Further than the original.

Deno.test("Ctrl+C shuts every association down and ends with 0", () =>
  withListener([], async (listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    sender.say("snd=1");
    await listener.until(/DATA\(1\)/);
    sender.interrupt();
    assert.equal(await sender.exitCode, 0);
    await listener.until(/SHUTDOWN_COMP/);
  }));

Deno.test("with -json everything is an object a line, commands' answers and errors included", () =>
  withListener(["-json"], async (listener, port) => {
    const sender = darn("-sI", "-json", "-keep-going", ...toPort(port));
    for (
      const line of [
        "snd text=hi ppid=ASAP",
        "stats",
        "paths",
        "assocs",
        "status",
        "get rtoinfo",
        "?",
        "options",
        "nonsense",
        "quit",
      ]
    ) {
      sender.say(line);
    }
    assert.equal(await sender.exitCode, 1);
    const shown = sender.stdout().trimEnd().split("\n").map((line) => JSON.parse(line));
    const events = shown.map(({ event }) => event);
    for (
      const event of [
        "started",
        "up",
        "stats",
        "paths",
        "assocs",
        "status",
        "option",
        "help",
        "options",
        "error",
        "down",
      ]
    ) {
      assert.ok(events.includes(event), `${event} in ${events}`);
    }
    const [message] = await listener.until(/^\{.*"event":"message".*\}$/m);
    const { association, stream, ppid, ppidName, length, text, data, time } = JSON.parse(message);
    assert.deepEqual([association, stream, ppid, ppidName, length, text, data], [
      1,
      0,
      11,
      "ASAP",
      2,
      "hi",
      "aGk=",
    ]);
    assert.match(time, /^\d{4}-\d\d-\d\dT/);
  }));

Deno.test("one session has several associations: connect, use, assoc=, peeloff", () =>
  withListener([], (one, portOne) =>
    withListener([], async (two, portTwo) => {
      const sender = darn("-I");
      for (
        const line of [
          `connect 127.0.0.1 ${portOne}`,
          `connect localhost ${portTwo}`,
          "snd=2",
          "use 1",
          "snd=1",
          "snd=22 assoc=2",
          "peeloff 2",
          "snd=222 assoc=2",
          "shutdown assoc=2",
          "snd=11",
          "quit",
        ]
      ) sender.say(line);
      assert.equal(await sender.exitCode, 0, sender.stderr());
      await one.until(/DATA\(1\)[^]*DATA\(11\)[^]*SHUTDOWN_COMP/);
      await two.until(/DATA\(2\)[^]*DATA\(22\)[^]*DATA\(222\)[^]*SHUTDOWN_COMP/);
    })));

Deno.test("messages are repeated at a rate, and files are sent whole", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "# said\nsnd text=once\n");
  try {
    await withListener([], async (listener, port) => {
      const sender = darn("-sI", ...toPort(port));
      const before = performance.now();
      sender.say("snd=10 count=5 rate=100");
      sender.say(`snd file=${path}`);
      sender.say(`source ${path}`);
      sender.endInput();
      assert.equal(await sender.exitCode, 0, sender.stderr());
      assert.ok(performance.now() - before >= 40);
      await listener.until(/DATA\(21\): {2}# said\.snd text=once\.[^]*DATA\(4\): {2}once/);
      assert.equal(listener.stdout().match(/^DATA\(10\)/gm)?.length, 5);
    });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("options of the socket are shown and set by name", () =>
  withListener([], async (_listener, port) => {
    const sender = darn("-sI", "-keep-going", ...toPort(port));
    for (
      const line of [
        "connect",
        "hbinterval=3000",
        "hbinterval",
        "nodelay=0",
        "nodelay",
        "nodelay=1",
        "nodelay?",
        "set SCTP_RTOINFO min=200 initial=500",
        "get rtoinfo",
        "get rtoinfo endpoint",
        "set rtoinfo colour=3",
        "set rtoinfoo min=1",
        "set rtoinfo min=99999999",
        "quit",
      ]
    ) sender.say(line);
    assert.equal(await sender.exitCode, 1);
    assert.match(sender.stdout(), /hbinterval is 3000\.\nnodelay is 0\.\nnodelay is 1\.\n/);
    assert.match(sender.stdout(), /rtoinfo \(#1\): initial=500 ms max=60000 ms min=200 ms\n/);
    assert.match(sender.stdout(), /rtoinfo \(endpoint\): initial=1000 ms/);
    assert.match(sender.stderr(), /rtoinfo has no field colour; it has initial, max, min\n/);
    assert.match(sender.stderr(), /did you mean rtoinfo\?/);
    assert.equal(sender.stderr().trimEnd().split("\n").length, 3, sender.stderr());
  }));

Deno.test("expect waits for fields and expressions, and takes no event twice", () =>
  withListener(["-e"], async (_listener, port) => {
    const sender = darn("-sI", ...toPort(port));
    for (
      const line of [
        "snd=5",
        "snd=6 sid=2",
        "expect COMM_UP 20",
        "expect message 20 length=6 stream=2",
        "snd=7",
        "expect /DATA.7/ 20",
        "expect message 0.05",
      ]
    ) sender.say(line);
    assert.equal(await sender.exitCode, 4);
    assert.match(sender.stderr(), /line 7: timeout: no message within 0\.05 s/);
  }));

Deno.test("capture writes a file for Wireshark", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    await withListener([], async (_listener, port) => {
      const sender = darn("-sI", ...toPort(port));
      for (const line of [`capture ${path}`, "snd=5", "shutdown", "capture stop", "quit"]) sender.say(line);
      assert.equal(await sender.exitCode, 0, sender.stderr());
      assert.match(sender.stdout(), /\d+ packets captured/);
    });
    const file = await Deno.readFile(path);
    assert.equal(file.subarray(0, 4).toHex(), "0a0d0d0a");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("-once ends a listener with its last association", async () => {
  const listener = darn("-l", "-once");
  const port = String(await listener.port());
  const sender = darn("-s", ...toPort(port), "-command", "snd=1");
  assert.deepEqual(await Promise.all([sender.exitCode, listener.exitCode]), [0, 0]);
});

for (
  const [line, sentence] of [
    [["-H", "::"], /Please specify a command/],
    [["-l", "-s"], /exclude each other/],
    [["-s"], /-s wants a peer/],
    [["-s", "-h", "127.0.0.1"], /port is missing/],
    [["-s", "-h", "127.0.0.1", "-c", "127.0.0.1", "-p", "1"], /-h and -c exclude/],
    [["-l", "-n"], /-n with -l wants -I/],
    [["-l", "-B", "127.0.0.1"], /-B wants a port/],
    [["-l", "extra"], /does not know what to do with "extra"/],
    [["-i", "257"], /option -i must be a whole number from 1 to 256/],
    [["-sIx"], /unknown option -x in -sIx/],
    [["-h"], /option -h wants a value/],
  ] as const
) {
  Deno.test(`rsp darn ${line.join(" ")} is a wrong command line: exit code 2`, async () => {
    const program = start(line);
    assert.equal(await program.exitCode, 2);
    assert.match(program.stderr(), sentence);
    assert.equal(program.stdout(), "");
  });
}
