/** What the handlers of socket options work on, and how they read the fields that they are given. */
import { SocketOptionError } from "../net.ts";
import type { Instant, SocketOptionName, SocketOptionValue } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointSettings, PathSettings } from "./options.ts";
import type { Path } from "./path.ts";

/** What an option is read from or set for. */
export interface OptionScope {
  readonly name: SocketOptionName;
  readonly endpoint: Endpoint;
  /** The associations of the endpoint's user, attempts included. */
  associations(): number[];
  /** Undefined = the endpoint, for associations to come. */
  readonly parts: AssociationParts | undefined;
  /** One path of the association; undefined = all of them. */
  readonly path: Path | undefined;
  /** One stream to send on. */
  readonly stream: number | undefined;
  /** The association's settings, or the endpoint's. */
  readonly settings: EndpointSettings;
  readonly now: Instant;
}

/** What the embedded stack makes of one option. */
export interface OptionHandler {
  get?(scope: OptionScope): SocketOptionValue;
  set?(scope: OptionScope, fields: OptionFields): void;
}

/** Handlers of some options by name. */
export type OptionHandlers = { readonly [Name in SocketOptionName]?: OptionHandler };

/** Milliseconds of options have 32 bits. */
export const MAX_MILLISECONDS = 0xffff_ffff;

/** A value that cannot be. */
export function invalid(sentence: string): SocketOptionError {
  return new SocketOptionError("EINVAL", sentence);
}

/** Something that this stack does not do. */
export function unsupported(sentence: string): SocketOptionError {
  return new SocketOptionError("EOPNOTSUPP", sentence);
}

/** The association that an option is read from or set for. */
export function theAssociation({ parts, name }: OptionScope): AssociationParts {
  if (parts === undefined) throw invalid(`${name} is an option of an association: say which one`);
  return parts;
}

/** The path that an option is read from: the one of the target, else the primary one. */
export function thePath(scope: OptionScope): Path {
  return scope.path ?? theAssociation(scope).paths.primary;
}

/** The settings of a path, or those that paths to come start with. */
export function pathSettings({ path, settings }: OptionScope): PathSettings {
  return path?.settings ?? settings;
}

/** Changes the settings of one path, or those of all and of paths to come. */
export function changePathSettings(scope: OptionScope, change: Partial<PathSettings>): void {
  const { path, parts, settings } = scope;
  if (path !== undefined) {
    const { settings: old } = path;
    path.settings = {
      heartbeats: old.heartbeats,
      heartbeatIntervalMs: old.heartbeatIntervalMs,
      pathMaxRetransmissions: old.pathMaxRetransmissions,
      potentiallyFailedMaxRetransmissions: old.potentiallyFailedMaxRetransmissions,
      primarySwitchoverMaxRetransmissions: old.primarySwitchoverMaxRetransmissions,
      plpmtudProbeIntervalMs: old.plpmtudProbeIntervalMs,
      mtuDiscovery: old.mtuDiscovery,
      ...change,
    };
    return;
  }
  Object.assign(settings, change);
  for (const other of parts?.paths.list ?? []) {
    if (other.settings !== settings) Object.assign(other.settings, change);
  }
}

/** Fields that an option is to be set to. */
export class OptionFields {
  readonly #name: SocketOptionName;
  readonly #value: SocketOptionValue;

  constructor(name: SocketOptionName, value: SocketOptionValue) {
    this.#name = name;
    this.#value = value;
  }

  /** Whether a field was given. */
  has(field: string): boolean {
    return this.#value[field] !== undefined;
  }

  /**
   * A whole number.
   *
   * @returns undefined when the field was not given
   * @throws {SocketOptionError} EINVAL
   */
  number(field: string, min: number, max: number): number | undefined {
    const value = this.#value[field];
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    throw invalid(`${this.#name}: ${field} is a whole number from ${min} to ${max}`);
  }

  /**
   * True or false; 0 and 1 will do.
   *
   * @returns undefined when the field was not given
   * @throws {SocketOptionError} EINVAL
   */
  boolean(field: string): boolean | undefined {
    const value = this.#value[field];
    if (value === undefined || typeof value === "boolean") return value;
    if (value === 0 || value === 1) return value === 1;
    throw invalid(`${this.#name}: ${field} is true or false`);
  }

  /**
   * Whole numbers from 0 to 65535.
   *
   * @returns undefined when the field was not given
   * @throws {SocketOptionError} EINVAL
   */
  list(field: string): readonly number[] | undefined {
    const value = this.#value[field];
    if (value === undefined) return undefined;
    const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (numbers.every(isShort)) return numbers;
    throw invalid(`${this.#name}: ${field} is a list of whole numbers from 0 to 65535`);
  }

  /**
   * A word or an address.
   *
   * @returns undefined when the field was not given
   * @throws {SocketOptionError} EINVAL
   */
  text(field: string): string | undefined {
    const value = this.#value[field];
    if (value === undefined || typeof value === "string") return value;
    throw invalid(`${this.#name}: ${field} is a text`);
  }

  /**
   * A field without which the option cannot be set.
   *
   * @throws {SocketOptionError} EINVAL
   */
  required<Value>(field: string, value: Value | undefined): Value {
    if (value === undefined) throw invalid(`${this.#name} needs ${field}`);
    return value;
  }
}

function isShort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

/** An option that is one number of the settings. */
export function numberSetting(
  key: NumberSetting,
  min: number,
  max: number,
  field: string = "value",
): OptionHandler {
  return {
    get: ({ settings }) => ({ [field]: settings[key] }),
    set: ({ settings }, fields) => {
      settings[key] = fields.required(field, fields.number(field, min, max));
    },
  };
}

/** An option that is one truth of the settings. */
export function booleanSetting(key: BooleanSetting): OptionHandler {
  return {
    get: ({ settings }) => ({ value: settings[key] }),
    set: ({ settings }, fields) => {
      settings[key] = fields.required("value", fields.boolean("value"));
    },
  };
}

/** An option that has one value here. Setting it to that value does nothing, any other is refused with this sentence. */
export function fixedSetting(value: boolean | number, sentence: string): OptionHandler {
  return {
    get: () => ({ value }),
    set: (_scope, fields) => {
      const wanted = typeof value === "boolean"
        ? fields.boolean("value")
        : fields.number("value", 0, 0xffff_ffff);
      if (fields.required("value", wanted) !== value) throw unsupported(sentence);
    },
  };
}

type KeysOf<Kind> = {
  [Key in keyof EndpointSettings]: EndpointSettings[Key] extends Kind ? Key : never;
}[keyof EndpointSettings];
type NumberSetting = Exclude<KeysOf<number>, "port">;
type BooleanSetting = Exclude<KeysOf<boolean>, "listen">;
