/** CalcApp by programs on PCs: a job outlives its servers, and what is said is right (exercise §7). */
import assert from "node:assert/strict";
import { faultyPackets, packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";

const possible = await labIsPossible();

/** The last line of a log in JSON with this event. */
function lastOf(program: Program, event: string): Readonly<Record<string, unknown>> {
  const found = program.output.split("\n").findLast((line) => line.includes(`"event":"${event}"`));
  assert.ok(found !== undefined, `${event} in ${program.output}`);
  return JSON.parse(found);
}

Deno.test({
  name: "two servers are killed during one job: the third one completes it from where the second one was",
  ignore: !possible,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    try {
      await using lab = await Lab.open(5);
      const recording = `${folder}/calcapp.pcap`;
      const recorder = await lab.capture(recording);
      const registrar = lab.pc(1).rsp("registrar");
      await registrar.says(/ASAP has SCTP port/);
      // At this speed the job would take days: it is under way whenever its server dies.
      const serve = async (pc: number, capacity: number) => {
        const options = ["-policy=LeastUsed", "-capcookiemaxtime=0.2", `-capcapacity=${capacity}`, "-json"];
        const server = lab.pc(pc).rsp("server", "-calcapp", ...options);
        await server.says(/"event":"registered"/);
        return server;
      };
      const first = await serve(2, 1000);
      const user = lab.pc(5).rsp(
        ...["calcappclient", "-jobs=1", "-jobsize=1000000000", "-json", "-loglevel=5"],
        ...["-keepalivetransmissioninterval=1000", "-keepalivetimeoutinterval=3000"],
      );
      const acknowledged = '"event":"keepAliveAcknowledged"';
      await user.saysTimes(acknowledged, 1); // after a second: there were cookies

      const second = await serve(3, 1000);
      first.signal("SIGKILL");
      await second.says(/"event":"jobStarted"/);
      const before = user.output.split(acknowledged).length - 1;
      await user.saysTimes(acknowledged, before + 2);

      const third = await serve(4, 1e12);
      second.signal("SIGKILL");
      assert.equal(await user.exitCode(), 0, user.output);
      await recorder.interrupt();

      await t.step("each server went on from the cookie of the one before", () => {
        const from = [second, third].map((server) => {
          const { resumed, completed } = lastOf(server, "jobStarted");
          assert.equal(resumed, true);
          return Number(completed);
        });
        assert.ok(from[0]! >= 500, `${from}: a second at a thousand a second, but for the last cookie's age`);
        assert.ok(from[1]! >= from[0]! + 500, `${from}`);
        const { failovers, jobSize } = lastOf(user, "jobCompleted");
        assert.ok(Number(failovers) >= 2, `${failovers}`);
        assert.equal(jobSize, lastOf(user, "jobStarted")["jobSize"]);
      });
      await t.step("tshark finds no fault, and all that belongs to it", async () => {
        assert.deepEqual(await faultyPackets(recording), []);
        const messages = ["Request 1", "Accept 2", "Complete 5", "KeepAlive 6", "KeepAliveAck 7"];
        for (const message of messages) {
          const filter = `calcappprotocol.message_type == ${message.split(" ")[1]}`;
          assert.ok((await packets(recording, filter)).length > 0, message);
        }
        const echoes = await packets(recording, "asap.message_type == 12");
        assert.ok(echoes.length >= 2, "two cookie echoes");
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
