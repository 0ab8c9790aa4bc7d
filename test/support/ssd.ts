import type { ModelSpec, NodeSpec, TensorSpec } from './onnx-bytes.ts';

/** Classes of COCO and the background, and corners of a box. */
const CLASSES = 81;
const CORNERS = 4;

/** Boxes at each position of a map: three on the first, six on the others. */
const FIRST_BOXES = 3;
const BOXES = 6;

/**
 * SSD's layers on MobileNetV2 at 320 pixels, as section 6.2 of 1801.04381 attaches them: the first map is the expansion of
 * layer 15 (576 channels, stride 16), the second the last layer (1280, stride 32). Four more maps follow by pointwise
 * convolutions and strided 3×3 ones; each map has a 3×3 convolution for classes and one for boxes. Biases and BatchNorm
 * are left out, as in the paper.
 */
export function ssdPredictionLayers(): ModelSpec {
  const nodes: NodeSpec[] = [];
  const initializers: Record<string, TensorSpec> = {};
  const conv = (x: string, from: number, to: number, kernel: number, stride = 1): string => {
    const name = `conv_${nodes.length}`;
    const pad = (kernel - 1) / 2;
    initializers[`${name}_weight`] = { dims: [to, from, kernel, kernel], external: { location: 'weights.bin' } };
    nodes.push({
      op: 'Conv',
      name,
      inputs: [x, `${name}_weight`],
      outputs: [name],
      attributes: { strides: [stride, stride], pads: [pad, pad, pad, pad] },
    });
    return name;
  };
  const relu = (x: string): string => {
    nodes.push({ op: 'Relu', name: `relu_${nodes.length}`, inputs: [x], outputs: [`${x}_relu`] });
    return `${x}_relu`;
  };
  const maps: { readonly value: string; readonly channels: number }[] = [
    { value: 'layer15', channels: 576 },
    { value: 'last', channels: 1280 },
  ];
  for (const channels of [512, 256, 256, 128]) {
    const before = maps.at(-1) ?? { value: 'last', channels: 1280 };
    const reduced = relu(conv(before.value, before.channels, channels / 2, 1));
    maps.push({ value: relu(conv(reduced, channels / 2, channels, 3, 2)), channels });
  }
  const outputs = maps.flatMap(({ value, channels }, at) => {
    const boxes = at === 0 ? FIRST_BOXES : BOXES;
    return [conv(value, channels, boxes * CLASSES, 3), conv(value, channels, boxes * CORNERS, 3)];
  });
  return { inputs: { layer15: [1, 576, 20, 20], last: [1, 1280, 10, 10] }, initializers, nodes, outputs };
}
