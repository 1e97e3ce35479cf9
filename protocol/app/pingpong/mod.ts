/** RSPLIB's Ping Pong Service: its messages, and the machines of both sides. */
export { readPingPongCookie, writePingPongCookie } from "./cookie.ts";
export type { PingPongCookie } from "./cookie.ts";
export { MAX_PING_DATA, PingPongType, readPingPong, writePingPong } from "./messages.ts";
export type { Ping, PingPongMessage, Pong } from "./messages.ts";
export { PingPongServer } from "./server.ts";
export type { PingPongServerOptions, PingPongServerReport } from "./server.ts";
export { MAX_UNANSWERED_PINGS, PingPongClient } from "./client.ts";
export type { PingPongClientEffect, PingPongClientOptions, PingPongClientReport } from "./client.ts";
export type { PingPongElement, PingPongStatistics, RoundTrips } from "./statistics.ts";
