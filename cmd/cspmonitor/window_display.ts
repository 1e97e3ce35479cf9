/** Components in the window of a terminal, which keys and new sizes change. */
import { arrangeComponents, componentGroupOf } from "../../protocol/csp/mod.ts";
import type { Component, Monitor } from "../../protocol/csp/mod.ts";
import type { Instant } from "../../protocol/net.ts";
import type { Input, Output } from "../command.ts";
import { KeyWindow } from "../tui/key_window.ts";
import type { Key } from "../tui/key_window.ts";
import { pressKey } from "./settings.ts";
import type { ViewSettings } from "./settings.ts";
import { renderMonitor, scrollRange } from "./view.ts";
import type { MonitorView } from "./view.ts";

/** What a window needs. */
export interface WindowDisplayOptions {
  readonly output: Output;
  /** Where keys come from, if they do. */
  readonly input: Input | undefined;
  readonly settings: ViewSettings;
  readonly color: boolean;
  /** Told as long as nothing has reported. */
  readonly hint: readonly string[];
  /** What is to be told besides; empty = nothing. */
  readonly notice: () => string;
  /** The user wants an end. */
  readonly onQuit: () => void;
}

/** A moment: all that there is to draw. */
interface Moment {
  readonly components: readonly Component[];
  readonly statistics: Monitor["statistics"];
  readonly now: Instant;
  readonly time: Date;
}

/** Draws components, until it is disposed of. */
export class WindowDisplay implements Disposable {
  readonly #options: WindowDisplayOptions;
  readonly #window: KeyWindow;
  #settings: ViewSettings;
  #moment: Moment | undefined;

  constructor(options: WindowDisplayOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#window = new KeyWindow({
      output: options.output,
      input: options.input,
      onKey: (key) => this.#press(key),
      onResize: () => this.#draw(),
    });
  }

  /** Something happened to a component: the next picture shows it. */
  report(): void {}

  /** Time for a new picture. */
  update({ components, statistics }: Monitor, now: Instant, time: Date): void {
    if (this.#settings.isPaused && this.#moment !== undefined) return;
    this.#moment = { components: [...components.values()], statistics, now, time };
    this.#draw();
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]();
  }

  #press(key: Key): void {
    const view = this.#view();
    const range = view === undefined ? { rows: 0, page: 1 } : scrollRange(view, this.#options.output.size());
    const settings = pressKey(this.#settings, key, range);
    if (settings === undefined) return this.#options.onQuit();
    this.#settings = settings;
    this.#draw();
  }

  #draw(): void {
    const view = this.#view();
    if (view === undefined) return;
    this.#window.draw(renderMonitor(view, this.#options.output.size()));
  }

  #view(): MonitorView | undefined {
    if (this.#moment === undefined) return undefined;
    const { components, ...moment } = this.#moment, { hint, color, notice } = this.#options;
    const settings = this.#settings;
    const limits: ViewSettings["limits"] = settings.isLimited ? settings.limits : new Map();
    const totals = new Map<number, number>();
    for (const { id } of components) {
      const group = componentGroupOf(id);
      totals.set(group, (totals.get(group) ?? 0) + 1);
    }
    return {
      ...moment,
      arrangement: arrangeComponents(components, { ...settings, limits }),
      totals,
      settings,
      notice: notice(),
      hint,
      color,
      hasKeys: this.#window.hasKeys,
    };
  }
}
