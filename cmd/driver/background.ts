/** How a process knows that it runs in the background: asked at every start, so it is apart from what `daemon.ts` takes. */

/** The environment variable that says so, and which line says that the process serves. */
export const BACKGROUND_TOKEN = "RSP_BACKGROUND_TOKEN";

/** Whether this is a background process, which no terminal's end concerns. */
export function isBackground(variable: (name: string) => string | undefined): boolean {
  return (variable(BACKGROUND_TOKEN) ?? "") !== "";
}
