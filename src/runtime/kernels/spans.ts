import type { FunctionBody } from '../wasm/function-body.ts';
import type { I32 } from '../wasm/values.ts';
import { PIXEL_BYTES } from './kernel.ts';

/** Visits pixels `first` up to `end` of an image in runs that lie side by side: offset of each run, and its pixels. */
export function overSpans(
  body: FunctionBody,
  { width, outputRow, outputPixel }: Readonly<Record<'width' | 'outputRow' | 'outputPixel', I32>>,
  first: I32,
  end: I32,
  visit: (offset: I32, pixels: I32) => void,
): void {
  const pixel = body.i32(first);
  const run = body.i32();
  body.whileTrue(pixel.lt(end), () => {
    const x = body.i32(pixel.rem(width));
    const untilRowEnd = width.sub(x).min(end.sub(pixel));
    body.set(run, outputPixel.eq(PIXEL_BYTES).select(untilRowEnd, 1));
    visit(pixel.div(width).mul(outputRow).add(x.mul(outputPixel)), run);
    body.increase(pixel, run);
  });
}
