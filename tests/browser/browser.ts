/**
 * A browser for tests: Debian's chromium without a window, driven by puppeteer-core. It never leaves this machine: every
 * request to somewhere else than loopback fails, and so does the test.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch } from "puppeteer-core";
import type { Browser, Page } from "puppeteer-core";
import { findProgram, searchPath } from "../../cmd/driver/programs.ts";
import { jitter } from "../jitter.ts";

/** Screenshots are kept here, to be looked at. */
const SCREENSHOTS = fileURLToPath(new URL("../../build/screenshots/", import.meta.url));

/**
 * Nothing on a page takes longer unless it is broken. A few seconds are usual; on a machine with forty other things to do an
 * image that programs compute side by side was seen to take a minute.
 */
export const PAGE_DEADLINE_MS = 180_000;

/** How a page is looked at. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

/** A window of a usual size. */
export const USUAL_LOOK: Look = { width: 1280, height: 800, scheme: "light" };

/** A page in a browser, with all that goes wrong on it. */
export class TestPage implements AsyncDisposable {
  readonly page: Page;
  /** What the page complained about: errors, what its security policy forbids, requests to elsewhere. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PAGE_DEADLINE_MS);
    page.on(
      "pageerror",
      (error) => this.complaints.push(error instanceof Error ? error.message : `${error}`),
    );
    page.on("console", (message) => {
      const type = message.type();
      if (type === "error" || type === "warn") this.complaints.push(`${type}: ${message.text()}`);
    });
    page.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      const isHere = protocol === "data:" || protocol === "blob:" || isLoopback(hostname);
      if (!isHere) this.complaints.push(`request to ${request.url()}`);
    });
  }

  /**
   * The value of an expression in the page, or what its promise resolves with. It is a text, since the types of a browser and
   * those of this runtime do not go together: `document.querySelectorAll("tr").length`.
   */
  async ask<Value>(expression: string): Promise<Value> {
    return await this.page.evaluate(expression) as Value;
  }

  /** Waits until an expression in the page is true. */
  async waitFor(expression: string): Promise<void> {
    try {
      await this.page.waitForFunction(expression, { timeout: PAGE_DEADLINE_MS, polling: 50 });
    } catch (error) {
      throw new Error(`the page never says ${expression}\n${this.complaints.join("\n")}`, { cause: error });
    }
    await jitter();
  }

  /** Waits until the text of an element matches. @returns the match */
  async says(selector: string, pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PAGE_DEADLINE_MS;
    for (;;) {
      const text = await this.text(selector), match = pattern.exec(text);
      if (match !== null) {
        await jitter();
        return match;
      }
      if (performance.now() > deadline) {
        throw new Error(
          `no ${pattern} in ${selector}: ${text.slice(0, 2000)}\n${this.complaints.join("\n")}`,
        );
      }
      await this.#frame();
    }
  }

  /** Waits until the page has complained about something: that comes when the browser likes, whatever else it was asked. */
  async complains(isMeant: (complaint: string) => boolean): Promise<void> {
    const deadline = performance.now() + PAGE_DEADLINE_MS;
    while (!this.complaints.some(isMeant)) {
      assert.ok(performance.now() < deadline, `${isMeant} among ${this.complaints.join("\n")}`);
      await this.#frame();
    }
    await jitter();
  }

  /** Resolves with the next picture that the browser draws. */
  async #frame(): Promise<void> {
    await this.page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
  }

  /** The text of an element; empty where there is none. */
  async text(selector: string): Promise<string> {
    return await this.ask(`document.querySelector(${JSON.stringify(selector)})?.textContent ?? ""`);
  }

  /** Changes size and colours. */
  async look({ width, height, scheme }: Look): Promise<void> {
    await this.page.setViewport({ width, height });
    await this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  }

  /** Keeps a picture of what is seen as `build/screenshots/<name>.png`. @returns the file */
  async screenshot(name: string): Promise<string> {
    assert.match(name, /^[a-z0-9_-]+$/, "a screenshot has a plain name");
    await mkdir(SCREENSHOTS, { recursive: true });
    const path = `${SCREENSHOTS}${name}.png` as const;
    await this.page.screenshot({ path });
    return path;
  }

  /** Fails when the page has complained. */
  isContent(): void {
    assert.deepEqual(this.complaints, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** A browser without a window. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Starts one. One a test file is enough: starting takes a second. */
  static async start(): Promise<TestBrowser> {
    const executablePath = findProgram("chromium", searchPath());
    assert.ok(executablePath, "chromium is missing: scripts/setup --tests installs it");
    const browser = await launch({
      executablePath,
      args: [
        // Root has no other way, and what is shown is the project's own.
        ...(Deno.uid() === 0 ? ["--no-sandbox"] : []),
        // Nothing is looked up, fetched or reported but what a test opens.
        ...["--disable-background-networking", "--disable-component-update", "--no-first-run"],
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
        ...["--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
      ],
      timeout: PAGE_DEADLINE_MS,
      protocolTimeout: 2 * PAGE_DEADLINE_MS,
    });
    return new TestBrowser(browser);
  }

  /** Opens a page. */
  async open(url: string, look: Look = USUAL_LOOK): Promise<TestPage> {
    const context = await this.#browser.createBrowserContext();
    const page = new TestPage(await context.newPage());
    await page.look(look);
    // With its styles, which a page without scripts does not wait for. An event stream never ends: the network is not idle.
    await page.page.goto(url, { waitUntil: "load" });
    await jitter();
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}

/**
 * A test that has a browser to itself, or shares that of its file by steps. The runtime's own watch over open resources is
 * off: the browser's driver keeps timers that end only after the test.
 */
export function browserTest(
  name: string,
  run: (browser: TestBrowser, context: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({
    name,
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(context) {
      await using browser = await TestBrowser.start();
      await run(browser, context);
    },
  });
}
