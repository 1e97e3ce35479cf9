/** What of the system jobs must not read, though a server that runs as root could. */

/** Where a job sees what people have put there, and can do without. */
export const DISPENSABLE_PLACES = ["/opt", "/usr/local"] as const;

/** What not everybody may read. */
export interface Secret {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** How much of a place is looked at and told of, before all of it is one secret. */
export interface SecretLimits {
  /** Files and directories that are looked at: some seconds' work at worst, and more than most have there. */
  readonly maxEntries: number;
  /** Secrets in a place. Each is up to four words for bubblewrap, which takes some 9000. */
  readonly maxSecrets: number;
}

const LIMITS: SecretLimits = { maxEntries: 100_000, maxSecrets: 600 };

/** Without /etc no job runs, so that all of it is looked at. It has a few thousand entries. */
const NO_LIMITS: SecretLimits = { maxEntries: Infinity, maxSecrets: Infinity };

/**
 * Finds the secrets where a job sees what people have put there, and may have kept from others. A place with too much to look
 * at, or to tell of, is one secret.
 *
 * @param root for tests: a directory in the place of that of the system
 * @param limits for tests: others than those of the system's places
 */
export function findSecrets(root = "", limits: SecretLimits = LIMITS): readonly Secret[] {
  const places = DISPENSABLE_PLACES.filter((place) => !leadsNowhere(root, place));
  return [
    ...secretsOf(`${root}/etc`, NO_LIMITS),
    ...places.flatMap((place) => secretsOf(root + place, limits)),
  ];
}

function secretsOf(place: string, { maxEntries, maxSecrets }: SecretLimits): readonly Secret[] {
  const secrets: Secret[] = [];
  const waiting = [place];
  let entries = 0;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { name, isFile, isDirectory } of entriesOf(path)) {
      const entry = `${path}/${name}`;
      if (isDirectory && allows(entry, 0o005)) waiting.push(entry);
      else if (isDirectory || (isFile && !allows(entry, 0o004))) secrets.push({ path: entry, isDirectory });
      if (++entries > maxEntries || secrets.length > maxSecrets) return [{ path: place, isDirectory: true }];
    }
  }
  return secrets;
}

function entriesOf(directory: string): readonly Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(directory)];
  } catch { // the job cannot look into it, either
    return [];
  }
}

function allows(path: string, permissions: number): boolean {
  try {
    return ((Deno.lstatSync(path).mode ?? 0) & permissions) === permissions;
  } catch { // it has just gone
    return true;
  }
}

/** What is in /usr comes into the sandbox as it is there: a link to somewhere else has nothing behind it. */
function leadsNowhere(root: string, place: string): boolean {
  try {
    return place.startsWith("/usr/") && Deno.lstatSync(root + place).isSymlink;
  } catch { // this system does not have it
    return true;
  }
}
