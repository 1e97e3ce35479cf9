/** What the page of our status monitor knows, as the events that it gets tell. */
import type {
  ComponentFact,
  EventFact,
  MonitorChanges,
  MonitorSnapshot,
} from "../../cmd/cspmonitor/web/facts.ts";
import { componentLabel } from "../../protocol/csp/mod.ts";
import type { Program } from "./program.ts";

/** Follows the lines of `page_reader.ts`. */
export class PageView {
  readonly components: Map<string, ComponentFact> = new Map();
  readonly events: Map<number, EventFact> = new Map();
  readonly #reader: Program;
  /** Characters of its output that have been read. */
  #read = 0;

  constructor(reader: Program) {
    this.#reader = reader;
  }

  /** Waits until the page knows something. */
  async knows(what: string, holds: (view: PageView) => boolean): Promise<void> {
    await this.#reader.until(`${what} on the page`, (output) => {
      this.#follow(output);
      return holds(this) || undefined;
    });
  }

  /** A component by what it is called. */
  component(label: string): ComponentFact | undefined {
    return [...this.components.values()].find((component) => component.label === label);
  }

  /** The components that have an association with another one. */
  linkedTo(label: string, kind: string): readonly ComponentFact[] {
    return [...this.components.values()].filter(({ links }) =>
      links.some((link) => componentLabel(BigInt(`0x${link.to}`)) === label && link.kind === kind)
    );
  }

  /** Whether something happened, from one component to another where these are named. */
  tells(type: EventFact["type"], from?: string, to?: string): boolean {
    return [...this.events.values()].some((event) =>
      event.type === type && (from === undefined || event.from?.label === from) &&
      (to === undefined || event.to?.label === to)
    );
  }

  #follow(output: string): void {
    const end = output.lastIndexOf("\n") + 1;
    for (const line of output.slice(this.#read, end).split("\n")) {
      const [name, text = ""] = line.split(/ (.*)/s);
      if (name === "snapshot") this.#begin(JSON.parse(text));
      if (name === "changes") this.#change(JSON.parse(text));
    }
    this.#read = Math.max(this.#read, end);
  }

  #begin({ components, events }: MonitorSnapshot): void {
    this.components.clear();
    this.events.clear();
    for (const component of components) this.components.set(component.id, component);
    for (const event of events) this.events.set(event.number, event);
  }

  #change({ changed, left, events }: MonitorChanges): void {
    for (const component of changed) this.components.set(component.id, component);
    for (const id of left) this.components.delete(id);
    for (const event of events) this.events.set(event.number, event);
  }
}
