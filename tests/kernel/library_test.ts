/** The library over kernel SCTP: the same as over the embedded stack (tests/cmd/library/pool_test.ts). */
import { testPools } from "../cmd/library/pool_scenes.ts";

testPools({ transport: "kernel", announce: "off" });
