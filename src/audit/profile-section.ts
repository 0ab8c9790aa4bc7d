/** What reports say of a profile. */
import type { ChosenProfile } from '../latency/choose-profile.ts';
import { machineText } from '../latency/machine.ts';
import type { ThreadFit } from '../latency/profile.ts';
import type { ProfileSection } from './report.ts';

/** The profile with the fit for one of its numbers of threads. */
export function profileSection({ profile, source }: ChosenProfile, fit: ThreadFit): ProfileSection {
  const { id, backend, variant, machine, calibratedAt } = profile;
  const { medianPercent, within10Percent, heldOut } = fit.error;
  return {
    id,
    backend,
    variant,
    source,
    threads: fit.threads,
    machine: machineText(machine),
    calibratedAt,
    roofline: fit.roofline,
    error: { medianPercent, within10Percent, heldOut },
  };
}
