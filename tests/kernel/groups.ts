/** Files of tests, by the group's name and the place where they run. */

/** Tests that run in the guest. */
export const GUEST_TESTS: { readonly [group: string]: readonly string[] } = {
  transport: [
    "tests/kernel/kernel_transport_test.ts",
    "tests/kernel/kernel_options_test.ts",
    "tests/kernel/kernel_features_test.ts",
    "tests/kernel/kernel_puppet_test.ts",
  ],
  exercise: [
    "tests/kernel/exercise_sctp_test.ts",
    "tests/kernel/sctp_darn_test.ts",
    "tests/kernel/sctp_darn_options_test.ts",
  ],
  rsplib: ["tests/interop/rsplib_test.ts", "tests/interop/rsplib_pool_test.ts"],
  registrar: [
    "tests/interop/rsplib_synchronisation_test.ts",
    "tests/interop/hsdump_test.ts",
    "tests/interop/rsplib_takeover_test.ts",
    "tests/interop/registrar_files_test.ts",
    "tests/interop/selection_test.ts",
  ],
  services: [
    "tests/interop/services_test.ts",
    "tests/interop/service_limits_test.ts",
    "tests/interop/signed_work_test.ts",
    "tests/interop/povray_test.ts",
    "tests/kernel/library_test.ts",
  ],
  status: ["tests/interop/monitors_test.ts"],
  systemd: ["tests/kernel/systemd_test.ts"],
};

/** Tests that run on the host, in the namespace with the tap devices, while the guest's peer serves; the last ends it. */
export const HOST_TESTS: readonly string[] = [
  "tests/kernel/embedded_extensions_test.ts",
  "tests/kernel/embedded_restart_test.ts",
  "tests/kernel/embedded_darn_test.ts",
  "tests/kernel/embedded_compliance_test.ts",
  "tests/kernel/embedded_kernel_test.ts",
];
/** Test of what tcpdump took down at the tap devices meanwhile. */
export const TAP_TEST = "tests/kernel/tap_capture_test.ts";
/** Variable with the folder of these captures: tap0.pcap, tap1.pcap. */
export const TAP_CAPTURES = "RSP_TAP_CAPTURES";
