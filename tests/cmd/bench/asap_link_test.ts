import assert from "node:assert/strict";
import { AsapLink } from "../../../cmd/bench/asap_link.ts";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import { Ppid } from "../../../protocol/net.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { FakeTransport } from "../darn/fake_endpoint.ts";

const UP = {
  type: "up",
  association: 7,
  request: 1,
  peerAddresses: ["10.1.0.2"],
  peerPort: 3863,
  outboundStreams: 1,
  inboundStreams: 1,
} as const;
const COMMON = { type: "message", association: 7, ppid: Ppid.asap, stream: 0, ssn: 0, tsn: 0 } as const;
const KEEP_ALIVE = writeAsap({
  type: "endpointKeepAlive",
  registrarId: 1,
  poolHandle: encodeText("P"),
  elementId: 5,
  home: false,
});

/** A link, and what it sends. */
function openLink() {
  const transport = new FakeTransport();
  const link = new AsapLink(transport.open({}, () => {}), UP, { addresses: ["10.1.0.2"], port: 3863 });
  const take = (data: Uint8Array) => link.handle({ ...COMMON, data, unordered: false }, 0);
  return { link, take, asked: transport.asked };
}

Deno.test("AsapLink answers keep-alives", () => {
  const { take, asked } = openLink();
  take(KEEP_ALIVE);
  assert.equal(asked.length, 1);
});

Deno.test("AsapLink says that a keep-alive cannot be read", async () => {
  const { link, take } = openLink();
  take(KEEP_ALIVE.subarray(0, 6));
  await assert.rejects(link.broken, {
    name: "RunFailure",
    message: /^10\.1\.0\.2:3863 sends a keep-alive that is none: /,
  });
});
