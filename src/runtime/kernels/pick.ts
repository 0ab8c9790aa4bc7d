import type { I32 } from '../wasm/values.ts';
import { defineKernel } from './kernel.ts';

/**
 * Runs of elements of a row-major tensor, picked by index along its middle one of three axes: what gathering is. Indices
 * are floats; those below 0 count from the end, and those beyond take the nearest. A unit is one run of the output.
 */
export const pick = defineKernel(
  {
    input: 'i32',
    output: 'i32',
    indices: 'i32',
    /** Indices along the axis, and extents of the input there and behind. */
    count: 'i32',
    extent: 'i32',
    inner: 'i32',
    /** Bytes from index to index along the three axes; `indexInner` 0 where a whole run has one index. */
    indexOuter: 'i32',
    indexStep: 'i32',
    indexInner: 'i32',
  },
  ({ body, begin, end, args }) => {
    const index = body.i32();
    const readIndex = (address: I32): void => {
      body.set(index, address.loadF32().truncate());
      body.set(index, index.lt(0).select(index.add(args.extent), index));
      body.set(index, index.max(0).min(args.extent.sub(1)));
    };
    body.loop(begin, end, 1, (unit) => {
      const outer = body.i32(unit.div(args.count));
      const along = unit.rem(args.count);
      const from = body.i32(args.input.add(outer.mul(args.extent).mul(args.inner).shl(2)));
      const indices = body.i32(args.indices.add(outer.mul(args.indexOuter)).add(along.mul(args.indexStep)));
      const target = body.i32(args.output.add(unit.mul(args.inner).shl(2)));
      const targetEnd = body.i32(target.add(args.inner.shl(2)));
      body.if(
        args.indexInner.isZero(),
        () => {
          readIndex(indices);
          const source = body.i32(from.add(index.mul(args.inner).shl(2)));
          const vectorEnd = body.i32(targetEnd.sub(12));
          body.whileTrue(target.lt(vectorEnd), () => {
            body.storeVector(target, source.loadVector());
            body.increase(source, 16);
            body.increase(target, 16);
          });
          body.whileTrue(target.lt(targetEnd), () => {
            body.storeF32(target, source.loadF32());
            body.increase(source, 4);
            body.increase(target, 4);
          });
        },
        () =>
          body.whileTrue(target.lt(targetEnd), () => {
            readIndex(indices);
            body.storeF32(target, from.add(index.mul(args.inner).shl(2)).loadF32());
            body.increase(from, 4);
            body.increase(indices, args.indexInner);
            body.increase(target, 4);
          }),
      );
    });
  },
);
