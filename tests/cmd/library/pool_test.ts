import { testPools } from "./pool_scenes.ts";

// Over UDP, so that a test does not need the rights for raw sockets.
testPools({ transport: "embedded", encapsulation: "udp", announce: "off" });
