/** What a registrar knows, read from outside or from within, and shown to people and to programs. */
export { HandlespaceReader } from "./handlespace_reader.ts";
export type { ReaderEffect, ReaderInput, ReaderOptions, ReaderReport } from "./handlespace_reader.ts";
export { renderState } from "./render.ts";
export type { PeerView, RegistrarState } from "./state.ts";
export { stateObject } from "./state_object.ts";
export type { ElementObject, PeerObject, PoolObject, StateObject } from "./state_object.ts";
