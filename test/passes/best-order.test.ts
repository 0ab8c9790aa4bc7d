import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestOrder } from '../../src/passes/best-order.ts';
import { peakBytes, type Task, type Workload } from '../../src/passes/workload.ts';
import { auditFixture, auditSpec } from '../support/models.ts';

/** Every order of the tasks in which each finds its inputs computed. */
function* orders(tasks: readonly Task[], made: ReadonlySet<number>, inputs: ReadonlySet<number>): Generator<Task[]> {
  if (tasks.length === 0) yield [];
  for (const task of tasks) {
    if (!task.reads.every((id) => made.has(id) || inputs.has(id))) continue;
    const rest = tasks.filter((other) => other !== task);
    for (const order of orders(rest, new Set([...made, ...task.writes]), inputs)) yield [task, ...order];
  }
}

/** Task i writes value i + 1 and reads some values before; what nobody reads is an output. */
const workloads = fc
  .array(
    fc.record({ reads: fc.array(fc.nat(100), { minLength: 1, maxLength: 2 }), bytes: fc.integer({ min: 1, max: 50 }) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((made): Workload => {
    const tasks = made.map(({ reads }, index) => ({
      reads: [...new Set(reads.map((read) => read % (index + 1)))],
      writes: [index + 1],
      extraBytes: 0,
    }));
    const read = new Set(tasks.flatMap(({ reads }) => reads));
    return {
      tasks,
      bytesOf: new Map([[0, 10], ...made.map(({ bytes }, index): [number, number] => [index + 1, bytes])]),
      inputs: [0],
      outputs: tasks.flatMap(({ writes }) => writes.filter((id) => !read.has(id))),
    };
  });

describe('the best order', () => {
  it('has the lowest peak of all orders of a small graph', () => {
    fc.assert(
      fc.property(workloads, (workload) => {
        const peaks = Array.from(orders(workload.tasks, new Set(), new Set([0])), (tasks) =>
          peakBytes({ ...workload, tasks }),
        );
        const found = bestOrder(workload);
        expect(found && peakBytes(found)).toBe(Math.min(...peaks));
      }),
      { numRuns: 200 },
    );
  });

  it('is found where the model keeps a wide tensor for too long', () => {
    const wide = { op: 'Tile', inputs: ['x', 'r'], outputs: ['wide'] };
    const chain = [
      { op: 'Relu', inputs: ['x'], outputs: ['a'] },
      { op: 'MatMul', inputs: ['a', 'w'], outputs: ['b'] },
    ];
    const { memory } = auditSpec(
      {
        inputs: { x: [1, 4] },
        initializers: { r: { dims: [2], dtype: 7, ints: [1, 100] }, w: { dims: [4, 400] } },
        nodes: [
          ...chain,
          wide,
          { op: 'ReduceSum', inputs: ['wide'], outputs: ['s'] },
          { op: 'Add', inputs: ['b', 's'], outputs: ['y'] },
        ],
        outputs: ['y'],
      },
      { memory: true },
    );
    expect(memory?.plans?.bestOrderBytes).toBeLessThan(memory?.plans?.modelOrderBytes ?? 0);
  });
});

describe('blocks in slices', () => {
  it('are what MobileNetV2 saves memory by', () => {
    const { memory, totals } = auditFixture('onnx/mobilenet_v2.onnx', { memory: true });
    expect(memory?.plans).toEqual({
      modelOrderBytes: totals.peakActivationBytes,
      bestOrderBytes: totals.peakActivationBytes,
      // 32 channels at 112 × 112, as the stem and the depthwise half behind it read and write them.
      slicedBlocksBytes: 2 * 4 * 32 * 112 * 112,
      slicedBlocks: 16,
    });
  });

  it('are told only where they are asked for', () => {
    expect(auditFixture('onnx/resnet18.onnx').memory?.plans).toBeNull();
    const { memory } = auditFixture('onnx/resnet18.onnx', { memory: true });
    expect(memory?.plans?.slicedBlocks).toBe(0);
  });
});
