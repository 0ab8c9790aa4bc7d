import type { Constant } from '../../ir/graph.ts';
import { type ByteSource, bytesSource } from '../byte-source.ts';
import { modelBytes } from '../model-source.ts';
import { ExternalFiles } from './external-data.ts';
import { PagedReader } from './paged-reader.ts';
import { readTensor } from './tensor.ts';
import { decodeTensor } from './tensor-proto.ts';

/** Reads a file that holds one TensorProto, as the test data of ONNX models comes. Throws `malformed-model`. */
export function readTensorFile(path: string, bytes: Uint8Array): Constant {
  const file: ByteSource = bytesSource([bytes]);
  const tensor = decodeTensor(new PagedReader(file));
  return readTensor(tensor, 'inline', { file, externals: new ExternalFiles(modelBytes(path, [bytes])) });
}
