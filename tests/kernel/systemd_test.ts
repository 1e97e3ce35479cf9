/** The units of `rsp service` under a real systemd. */
import assert from "node:assert/strict";
import { Systemd } from "./systemd.ts";

/** Installs a service whose log goes into a file, starts it, and waits until systemd was told that it serves. */
async function start(
  systemd: Systemd,
  command: string,
  options: string,
): Promise<{ log(): Promise<string> }> {
  const unit = `rsp-${command}`, file = `/run/rsp-systemd/${command}.log`;
  await systemd.rsp(`service -install=${systemd.units} ${command} -- ${options}`);
  const extra = `${systemd.units}/${unit}.service.d`;
  const lines = ["[Service]", `StandardOutput=append:${file}`, `StandardError=append:${file}`];
  await systemd.run("sh", "-c", `mkdir ${extra} && printf '%s\\n' "$@" >${extra}/log.conf`, "sh", ...lines);
  await systemd.ask("daemon-reload");
  const log = async () => (await systemd.run("cat", file)).text;
  const started = await systemd.run("systemctl", "start", unit);
  assert.ok(started.success, `${started.text}\n${await systemd.ask("status", unit)}\n${await log()}`);
  return { log };
}

async function processStatus(systemd: Systemd, unit: string): Promise<string> {
  const pid = await systemd.property(unit, "MainPID");
  return (await systemd.run("cat", `/proc/${pid}/status`)).text;
}

Deno.test("systemd starts a registrar and a server by their units, confines them, and starts them again", async (test) => {
  await using systemd = await Systemd.start();
  const registrar = await start(systemd, "registrar", "-transport=kernel -actionlogfile=actions.log");
  const server = await start(systemd, "server", "-echo -scripting -transport=kernel");

  await test.step("both have said that they serve", async () => {
    for (const unit of ["rsp-registrar", "rsp-server"]) {
      assert.equal(await systemd.property(unit, "ActiveState"), "active");
      assert.equal(await systemd.property(unit, "StatusText"), "It serves.");
    }
  });

  await test.step("they are users of their own without privileges, save for packets of IP", async () => {
    const status = await processStatus(systemd, "rsp-registrar");
    assert.match(status, /^Uid:\t(6[1-9]\d{3})\t\1\t\1\t\1$/m);
    assert.match(status, /^CapEff:\t0000000000002000$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    assert.match(await processStatus(systemd, "rsp-server"), /^CapEff:\t0{16}$/m);
    assert.match((await systemd.run("ls", "/var/lib/rsp-registrar/")).text, /^actions\.log$/m);
  });

  await test.step("the server is known to the registrar, and its jobs have a sandbox", async () => {
    await systemd.until(
      "EchoPool is there",
      async () => (await registrar.log()).includes("pool EchoPool: element "),
    );
    assert.match(await server.log(), /jobs run in a sandbox/);
  });

  await test.step("a registrar that was killed is there again", async () => {
    await systemd.ask("kill", "--signal=KILL", "--kill-who=main", "rsp-registrar");
    await systemd.until(
      "it was started again",
      async () =>
        await systemd.property("rsp-registrar", "NRestarts") === "1" &&
        await systemd.property("rsp-registrar", "ActiveState") === "active",
    );
  });

  await test.step("they end in order", async () => {
    await systemd.ask("stop", "rsp-server", "rsp-registrar");
    for (const [unit, { log }] of [["rsp-registrar", registrar], ["rsp-server", server]] as const) {
      assert.equal(await systemd.property(unit, "Result"), "success");
      assert.equal(await systemd.property(unit, "ExecMainStatus"), "0");
      assert.match(await log(), /terminated$/);
    }
  });
});
