import { diagnostic } from '../../ir/diagnostic.ts';
import { DscAuditError } from '../../ir/errors.ts';
import type { ReadModel } from '../format.ts';
import type { ModelSource } from '../model-source.ts';
import { DEFAULT_LIMITS, type Limits } from '../raisable-limits.ts';
import { domainName, functionKey, GraphBuilder, opsetsOf } from './build-graph.ts';
import { channelBlockOf, isBlocked } from './channel-block.ts';
import { ExternalFiles } from './external-data.ts';
import { PagedReader } from './paged-reader.ts';
import { decodeModel, type FunctionProto } from './proto.ts';

/** Operator set 1 is meant where the IR version is too old to name one. */
const FIRST_IR_VERSION_WITH_OPSETS = 3;

/**
 * Reads an ONNX model: its graph, not its weights. Throws `not-a-model`, `malformed-model` or `limit-exceeded`.
 */
export function readOnnx(source: ModelSource, limits: Limits = DEFAULT_LIMITS): ReadModel {
  const reader = new PagedReader(source.bytes, limits);
  const proto = decodeModel(reader);
  const opsets = new Map(opsetsOf(proto.opsetImport));
  const graphProto = proto.graph;
  if (!graphProto) throw new DscAuditError('not-a-model', 'it holds no graph: this is not an ONNX model.');
  if (opsets.size === 0) {
    if (Number(proto.irVersion) >= FIRST_IR_VERSION_WITH_OPSETS || !Number(proto.irVersion)) {
      throw new DscAuditError('not-a-model', 'it imports no operator set: this is not an ONNX model.');
    }
    opsets.set('', 1);
  }
  const externals = new ExternalFiles(source);
  const functions = new Map<string, FunctionProto>();
  const localFunctions: readonly FunctionProto[] = proto.functions;
  for (const fn of localFunctions) {
    functions.set(functionKey(domainName(fn.domain), fn.name ?? '', fn.overload ?? ''), fn);
  }
  const builder = new GraphBuilder(functions, { file: source.bytes, externals }, reader.messageCount, limits);
  const graph = buildOrClose(() => builder.build(graphProto, opsets), externals);
  const externalBytes = externals.totalBytes;
  return {
    model: {
      name: graph.name,
      format: 'onnx',
      producer: [proto.producerName, proto.producerVersion].filter(Boolean).join(' ') || null,
      opsets: Object.fromEntries(opsets),
      fileBytes: externalBytes === null ? null : source.bytes.size + externalBytes,
      values: builder.values,
      graph,
    },
    diagnostics: [
      ...(graphProto.node?.some(isBlocked)
        ? [diagnostic('blocked-layout', 'info', null, { block: channelBlockOf(graphProto) })]
        : []),
      ...Array.from(externals.missing, ([file, tensors]) =>
        diagnostic('external-data-missing', 'warning', null, { file, tensors }),
      ),
    ],
    close() {
      source.bytes.close();
      externals.close();
    },
  };
}

/** Where the graph cannot be built, nobody else knows of the files that were opened for it. */
function buildOrClose<T>(build: () => T, externals: ExternalFiles): T {
  try {
    return build();
  } catch (error) {
    externals.close();
    throw error;
  }
}
