import assert from "node:assert/strict";
import { CommandError } from "../../../cmd/darn/command_error.ts";
import { readCommandLine } from "../../../cmd/darn/command_line.ts";
import { Pattern } from "../../../cmd/darn/payload.ts";
import { readSendRequest } from "../../../cmd/darn/send_request.ts";

const read = (text: string) => readSendRequest(readCommandLine(text)!);
const octets = (text: string) => {
  const { payload } = read(text);
  return payload.type === "octets" ? [...payload.data] : undefined;
};

Deno.test("snd=10000 asks for one ordered message of the pattern on stream 0, as the original", () => {
  assert.deepEqual(read("snd=10000"), {
    payload: { type: "pattern", length: 10000 },
    stream: 0,
    ppid: 0,
    unordered: false,
    sackImmediately: false,
    reliability: undefined,
    context: undefined,
    destination: undefined,
    authKeyId: undefined,
    count: 1,
    rate: undefined,
    association: undefined,
  });
});

Deno.test("snd takes everything that RFC 6458 can say of a message", () => {
  const request = read(
    "snd 7 sid=3 ppid=M3UA unordered now context=0x10 to=FD01::0:1 key=2 count=5 rate=0.5 assoc=2",
  );
  assert.deepEqual(
    [request.stream, request.ppid, request.unordered, request.sackImmediately, request.context],
    [3, 3, true, true, 16],
  );
  assert.deepEqual(
    [request.destination, request.authKeyId, request.count, request.rate, request.association],
    ["fd01::1", 2, 5, 0.5, 2],
  );
  assert.equal(read("snd 7 count=forever").count, Infinity);
});

Deno.test("snd takes one way to give a message up", () => {
  assert.deepEqual(read("snd=1 ttl=500").reliability, { policy: "ttl", lifetimeMs: 500 });
  assert.deepEqual(read("snd=1 rtx=0").reliability, { policy: "rtx", retransmissions: 0 });
  assert.deepEqual(read("snd=1 prio=9").reliability, { policy: "prio", priority: 9 });
  assert.throws(() => read("snd=1 ttl=500 rtx=3"), /one of ttl=, rtx= and prio=/);
});

Deno.test("snd takes text, octets and files", () => {
  assert.deepEqual(octets('snd text="a\\n"'), [0x61, 0x0a]);
  assert.deepEqual(octets('snd text="ä"'), [0xc3, 0xa4]);
  assert.deepEqual(octets('snd hex="00 ff:7f"'), [0, 255, 127]);
  assert.deepEqual(octets("snd base64=AP8="), [0, 255]);
  assert.deepEqual(read("snd file=/tmp/a").payload, { type: "file", path: "/tmp/a" });
  assert.deepEqual(read("snd random=9").payload, { type: "random", length: 9 });
  assert.deepEqual(read("send pattern=9").payload, { type: "pattern", length: 9 });
});

for (
  const text of [
    "snd",
    "snd=0",
    "snd=-1",
    "snd=x",
    "snd=99999999999",
    'snd text=""',
    "snd hex=f",
    "snd hex=xx",
    "snd base64=*",
    "snd file=",
    "snd=5 text=a",
    "snd=5 sid=65536",
    "snd=5 ppid=nonsense",
    "snd=5 to=pc1",
    "snd=5 rate=0",
    "snd=5 count=0",
    "snd=5 colour=red",
    "snd=5 loud",
  ]
) {
  Deno.test(`${text} is refused with a sentence`, () => assert.throws(() => read(text), CommandError));
}

Deno.test("the pattern goes from ! to ~ and on from message to message", () => {
  const pattern = new Pattern();
  const text = (length: number) => String.fromCharCode(...pattern.next(length));
  assert.equal(text(3), '!"#');
  assert.equal(text(2), "$%");
  assert.equal(text(89), Array.from({ length: 89 }, (_, i) => String.fromCharCode(0x26 + i)).join(""));
  assert.equal(text(2), '!"');
});
