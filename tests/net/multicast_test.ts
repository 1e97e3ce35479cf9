import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Lab, labIsPossible } from "./lab.ts";

const possible = await labIsPossible();
const probe = fileURLToPath(new URL("multicast_probe.ts", import.meta.url));
const speaker = (
  group = "239.0.0.50",
) => ["deno", "run", "--allow-all", "--quiet", probe, "speak", group, "3863"];
const hearer = (
  group = "239.0.0.50",
) => ["deno", "run", "--allow-all", "--quiet", probe, "hear", group, "3863"];

Deno.test({
  name: "joinGroup() sends one copy through each interface, with no route to the group",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(2);
    const heard = lab.pc(1).start(...hearer());
    await heard.says(/ready/);
    lab.pc(2).start(...speaker());
    await heard.says(/from 10\.1\.0\.2 3863/);
    await heard.says(/from 10\.2\.0\.2 3863/);
    assert.doesNotMatch(heard.output, /problem|127\.0\.0\.1/);
  },
});

Deno.test({
  name: "joinGroup() serves several programs of one host",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(1);
    const one = lab.pc(1).start(...hearer()), other = lab.pc(1).start(...hearer());
    await one.says(/ready/);
    await other.says(/ready/);
    lab.pc(1).start(...speaker());
    const [, address] = await one.says(/from (\S+) 3863/);
    await other.says(/from (\S+) 3863/);
    assert.match(address ?? "", /^10\./);
  },
});

Deno.test({
  name: "joinGroup() uses the loopback interface where there is no other",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(0 + 1);
    const pc = lab.pc(1);
    for (const name of ["eth0", "eth1"]) await pc.run("ip", "link", "delete", name);
    const heard = pc.start(...hearer());
    await heard.says(/ready/);
    pc.start(...speaker());
    const [, address] = await heard.says(/from (\S+) 3863/);
    assert.equal(address, "127.0.0.1");
  },
});

Deno.test({
  name: "joinGroup() hears an interface that came later",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(2);
    const pc = lab.pc(1);
    await pc.run("ip", "address", "flush", "dev", "eth0");
    await pc.run("ip", "address", "flush", "dev", "eth1");
    const heard = pc.start(...hearer());
    await heard.says(/ready/);
    lab.pc(2).start(...speaker());
    await pc.run("ip", "address", "add", "10.1.0.1/24", "dev", "eth1");
    const [, address] = await heard.says(/from (\S+) 3863/);
    assert.equal(address, "10.1.0.2");
  },
});

Deno.test({
  name: "joinGroup() works with IPv6 groups",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(2);
    const heard = lab.pc(1).start(...hearer("ff05::50"));
    await heard.says(/ready/);
    lab.pc(2).start(...speaker("ff05::50"));
    const [, address] = await heard.says(/from (\S+) 3863/);
    assert.match(address ?? "", /^fd0[12]::2$/);
  },
});

Deno.test({
  name: "joinGroup() says what to do when no interface has an address",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(1);
    const pc = lab.pc(1);
    for (const name of ["eth0", "eth1"]) await pc.run("ip", "link", "delete", name);
    await pc.run("ip", "link", "set", "lo", "down");
    const [, problem] = await pc.start(...speaker()).says(/problem (.*)/);
    assert.match(problem ?? "", /ip (link set|route add)/);
  },
});
