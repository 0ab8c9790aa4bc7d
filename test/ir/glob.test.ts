import { describe, expect, it } from 'vitest';
import { checkGlobs, globFault } from '../../src/ir/glob.ts';
import { auditSpec } from '../support/models.ts';

const wild = '*a*a*a*a*a*a*a*a*a*a*a*ab';

describe('globs', () => {
  it.each(['layer1', '**/conv2', '*.conv2', 'block?/*_conv*', '**/a/**/b'])('are matched: %s', (pattern) => {
    expect(globFault(pattern)).toBeNull();
  });

  it.each([wild, '**/a/**/b/**/c/**/d/**/e', 'a'.repeat(2000), '+(a|aa)', '(a|b)'])(
    'that take long are refused: %s',
    (pattern) => {
      expect(() => checkGlobs([pattern])).toThrow(/^The pattern '.{1,100}' has /);
    },
  );

  it('are refused before any layer is looked at', () => {
    const spec = {
      inputs: { x: [1, 3, 8, 8] },
      initializers: { w: { dims: [4, 3, 3, 3] } },
      nodes: [{ op: 'Conv', inputs: ['x', 'w'], outputs: ['y'], name: 'a'.repeat(60) }],
      outputs: ['y'],
    };
    expect(() => auditSpec(spec, { exclude: [wild] })).toThrow(/more than 3 \*/);
  });
});
