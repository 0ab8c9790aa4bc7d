import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { CONFIGURATION, checkConfiguration } from '../../src/gate/configuration.ts';

const FILE = join(import.meta.dirname, '../../schema/config.schema.json');

/** `npm run golden` writes it anew. */
const REWRITE = process.env.REWRITE_GOLDEN === '1';

const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $id: 'dsc-audit/config.schema.json',
  title: 'dsc-audit configuration',
  description: 'dsc-audit.config.json, .dsc-audit.json, or the key "dsc-audit" of package.json.',
  ...toJsonSchema(CONFIGURATION, { typeMode: 'input', ignoreActions: ['raw_transform'] }),
};

describe('schema/config.schema.json', () => {
  it('is what the configuration is checked with', () => {
    if (REWRITE) writeFileSync(FILE, `${JSON.stringify(schema, null, 2)}\n`);
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(schema);
  });

  const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')));
  const isTaken = (content: unknown): boolean => {
    try {
      checkConfiguration(content, 'test');
      return true;
    } catch {
      return false;
    }
  };

  it.each([
    {
      $schema: './x.json',
      models: [{ path: 'a.onnx', budgets: { params: '5M', macs: { max: '1G', severity: 'warn' } } }],
    },
    { budgets: { params: 5_000_000 }, severity: 'off', dims: { N: 1 }, shapes: [1, 3, 8, 8], include: ['a/**'] },
    { models: [{ path: ['a/*.onnx', '!a/b.onnx'], shapes: { image: [1, 3, 8, 8] }, 'max-increase': { macs: '2%' } }] },
  ])('takes what the command takes: %j', (content) => {
    expect(validate(content) ? [] : validate.errors).toEqual([]);
    expect(isTaken(content)).toBe(true);
  });

  it.each([
    { modles: [] },
    { models: [{ budgets: {} }] },
    { models: [{ path: '' }] },
    { budgets: { mac: '5M' } },
    { budgets: { macs: null } },
    { budgets: { macs: { max: '5M', sevrity: 'warn' } } },
    { severity: 'warning' },
    { dims: { N: 0 } },
    { shapes: [1.5] },
  ])('refuses what the command refuses: %j', (content) => {
    expect(validate(content)).toBe(false);
    expect(isTaken(content)).toBe(false);
  });
});
