import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import { MessageQueue } from "../../../protocol/sctp/message_queue.ts";
import { newMessage } from "../../../protocol/sctp/outbound_message.ts";
import type { OutboundMessage } from "../../../protocol/sctp/outbound_message.ts";

Deno.test("MessageQueue is a queue from whose middle messages may vanish", () => {
  const prng = new Prng(1), queue = new MessageQueue();
  let model: OutboundMessage[] = [];
  for (let step = 0; step < 20_000; step++) {
    const what = prng.below(10);
    if (what < 6) {
      const parts = { ppid: 0, stream: 0, unordered: false, immediate: false, context: 0 };
      const message = newMessage({
        lent: false,
        ...parts,
        data: new Uint8Array(1 + prng.below(5)),
        destination: undefined,
        limit: undefined,
        authKeyId: -1,
      });
      queue.push(message);
      model.push(message);
    } else if (model.length > 0 && what < 8) {
      queue.took(model[0]!.data.length);
      model = model.slice(1);
    } else if (model.length > 0) {
      const [message] = model.splice(prng.below(model.length), 1);
      message!.abandoned = true;
      queue.discard(message!);
    }
    assert.equal(queue.first, model[0]);
    assert.equal(queue.length, model.length);
  }
  assert.deepEqual([...queue], model);
  assert.equal(queue.octets, model.reduce((sum, { data }) => sum + data.length, 0));
});

Deno.test("MessageQueue does not keep abandoned messages for ever behind a head that does not move", () => {
  const queue = new MessageQueue();
  const parts = { ppid: 0, stream: 0, unordered: false, immediate: false, context: 0 };
  const make = () =>
    newMessage({
      lent: false,
      ...parts,
      data: new Uint8Array(1),
      destination: undefined,
      limit: undefined,
      authKeyId: -1,
    });
  const head = make();
  queue.push(head);
  for (let i = 0; i < 10_000; i++) {
    const message = make();
    queue.push(message);
    message.abandoned = true;
    queue.discard(message);
  }

  assert.deepEqual([...queue], [head]);
  assert.equal(queue.length, 1);
});
