import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { renderTable } from '../../src/report/table.ts';
import { auditSpec } from '../support/models.ts';
import { onnxBytes } from '../support/onnx-bytes.ts';
import { fakeTerminal } from '../support/terminal.ts';

const ESCAPE = String.fromCharCode(27);
const HOSTILE = `${ESCAPE}[2J${ESCAPE}]0;title${String.fromCharCode(7)}\n::error::forged\r\u202eevil\u0000`;

const spec = {
  name: HOSTILE,
  inputs: { [HOSTILE]: [1, 3, 8, 8] },
  initializers: { w: { dims: [4, 3, 3, 3] } },
  nodes: [
    { op: 'Conv', inputs: [HOSTILE, 'w'], outputs: ['a'], name: HOSTILE },
    { op: `Op${HOSTILE}`, domain: HOSTILE, inputs: ['a'], outputs: ['y'], name: `b${HOSTILE}` },
  ],
  outputs: ['y'],
};

/** Anything that a terminal would act upon, line ends aside. */
const CONTROL = /[^\P{C}\n]/u;

describe('names from the file', () => {
  it('do nothing in a terminal', () => {
    for (const width of [80, 200, null]) {
      for (const grouping of ['layers', 'blocks', { depth: 1 }] as const) {
        const style = new Chalk({ level: 0 });
        const text = renderTable(auditSpec(spec), { width, sort: 'order', grouping, all: true, style });
        expect(text).not.toMatch(CONTROL);
        expect(text).not.toMatch(/^::error/m);
      }
    }
  });

  it('do nothing in an error message either', async () => {
    const broken = { ...spec, initializers: {} };
    const terminal = fakeTerminal(['-'], { stdin: [onnxBytes(broken)] });
    expect(await main(terminal)).toBe(2);
    expect(terminal.err()).not.toMatch(CONTROL);
    expect(terminal.err().trim().split('\n')).toHaveLength(1);
  });

  it('survive in JSON as they are', () => {
    const report = JSON.parse(JSON.stringify(auditSpec(spec)));
    expect(report.layers[0].name).toBe(HOSTILE);
  });

  it('that every object answers to are names like others', () => {
    const report = auditSpec({
      inputs: { ['__proto__']: [1, 3, 8, 8], constructor: [1, 3, 8, 8] },
      nodes: [{ op: 'Add', inputs: ['constructor', 'constructor'], outputs: ['toString'], name: 'hasOwnProperty' }],
      outputs: ['toString'],
    });
    expect(report.model.outputs[0]).toMatchObject({ name: 'toString', shape: [1, 3, 8, 8] });
  });
});
