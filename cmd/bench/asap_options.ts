/** Options of `rsp bench` at a registrar. */
import { integer, OptionError, text } from "../options.ts";
import type { Option, OptionDetails } from "../options.ts";
import { MAX_POOL_HANDLE_LENGTH } from "../../protocol/param/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";

/** Where registrars serve ASAP (RFC 5352 §6). */
export const ASAP_PORT = 3863;

/** What users ask of a registrar. */
export const ASAP_WORKS = ["resolve", "register", "churn"] as const;

/**
 * One kind of work: `resolve` asks for elements of a pool; `register` registers an element again and again; `churn`
 * registers a new one and deregisters it, in turn.
 */
export type AsapWork = typeof ASAP_WORKS[number];

/** The options by name. */
export interface AsapOptions {
  readonly asap: Option<readonly AsapWork[]>;
  readonly users: Option<readonly number[]>;
  readonly poolhandle: Option<string>;
  readonly elements: Option<number>;
  readonly items: Option<number>;
  readonly outstanding: Option<number>;
  readonly think: Option<number>;
  readonly [name: string]: Option<unknown>;
}

const group = { group: "At a registrar" } as const;
/** Most users of a run: each has an endpoint of its own. */
const MAX_USERS = 1024;
/** Runs of one call. */
const MAX_RUNS = 32;

/** What `rsp bench -asap` can be told. */
export const asapOptions: AsapOptions = {
  asap: list(
    "Ask a registrar, as its users do: resolutions, registrations, or registrations and deregistrations",
    {
      ...group,
      valueName: "resolve|register|churn[,…]",
      words: ASAP_WORKS,
      defaultText: "off",
      defaultValue: [],
      readOne(part) {
        const work = ASAP_WORKS.find((one) => one === part);
        if (work === undefined) {
          throw new OptionError(
            `must be of ${ASAP_WORKS.join(", ")}, not ${JSON.stringify(part)}`,
          );
        }
        return work;
      },
    },
  ),
  users: list(
    "Users at the same time, each with an association of its own; several numbers make several runs",
    {
      ...group,
      valueName: "n[,n…]",
      defaultText: "1",
      defaultValue: [1],
      readOne(part) {
        const number = /^\d+$/.test(part) ? Number(part) : Number.NaN;
        if (number >= 1 && number <= MAX_USERS) return number;
        throw new OptionError(`must be numbers from 1 to ${MAX_USERS}, not ${JSON.stringify(part)}`);
      },
    },
  ),
  poolhandle: poolHandle(group),
  elements: integer("Elements that are in the pool while it is resolved; 0 = those that are there anyway", {
    ...group,
    min: 0,
    max: 100_000,
    defaultValue: 10,
  }),
  items: integer("Elements that a resolution asks for; 0 = as many as the registrar likes", {
    ...group,
    min: 0,
    max: 0xffff_ffff,
    defaultValue: 1,
  }),
  outstanding: integer("Requests under way in each association", {
    ...group,
    min: 1,
    max: 1024,
    defaultValue: 1,
  }),
  think: integer("Time between an answer and the next request", {
    ...group,
    valueName: "ms",
    min: 0,
    max: 3_600_000,
    defaultValue: 0,
  }),
};

function poolHandle(details: OptionDetails): Option<string> {
  const any = text("Pool that is asked about", { ...details, defaultValue: "BenchPool" });
  return {
    ...any,
    read(value, before) {
      const name = any.read(value, before);
      if (encodeText(name).length <= MAX_POOL_HANDLE_LENGTH) return name;
      throw new OptionError(
        `must not be longer than ${MAX_POOL_HANDLE_LENGTH} octets: RSPLIB's registrar would end`,
      );
    },
  };
}

function list<Value>(
  summary: string,
  details: OptionDetails & {
    readonly defaultValue: readonly Value[];
    readonly readOne: (part: string) => Value;
  },
): Option<readonly Value[]> {
  const { readOne, defaultValue, ...rest } = details;
  return {
    ...text(summary, { ...rest, defaultValue: "" }),
    defaultValue,
    read(value) {
      const parts = value.split(",");
      if (parts.length > MAX_RUNS) throw new OptionError(`takes ${MAX_RUNS} of them at most`);
      return parts.map(readOne);
    },
  };
}
