import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { FORMAT_NAMES, FORMATS } from '../../src/report/formats.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderTable } from '../../src/report/table.ts';
import { documentOf } from '../support/documents.ts';
import { auditFixture } from '../support/models.ts';

/** `npm run golden` writes the files anew; look at the difference before it is committed. */
const REWRITE = process.env.REWRITE_GOLDEN === '1';

const style = new Chalk({ level: 0 });

/** A report without what differs between machines and releases. */
const audited = (path: string) => {
  const report = auditFixture(path);
  return { ...report, tool: { ...report.tool, version: '0.0.0' }, model: { ...report.model, path } };
};

function expectGolden(name: string, text: string): void {
  const path = join(import.meta.dirname, '../golden', name);
  if (REWRITE) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(existsSync(path), `${name} is missing: run npm run golden`).toBe(true);
  expect(text).toBe(readFileSync(path, 'utf8'));
}

describe.each([
  ['digits_cnn', 'onnx/digits_cnn.onnx'],
  ['resnet18', 'onnx/resnet18.onnx'],
  ['if_conv', 'edge/if_conv.onnx'],
  ['custom_op_unknown', 'edge/custom_op_unknown.onnx'],
  ['qdq_conv_depthwise', 'edge/qdq_conv_depthwise.onnx'],
])('%s', (name, path) => {
  it.each([80, 200])('as a table of %i columns', (width) => {
    const text = renderTable(audited(path), { width, models: 1, sort: 'order', grouping: 'layers', all: false, style });
    expectGolden(`${name}.${width}.txt`, text);
  });

  it('as JSON', () => expectGolden(`${name}.json`, renderJson(audited(path))));

  it.each(['markdown', 'html', 'csv', 'github'] as const)('as %s', async (format) => {
    const [ending = '.annotations'] = FORMATS[format].endings;
    expectGolden(`${name}${ending}`, await documentOf(format, [audited(path)]));
  });
});

describe('several models', () => {
  const paths = ['onnx/digits_cnn.onnx', 'edge/custom_op_unknown.onnx'];

  it.each(FORMAT_NAMES)('as %s', async (format) => {
    const [ending = '.annotations'] = FORMATS[format].endings;
    expectGolden(`several${ending}`, await documentOf(format, paths.map(audited)));
  });
});
