/**
 * What the floors say to each other about the network: time, addresses, associations, and the one interface behind
 * which kernel SCTP, the embedded stack and the simulation stand.
 *
 * Plain types, and functions on them that need nothing else.
 */
export * from "./net/basics.ts";
export * from "./net/address.ts";
export * from "./net/event.ts";
export * from "./net/command.ts";
export * from "./net/endpoint_options.ts";
export * from "./net/status.ts";
export * from "./net/socket_option.ts";
export { BASIC_SOCKET_OPTIONS } from "./net/socket_option_basic.ts";
export { EXTENSION_SOCKET_OPTIONS } from "./net/socket_option_extension.ts";
export * from "./net/transport.ts";
export * from "./net/machine_network.ts";
export * from "./net/packet.ts";
