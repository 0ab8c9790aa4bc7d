/** Which profile an audit projects with: one that was named, this machine's own, or the reference that comes with the package. */
import { type Diagnostic, diagnostic } from '../ir/diagnostic.ts';
import { DscAuditError } from '../ir/errors.ts';
import { machineText, thisMachine } from './machine.ts';
import type { Machine, Profile } from './profile.ts';
import { machineProfilePath, readProfile, readProfileIfThere, type StorePlace } from './profile-store.ts';
import { referenceProfile } from './reference.ts';

export interface ChosenProfile {
  readonly profile: Profile;
  readonly source: 'reference' | 'machine' | 'file';
  /** What is to be said of the choice. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What `--profile` takes beside a file; left out, it is this machine's own profile, else the reference. */
export const NO_PROFILE = 'none';
export const REFERENCE_PROFILE = 'reference';

/**
 * Null where no projection is asked for.
 *
 * @throws {DscAuditError} where a named file is no profile
 */
export async function chooseProfile(
  asked: string | null,
  machine: Machine,
  place: StorePlace,
): Promise<ChosenProfile | null> {
  if (asked === NO_PROFILE) return null;
  if (asked === REFERENCE_PROFILE) return reference([]);
  if (asked !== null) {
    const profile = readProfile(asked);
    return { profile, source: 'file', diagnostics: otherRuntime(profile, 'warning') };
  }
  const path = machineProfilePath(place, 'builtin');
  const own = readOwnProfile(path);
  if (own === null) return reference([]);
  if (own === 'unreadable') {
    const reason = 'it is none that this version of dsc-audit can read';
    return reference([diagnostic('profile-refused', 'warning', null, { path, reason })]);
  }
  const reason = staleness(own, machine);
  if (reason !== null) return reference([diagnostic('profile-refused', 'warning', null, { path, reason })]);
  return { profile: own, source: 'machine', diagnostics: [] };
}

/** Nobody asked for this machine's own profile by name: where it cannot be used, the audit goes on without it. */
function readOwnProfile(path: string): Profile | 'unreadable' | null {
  try {
    return readProfileIfThere(path);
  } catch (error) {
    if (error instanceof DscAuditError) return 'unreadable';
    throw error;
  }
}

/** The same on the machine that this runs on. */
export function chooseProfileHere(asked: string | undefined, env: StorePlace['env']): Promise<ChosenProfile | null> {
  const machine = thisMachine();
  return chooseProfile(asked ?? null, machine, { env, platform: machine.platform });
}

/** Why a profile of this machine is no longer of it; null where it still is. */
function staleness(profile: Profile, machine: Machine): string | null {
  if (profile.machine.cpu !== machine.cpu) return `it is of another processor (${profile.machine.cpu})`;
  if (profile.machine.arch !== machine.arch) return `it is of another architecture (${profile.machine.arch})`;
  const major = ({ node }: Machine): string => node.split('.')[0] ?? '';
  if (major(profile.machine) !== major(machine)) return `it is of another Node.js (${profile.machine.node})`;
  return isOtherRuntime(profile) ? 'the runtime has changed since' : null;
}

const isOtherRuntime = ({ backend, runtime }: Profile): boolean =>
  backend === 'builtin' && runtime !== __DSC_AUDIT_RUNTIME__;

/** The terms of a cost model keep their meaning while its version stays: it is used, though its costs may be out of date. */
function otherRuntime(profile: Profile, severity: 'info' | 'warning'): readonly Diagnostic[] {
  if (!isOtherRuntime(profile)) return [];
  return [
    diagnostic('profile-of-other-runtime', severity, null, {
      id: profile.id,
      calibratedAt: profile.calibratedAt.slice(0, 10),
    }),
  ];
}

async function reference(before: readonly Diagnostic[]): Promise<ChosenProfile> {
  const profile = await referenceProfile();
  const told = diagnostic('reference-profile', 'info', null, { machine: machineText(profile.machine) });
  return { profile, source: 'reference', diagnostics: [...before, told] };
}
