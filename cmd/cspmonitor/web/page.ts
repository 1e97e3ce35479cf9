/** The page of a monitor. */
import type { Monitor, MonitorReport } from "../../../protocol/csp/mod.ts";
import type { Instant } from "../../../protocol/net.ts";
import type { Log } from "../../driver/log.ts";
import { openPage } from "../../web/web_option.ts";
import type { WebWish } from "../../web/web_option.ts";
import type { Asset, WebPlan, WebServer } from "../../web/web_server.ts";
import { MONITOR_PAGE_PORT } from "../options.ts";
import { monitorAssets } from "./assets.ts";
import { MonitorFeed } from "./monitor_feed.ts";
import type { FeedPlan } from "./monitor_feed.ts";

/** `/history/02000000000000f1.json`, or of all. */
const HISTORY = /^\/history\/([0-9a-f]{16}|totals)\.json$/;

/** Serves a monitor to browsers, until it is disposed of. */
export class MonitorPage implements AsyncDisposable {
  readonly #feed: MonitorFeed;
  readonly #server: WebServer;

  private constructor(feed: MonitorFeed, server: WebServer) {
    this.#feed = feed;
    this.#server = server;
  }

  /**
   * Opens the page where it is wanted.
   *
   * @returns undefined when none is wanted, or there is no place for one that nobody asked for
   * @throws {PagePlaceTaken} when there is no place for one that somebody asked for
   */
  static open(wish: WebWish, plan: FeedPlan, log: Log): MonitorPage | undefined {
    const feed = new MonitorFeed(plan);
    const server = openPage(wish, MONITOR_PAGE_PORT, pagePlan(feed), log);
    return server && new MonitorPage(feed, server);
  }

  /** What to type into a browser. */
  get url(): string {
    return this.#server.url;
  }

  /** Takes what the monitor tells. */
  report(report: MonitorReport, now: Instant): void {
    this.#feed.report(report, now);
  }

  /** Time for what has changed. */
  update(monitor: Monitor, now: Instant, time: Date): void {
    this.#server.publish("changes", this.#feed.update(monitor, now, time));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** What the page is made of. */
export function pagePlan(feed: MonitorFeed): Omit<WebPlan, "at"> {
  return {
    assets: monitorAssets,
    live: { get: (path) => historyFile(feed, path) },
    snapshot: () => feed.snapshot(),
  };
}

function historyFile(feed: MonitorFeed, path: string): (() => Asset | undefined) | undefined {
  const id = HISTORY.exec(path)?.[1];
  if (id === undefined) return undefined;
  return () => {
    const history = feed.history(id);
    return history && { type: "application/json", body: JSON.stringify(history) };
  };
}
