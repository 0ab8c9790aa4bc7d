import type { DType } from './dtype.ts';
import type { Shape } from './fact.ts';
import type { OpAttrs, OpKind } from './operators.ts';

/** The index of a value in `Model.values`. */
export type ValueId = number;

/** A tensor's stored elements, read only when somebody asks. */
export interface TensorData {
  /** Bytes that the payload takes where it is stored. */
  readonly byteLength: number;
  /** The elements, row-major, little-endian, 4-bit types packed. Null where the bytes are not there. */
  read(): Uint8Array | null;
}

/** A tensor that the file itself holds. */
export interface Constant {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly origin: ConstantOrigin;
  readonly data: TensorData;
}

/**
 * Where a constant comes from, and with it whether it counts as a parameter:
 * - `initializer`, `inline`: the file does not say. Exporters spell learned weights as initializers; inline constants
 *   were written into the graph as operators. The part that it plays decides;
 * - `trainable`, `non-trainable`: a weight, by the file's own word;
 * - `literal`: a number of the lowering's own, never a parameter.
 */
export type ConstantOrigin = 'initializer' | 'inline' | 'trainable' | 'non-trainable' | 'literal';

/** A value of the graph: an input, a constant, or what a node computes. */
export interface Value {
  readonly name: string;
  readonly constant: Constant | null;
  /** The type that the file declares for it, where it does. */
  readonly declared: Declared | null;
}

/** A declared type; of a list's items where `isSequence`. */
export interface Declared {
  readonly dtype: DType | null;
  readonly shape: Shape | null;
  readonly isSequence: boolean;
}

/** One operator of the graph, in the graph's own spelling: every default settled, whatever format it came from. */
export type Node<K extends OpKind = OpKind> = {
  [P in K]: {
    readonly kind: P;
    readonly attrs: OpAttrs[P];
    /** As the file spells the operator: `Conv`, `com.microsoft::FusedConv`. */
    readonly op: string;
    /** The node's name, or its first output's where it has none. */
    readonly name: string;
    /** Local functions and modules around the node that its name does not tell, outermost first. */
    readonly scope: readonly string[];
    /** Null for an optional input that is left out. */
    readonly inputs: readonly (ValueId | null)[];
    readonly outputs: readonly (ValueId | null)[];
    /** The layer of the file that it is a part of; left out where the file's layers are the graph's nodes. */
    readonly layer?: FileLayer;
  };
}[K];

/**
 * A layer of the file that became several nodes, or is called several times: the nodes that carry the same object are
 * one layer of the report.
 */
export interface FileLayer {
  /** How often the model calls it. */
  readonly calls: number;
  /** All weights that it holds, whether a node reads them or not. */
  readonly weights: readonly ValueId[];
  /** What it hands out, over all calls. */
  readonly outputs: readonly ValueId[];
}

/** A graph, or the body of an If, a Loop or a Scan: those see the values of the graphs around them. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly nodes: readonly Node[];
  /** Constants that this graph itself holds, used or not. */
  readonly constants: readonly ValueId[];
}

/** What a format's reader hands over: the graph and what the file says of itself. */
export interface Model {
  readonly name: string;
  readonly format: 'onnx' | 'keras';
  readonly producer: string | null;
  readonly opsets: Readonly<Record<string, number>>;
  /** The file and its external data; null where a part of that is not there. */
  readonly fileBytes: number | null;
  readonly values: readonly Value[];
  readonly graph: Graph;
}
