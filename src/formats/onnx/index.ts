import type { Format } from '../format.ts';
import { readOnnx } from './read.ts';

/** Field numbers of ModelProto are below 32, and its fields are varints or length-delimited (onnx.proto). */
const LARGEST_FIELD = 31;
const VARINT = 0;
const LENGTH_DELIMITED = 2;

export const onnxFormat: Format = {
  name: 'onnx',
  recognises(head) {
    const [first = 0, second = 0] = head;
    const tag = first < 0x80 ? first : (first & 0x7f) | ((second & 0x7f) << 7);
    const [field, wireType] = [tag >>> 3, tag & 7];
    return field >= 1 && field <= LARGEST_FIELD && (wireType === VARINT || wireType === LENGTH_DELIMITED);
  },
  read: readOnnx,
};
