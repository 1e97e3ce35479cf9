import assert from "node:assert/strict";
import {
  CALC_APP_VECTOR_HEADER,
  CalcAppFiles,
  CalcAppHistory,
  calcAppScalarText,
  calcAppVectorLine,
} from "../../../cmd/server/calcapp_files.ts";

const SERVICE = { objectName: "pe[0]", processId: 42, elementId: 0x1234, capacity: 1000, maxJobs: 10 };

Deno.test("a vector line of a CalcApp service has RSPLIB's columns", () => {
  const line = calcAppVectorLine(SERVICE, {
    serial: 7,
    now: 1.5e12,
    runtimeMs: 2000,
    used: 500,
    jobCount: 3,
  });
  assert.equal(
    line,
    "000007 pe[0] 42 0x00001234 1500000000.000000   2.000000   2000 500 0.250000   3 10\n",
  );
  // The number of the line has no name in the header, as in all of RSPLIB's files.
  const columns = (text: string) => text.trim().split(/ +/).length;
  assert.equal(columns(line), columns(CALC_APP_VECTOR_HEADER) + 1);
});

Deno.test("a scalar file of a CalcApp service counts as wasted what was not used", () => {
  const text = calcAppScalarText(SERVICE, { runtimeMs: 4000, used: 1000, jobsAccepted: 5, jobsRejected: 2 });
  const values = [...text.matchAll(/^scalar "pe\[0\]" "CalcAppPE ([^"]+)" +(\S+)$/gm)];
  assert.deepEqual(values.map(([_line, name, value]) => [name, value]), [
    ["Service Uptime", "4.000000"],
    ["Service Capacity", "1000"],
    ["Service Max Jobs", "10"],
    ["Total Used Capacity", "1000"],
    ["Total Wasted Capacity", "3000"],
    ["Total Jobs Accepted", "5"],
    ["Total Jobs Rejected", "2"],
    ["Utilization", "0.250000"],
  ]);
});

for (const suffix of ["", ".bz2"]) {
  Deno.test(`the files of a service go on over its lives${suffix === "" ? "" : ", packed"}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const [vector, scalar] = [`${folder}/vec${suffix}`, `${folder}/sca${suffix}`];
      const history = new CalcAppHistory();
      const onProblem = (sentence: string) => assert.fail(sentence);
      for (const used of [300, 100]) {
        await using files = new CalcAppFiles({ service: SERVICE, vector, scalar, onProblem, history });
        files.accepted();
        files.usage(1, 0);
        files.usage(0, used);
        files.rejected();
      }
      const read = async (path: string) => {
        if (suffix === "") return await Deno.readTextFile(path);
        const { stdout } = await new Deno.Command("bzip2", { args: ["-dc", path] }).output();
        return new TextDecoder().decode(stdout);
      };
      const [header, ...lines] = (await read(vector)).trim().split("\n");
      assert.equal(`${header}\n`, CALC_APP_VECTOR_HEADER);
      assert.deepEqual(lines.map((line) => line.split(/ +/)).map((line) => [line[0], line[7]]), [
        ["000001", "0"],
        ["000002", "300"],
        ["000003", "300"],
        ["000004", "400"],
      ]);
      const totals = await read(scalar);
      assert.match(totals, /"CalcAppPE Total Used Capacity" +400\n/);
      assert.match(totals, /"CalcAppPE Total Jobs Accepted" +2\n/);
      assert.equal(totals.match(/run 1/g)?.length, 1);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
