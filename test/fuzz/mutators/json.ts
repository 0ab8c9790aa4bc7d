import type { Chance } from '../chance.ts';
import { mutateBytes } from './bytes.ts';

/** Values that no author of the file has thought of. */
const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  2,
  0.5,
  -0.5,
  1e-308,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  1e21,
  '',
  ' ',
  '0',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  '\0',
  '\u001b[2J',
  '../..',
  'a/b',
  '**',
  '/**',
  '[',
  '(',
  '1e999',
  'x'.repeat(5000),
  [],
  {},
  [[]],
  [null],
  [0],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1e9, 1e9, 1e9],
  { a: 1 },
  { class_name: 'Dense', config: {} },
];

type Holder = unknown[] | Record<string, unknown>;

interface Place {
  readonly holder: Holder;
  readonly key: string | number;
}

/** Every place of a value within another. */
function placesIn(root: unknown): readonly Place[] {
  const places: Place[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) {
      value.forEach((item, key) => {
        places.push({ holder: value, key });
        walk(item);
      });
    } else if (isRecord(value)) {
      for (const key of Object.keys(value)) {
        places.push({ holder: value, key });
        walk(value[key]);
      }
    }
  };
  walk(root);
  return places;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = ({ holder, key }: Place): unknown => (Array.isArray(holder) ? holder[Number(key)] : holder[key]);

function put({ holder, key }: Place, value: unknown): void {
  // A key such as `__proto__` is to become a key of the text.
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

type Mutation = (place: Place, other: Place, chance: Chance) => void;

const copied = (value: unknown): unknown => (value === undefined ? null : structuredClone(value));

/** Damage that leaves JSON behind. */
const MUTATIONS: readonly Mutation[] = [
  (place, _, chance) => put(place, copied(chance.pick(ODD))),
  (place, _, chance) => put(place, copied(chance.pick(ODD))),
  (place, other) => put(place, copied(at(other))),
  (place, other) => {
    const value = at(place);
    put(place, copied(at(other)));
    put(other, value);
  },
  ({ holder, key }) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  (place, other, chance) => {
    if (Array.isArray(place.holder)) place.holder.splice(Number(place.key), 0, copied(at(other)));
    else put({ holder: place.holder, key: String(chance.pick([other.key, '__proto__', 'extra'])) }, copied(at(place)));
  },
  (place, _, chance) => {
    const value = at(place);
    if (typeof value === 'number')
      put(place, chance.pick([value + 1, value - 1, -value, value * 2, value / 2, value * 1e6, 0]));
    else if (typeof value === 'string')
      put(place, chance.pick([`${value}x`, value.slice(1), value.toUpperCase(), `${value}/${value}`, '']));
  },
  (place, _, chance) => {
    const value = at(place);
    if (Array.isArray(value))
      for (let count = 1 + chance.below(20); count > 0 && value.length > 0; count--) value.push(copied(value[0]));
  },
  (place, _, chance) => {
    for (let depth = 1 + chance.below(8); depth > 0; depth--)
      put(place, chance.oneIn(2) ? [at(place)] : { config: at(place) });
  },
];

/** Larger than any fixture: mutations that double must come to an end. */
const MAX_BYTES = 400_000;

/** JSON with a few of its values changed; now and then its text. */
export function mutateJson(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(12)) return mutateBytes(bytes, chance);
  const root: { all: unknown } = { all: JSON.parse(Buffer.from(bytes).toString('utf8')) };
  for (let left = 1 + chance.below(4); left > 0; left--) {
    const places = placesIn(root);
    if (places.length === 0) break;
    const deep = chance.pick(places);
    const other = chance.pick(places);
    // What is swapped with what holds it would hold itself.
    if (!holds(at(deep), other) && !holds(at(other), deep)) chance.pick(MUTATIONS)(deep, other, chance);
  }
  const text = Buffer.from(JSON.stringify(root.all) ?? 'null');
  return new Uint8Array(text.subarray(0, MAX_BYTES));
}

const holds = (value: unknown, { holder }: Place): boolean =>
  value === holder ||
  (typeof value === 'object' &&
    value !== null &&
    Object.values(value).some((inner) => holds(inner, { holder, key: '' })));
