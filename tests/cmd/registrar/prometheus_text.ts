import assert from "node:assert/strict";

/** A metric with its samples by the text of their labels. */
export interface Metric {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = String.raw`[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"`;
const HELP_LINE = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE_LINE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE_LINE = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)\})? (-?\d+(?:\.\d+)?)$`);

/**
 * Reads Prometheus' text format, version 0.0.4, strictly: HELP, then TYPE, then all samples of a metric; no name twice, no
 * labels twice; counters end in `_total`; every line ends with a line feed.
 */
export function readMetrics(text: string): Map<string, Metric> {
  assert.ok(text.endsWith("\n"), "the last line ends with a line feed");
  const metrics = new Map<string, Metric>();
  const lines = text.slice(0, -1).split("\n");
  for (let index = 0; index < lines.length;) {
    const [, name = "", help = ""] = HELP_LINE.exec(lines[index]!) ?? [];
    const [, typeName, type = ""] = TYPE_LINE.exec(lines[index + 1] ?? "") ?? [];
    assert.equal(typeName, name, `HELP and TYPE at line ${index + 1}: ${lines[index]}`);
    assert.ok(name !== "" && !metrics.has(name), `${name} comes once`);
    assert.equal(name.endsWith("_total"), type === "counter", `${name} is named as a ${type}`);
    const samples = new Map<string, number>();
    for (index += 2; index < lines.length && !lines[index]!.startsWith("#"); index++) {
      const [, sampleName, labels = "", value] = SAMPLE_LINE.exec(lines[index]!) ?? [];
      assert.equal(sampleName, name, `a sample at line ${index + 1}: ${lines[index]}`);
      assert.ok(!samples.has(labels), `labels come once: ${lines[index]}`);
      samples.set(labels, Number(value));
    }
    metrics.set(name, { type, help, samples });
  }
  return metrics;
}
