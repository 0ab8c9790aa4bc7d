import { InvalidArgumentError } from 'commander';
import { type LimitName, limitNamed, parseRaised } from '../formats/raisable-limits.ts';
import { DscAuditError } from '../ir/errors.ts';

/** Adds `NAME=VALUE` to what was given before. */
export function collectDim(text: string, before: ReadonlyMap<string, number> = new Map()): ReadonlyMap<string, number> {
  const at = text.lastIndexOf('=');
  const name = text.slice(0, at);
  if (at < 1) throw new InvalidArgumentError(`Write it as NAME=VALUE, for example height=224.`);
  const value = positive(text.slice(at + 1));
  if (value === null) throw new InvalidArgumentError(`'${text.slice(at + 1)}' is no extent; write a whole number.`);
  return new Map(before).set(name, value);
}

/** Adds `INPUT=1x3x224x224`, or `1x3x224x224` for the only input. */
export function collectShape(
  text: string,
  before: ReadonlyMap<string, readonly number[]> = new Map(),
): ReadonlyMap<string, readonly number[]> {
  const at = text.lastIndexOf('=');
  const spelt = text.slice(at + 1);
  const extents = spelt === '' ? [] : spelt.split(/[x×,]/i).map(positive);
  const shape = extents.filter((extent) => extent !== null);
  if (shape.length !== extents.length) {
    throw new InvalidArgumentError(`'${spelt}' is no shape; write it as 1x3x224x224.`);
  }
  return new Map(before).set(at < 0 ? '' : text.slice(0, at), shape);
}

/** Adds `NAME=VALUE` of a limit. */
export function collectLimit(
  text: string,
  before: ReadonlyMap<LimitName, number> = new Map(),
): ReadonlyMap<LimitName, number> {
  return asArgument(() => {
    const at = text.indexOf('=');
    if (at < 1) throw new InvalidArgumentError('Write it as NAME=VALUE, for example messages=8M.');
    const name = limitNamed(text.slice(0, at));
    return new Map(before).set(name, parseRaised(name, text.slice(at + 1)));
  });
}

/** What is said of a value, as commander says it. */
export function asArgument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DscAuditError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

export function collectText(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

export function wholeNumber(text: string): number {
  const value = positive(text);
  if (value === null) throw new InvalidArgumentError(`'${text}' is no whole number above 0.`);
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError(`'${text}' is no number above 0.`);
  }
  return value;
}

function positive(text: string): number | null {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0 ? value : null;
}
