/** What the tests and the benchmark call of usrsctp. */

/** The name to open it by: 0.9.5 as Debian has it. */
export const USRSCTP_LIBRARY = "libusrsctp.so.2";

/** Its functions. A result of type ssize_t is read as i32: the value sits in the low half of the register. */
export const USRSCTP_SYMBOLS = {
  usrsctp_init: { parameters: ["u16", "pointer", "pointer"], result: "void" },
  usrsctp_sysctl_set_sctp_no_csum_on_loopback: { parameters: ["u32"], result: "void" },
  usrsctp_socket: {
    parameters: ["i32", "i32", "i32", "pointer", "pointer", "u32", "pointer"],
    result: "pointer",
  },
  usrsctp_bind: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  usrsctp_bindx: { parameters: ["pointer", "buffer", "i32", "i32"], result: "i32" },
  usrsctp_listen: { parameters: ["pointer", "i32"], result: "i32" },
  usrsctp_accept: { parameters: ["pointer", "buffer", "buffer"], result: "pointer" },
  usrsctp_connect: { parameters: ["pointer", "buffer", "u32"], result: "i32" },
  usrsctp_close: { parameters: ["pointer"], result: "void" },
  usrsctp_set_non_blocking: { parameters: ["pointer", "i32"], result: "i32" },
  usrsctp_get_events: { parameters: ["pointer"], result: "i32" },
  usrsctp_setsockopt: { parameters: ["pointer", "i32", "i32", "buffer", "u32"], result: "i32" },
  usrsctp_getsockopt: { parameters: ["pointer", "i32", "i32", "buffer", "buffer"], result: "i32" },
  usrsctp_sendv: {
    parameters: ["pointer", "buffer", "usize", "buffer", "i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
  usrsctp_recvv: {
    parameters: ["pointer", "buffer", "usize", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  usrsctp_shutdown: { parameters: ["pointer", "i32"], result: "i32" },
} as const;
