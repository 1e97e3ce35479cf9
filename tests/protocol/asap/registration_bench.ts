/** Cost of a Registration, the message that registrars see most. To reach: below 5 µs for writing and reading it. */
import { readAsap } from "../../../protocol/asap/read.ts";
import { writeAsap } from "../../../protocol/asap/write.ts";
import type { Registration } from "../../../protocol/asap/message.ts";
import { encodeText } from "../../../protocol/wire/text.ts";

const registration: Registration = {
  type: "registration",
  poolHandle: encodeText("FractalGeneratorPool"),
  element: {
    elementId: 0x11223344,
    homeRegistrarId: 0,
    registrationLifeMs: 90000,
    userTransport: {
      protocol: "sctp",
      port: 42976,
      use: "data+control",
      addresses: ["10.1.0.2", "10.2.0.2"],
    },
    policy: { name: "LeastUsedDegradation", type: 0x40000002, load: 0, loadDegradation: 0x40000000 },
  },
};
const octets = writeAsap(registration);

Deno.bench("write a Registration", { group: "registration" }, () => {
  writeAsap(registration);
});

Deno.bench("read a Registration", { group: "registration" }, () => {
  readAsap(octets);
});

Deno.bench("write and read a Registration", { group: "registration", baseline: true }, () => {
  readAsap(writeAsap(registration));
});
