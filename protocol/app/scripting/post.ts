import { Ppid } from "../../net.ts";
import type { SessionCommand, SessionId } from "../../session/types.ts";
import { MAX_SCRIPTING_DATA, writeFilePieces, writeScripting } from "./messages.ts";
import type { PrintChannel, ScriptingMessage } from "./messages.ts";

/** What either side says to its sessions. */
export class ScriptingPost {
  readonly #command: (command: SessionCommand) => void;

  /** @param command takes what the session layer is to do */
  constructor(command: (command: SessionCommand) => void) {
    this.#command = command;
  }

  /** Sends a message. */
  send(session: SessionId, message: ScriptingMessage): void {
    this.#command({ type: "send", session, ppid: Ppid.scripting, data: writeScripting(message) });
  }

  /** Sends octets of a file, which are only lent: they are copied by the transport, once. */
  sendFile(session: SessionId, type: "upload" | "download", data: Uint8Array): void {
    for (const piece of writeFilePieces(type, data)) {
      this.#command({ type: "send", session, ppid: Ppid.scripting, ...piece, lent: true });
    }
  }

  /** Sends what a job has printed, or what the server has to say of it, in as many messages as it takes. */
  print(session: SessionId, channel: PrintChannel, data: Uint8Array): void {
    for (let offset = 0; offset < data.length; offset += MAX_SCRIPTING_DATA) {
      const piece = data.subarray(offset, offset + MAX_SCRIPTING_DATA);
      this.send(session, { type: "print", channel, data: piece });
    }
  }

  /** Gives the other side room for so many octets again. */
  consumed(session: SessionId, octets: number): void {
    this.#command({ type: "consumed", session, octets });
  }
}
