/** Options of `rsp doctor`. */
import { transportOptions } from "../common_options.ts";
import type { EncapsulationChoice, TransportChoice } from "../common_options.ts";
import { flag, integer, text } from "../options.ts";
import type { Option } from "../options.ts";
import { COURSE_HEARTBEAT_MS } from "./setting_findings.ts";

/** The table's type, spelled out for those who read its values. */
export interface DoctorOptions {
  readonly fix: Option<boolean>;
  readonly "dry-run": Option<boolean>;
  readonly hbinterval: Option<number>;
  readonly interface: Option<string | undefined>;
  readonly transport: Option<TransportChoice>;
  readonly encapsulation: Option<EncapsulationChoice>;
  readonly quiet: Option<boolean>;
  readonly json: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** What `rsp doctor` takes. */
export const doctorOptionTable: DoctorOptions = {
  fix: flag(
    "Load the kernel's SCTP module, set its heartbeat interval and add the multicast route, where needed",
    {
      group: "Treatment",
    },
  ),
  "dry-run": flag("Say what -fix would do, and do nothing", { group: "Treatment" }),
  hbinterval: integer("Heartbeat interval of kernel SCTP that -fix sets", {
    group: "Treatment",
    valueName: "ms",
    aliases: ["hb-interval"],
    min: 1,
    max: 86_400_000,
    defaultValue: COURSE_HEARTBEAT_MS,
  }),
  interface: text("Interface that -fix sends multicast to", {
    group: "Treatment",
    valueName: "NAME",
    defaultValue: undefined,
    defaultText: "the first one that leads out",
  }),
  transport: transportOptions.transport,
  encapsulation: transportOptions.encapsulation,
  quiet: flag("Leave out what is as it should be", { group: "Report" }),
  json: flag("One JSON object instead of text for people", { group: "Report" }),
};
