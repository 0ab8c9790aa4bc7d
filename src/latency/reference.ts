import { type Profile, parseProfile } from './profile.ts';

/** The profile that comes with the package. */
export async function referenceProfile(): Promise<Profile> {
  const { default: reference } = await import('./reference-profile.json', { with: { type: 'json' } });
  return parseProfile(JSON.stringify(reference), 'the reference profile');
}
