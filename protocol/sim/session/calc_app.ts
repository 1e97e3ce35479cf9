import { ApplicationMachine } from "../../app/mod.ts";
import { CalcAppClient, CalcAppServer } from "../../app/calcapp/mod.ts";
import type { CalcAppClientInput, CalcAppClientReport, CalcAppServerReport } from "../../app/calcapp/mod.ts";
import { Prng } from "../../machine.ts";
import { ServiceHost, SessionClient } from "../../session/mod.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

/** Jobs of a user in all, and their sizes in calculations: seconds on an element of their own. */
const JOBS = 20, MAX_JOB_SIZE = 30_000_000;

/** CalcApp: every job is completed, each once and in its order, wherever it was begun. */
export function calcAppWorkload(context: WorkloadContext, users: number): Workload {
  let done = 0, failovers = 0;
  return {
    sessions: 2,
    total: users * JOBS,
    get done() {
      return done;
    },
    get failovers() {
      return failovers;
    },
    server: (options) => ({
      machine: new ApplicationMachine<never, never, CalcAppServerReport>(
        new ServiceHost(options),
        (outlet) => new CalcAppServer(outlet, { prng: new Prng(options.seed), cookieMaxTimeMs: 1000 }),
      ),
      onEffect: () => {},
    }),
    client: (options, poolHandle) => {
      let lastJob = 0, begun = false;
      const takeReport = (report: CalcAppClientReport) => {
        if (report.type !== "jobCompleted") return;
        const { jobId } = report.record;
        if (jobId !== lastJob + 1) context.violated(`job ${jobId} was completed after ${lastJob}`);
        lastJob = jobId;
        failovers += report.record.failovers;
        done++;
      };
      return {
        machine: new ApplicationMachine<CalcAppClientInput, never, CalcAppClientReport>(
          new SessionClient(options),
          (outlet) => new CalcAppClient(outlet, { poolHandle, prng: new Prng(options.seed) }),
        ),
        onEffect: (effect, later) => {
          if (!begun) {
            begun = true; // it has told something: it runs
            for (let n = 0; n < JOBS; n++) {
              const job: CalcAppClientInput = {
                type: "job",
                jobSize: 1 + context.random.below(MAX_JOB_SIZE),
              };
              later(job, 1);
            }
          }
          if (effect.type === "report") {
            takeReport((effect as unknown as { report: CalcAppClientReport }).report);
          }
        },
      };
    },
  };
}
