import assert from "node:assert/strict";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { TableSource } from "../../../protocol/registrar/table_source.ts";
import { element, POOL, REGISTRAR_ID } from "./harness.ts";

/** A handlespace that knows how many elements were taken out of its order at a time. */
class Counted extends Handlespace {
  readonly counts: number[] = [];

  override page(...[after, count, owner]: Parameters<Handlespace["page"]>): ReturnType<Handlespace["page"]> {
    const page = super.page(after, count, owner);
    this.counts.push(page.length);
    return page;
  }
}

Deno.test("TableSource looks at no more elements than a part can hold, however many it may", () => {
  const handlespace = new Counted(new Prng(1));
  for (let id = 1; id <= 1000; id++) {
    handlespace.register(POOL, element(id, { homeRegistrarId: REGISTRAR_ID }));
  }
  const source = new TableSource({
    registrarId: REGISTRAR_ID,
    handlespace,
    maxElementsPerTableResponse: 65_535,
    maxTimeNoResponseMs: 5000,
  });
  const request = { type: "handleTableRequest", senderId: 1, receiverId: 2, ownChildrenOnly: false } as const;

  let told = 0;
  for (let more = true; more;) {
    const response = source.respond(1, request, 0);
    told += response.pools.reduce((sum, { elements }) => sum + elements.length, 0);
    more = response.more;
  }

  assert.equal(told, 1000);
  assert.ok(Math.max(...handlespace.counts) <= 51, `${Math.max(...handlespace.counts)}`);
});
