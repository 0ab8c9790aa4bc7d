/**
 * The values of a network as they lie in memory while its steps are planned: row-major, in blocks of channels, or both.
 * A form that a consumer asks for and that is not there is made by a copy, once.
 */
import { DscAuditError } from '../../ir/errors.ts';
import type { ValueId } from '../../ir/graph.ts';
import { BLOCK } from '../kernels/kernel.ts';
import { channelRange, planGather } from '../plan/channels.ts';
import type { PlanOptions } from '../plan/plan-options.ts';
import type { ProgramBuilder } from '../plan/program.ts';
import { type ChannelAxis, planPack, planUnpack } from '../plan/repacking.ts';
import {
  type Blocked,
  type Halo,
  isTight,
  joinHalos,
  NO_HALO,
  newBlocked,
  newPlain,
  type Plain,
} from '../plan/tensor.ts';
import { type AnalysedModel, shapeOf } from './analysed-model.ts';
import type { ConstantValues } from './constants.ts';
import { isPixel, slicedExtentsOf } from './layouts.ts';

/**
 * The channels of a tensor in blocks as axes of their own, in whatever order: between a reshape that takes channels apart
 * and one that joins them nothing moves.
 */
export interface SplitChannels {
  readonly tensor: Blocked;
  readonly axis: ChannelAxis;
  /** Axes that the channels were taken apart into. */
  readonly extents: readonly number[];
  /** Channel of the tensor for each channel in the order of those axes. */
  readonly order: readonly number[];
  /** The value row-major, for those who ask. */
  readonly toPlain: () => Plain;
}

interface Forms {
  plain?: Plain;
  split?: SplitChannels;
  blocked?: { readonly tensor: Blocked; readonly axis: ChannelAxis };
}

export class NetworkValues {
  readonly builder: ProgramBuilder;
  readonly constants: ConstantValues;
  readonly options: PlanOptions;
  private readonly source: AnalysedModel;
  /** Zeroes that consumers read around a value. */
  private readonly halos: ReadonlyMap<ValueId, Halo>;
  private readonly forms = new Map<ValueId, Forms>();

  constructor(
    source: AnalysedModel,
    constants: ConstantValues,
    halos: ReadonlyMap<ValueId, Halo>,
    builder: ProgramBuilder,
    options: PlanOptions,
  ) {
    this.source = source;
    this.constants = constants;
    this.halos = halos;
    this.builder = builder;
    this.options = options;
  }

  nameOf = (id: ValueId): string => this.source.model.values[id]?.name ?? '';

  shape = (id: ValueId): readonly number[] => shapeOf(this.source, id);

  haloOf = (id: ValueId): Halo => this.halos.get(id) ?? NO_HALO;

  /** Which axis of the value's form in blocks holds the channels; null where it has no such form. */
  blockedAxis = (id: ValueId): ChannelAxis | null => this.forms.get(id)?.blocked?.axis ?? null;

  setPlain(id: ValueId, tensor: Plain): void {
    this.formsOf(id).plain = tensor;
  }

  setSplit(id: ValueId, split: SplitChannels): void {
    this.formsOf(id).split = split;
  }

  /** The value as channels that are taken apart; null where it is not. */
  splitChannels = (id: ValueId): SplitChannels | null => this.forms.get(id)?.split ?? null;

  setBlocked(id: ValueId, tensor: Blocked, axis: ChannelAxis): void {
    this.formsOf(id).blocked = { tensor, axis };
  }

  /** A new row-major tensor that will hold the value. */
  newPlain(id: ValueId): Plain {
    const tensor = newPlain(this.builder, this.shape(id));
    this.setPlain(id, tensor);
    return tensor;
  }

  /** A new tensor in blocks that will hold the value, with the zeroes around it that its consumers need. */
  newBlocked(id: ValueId, axis: ChannelAxis): Blocked {
    const extents = slicedExtentsOf(this.shape(id), axis);
    if (extents === null) throw new DscAuditError('cannot-run', `'${this.nameOf(id)}' has too many axes to be run.`);
    const tensor = newBlocked(this.builder, extents, this.haloOf(id));
    this.setBlocked(id, tensor, axis);
    return tensor;
  }

  /** The value in row-major order. */
  plain(id: ValueId): Plain {
    const { plain, split, blocked } = this.formsOf(id);
    if (plain) return plain;
    if (split) {
      const tensor = split.toPlain();
      this.setPlain(id, tensor);
      return tensor;
    }
    const shape = this.shape(id);
    if (this.constants.isConstant(id)) {
      const constant = this.constants.weights(id);
      const tensor: Plain = { kind: 'plain', place: this.builder.constant(constant.length, () => constant), shape };
      this.setPlain(id, tensor);
      return tensor;
    }
    if (!blocked) throw new Error(`'${this.nameOf(id)}' is read before it is computed.`);
    const { tensor, axis } = blocked;
    if (isInOrder(shape, axis) && isPixel(tensor) && isTight(tensor) && tensor.channels % BLOCK === 0) {
      const alias: Plain = { kind: 'plain', place: tensor.place, shape };
      this.setPlain(id, alias);
      return alias;
    }
    const target = this.newPlain(id);
    planUnpack(this.builder, tensor, target, axis);
    return target;
  }

  /** The value in blocks of channels, with at least the zeroes around it that its consumers need. */
  blocked(id: ValueId, axis: ChannelAxis): Blocked {
    const known = this.formsOf(id).blocked;
    const isRight = known && (known.axis === axis || isVector(this.shape(id)));
    if (known && isRight && covers(known.tensor.halo, this.haloOf(id))) return known.tensor;
    if (known && isRight) {
      const wider = this.newBlocked(id, axis);
      planGather(this.builder, known.tensor, wider, 0, channelRange(0, wider.channels));
      return wider;
    }
    const source = this.plain(id);
    const extents = slicedExtentsOf(this.shape(id), axis);
    const isAlike = isInOrder(source.shape, axis) && extents && isPixel(extents) && extents.channels % BLOCK === 0;
    if (isAlike && covers(NO_HALO, this.haloOf(id))) {
      const alias: Blocked = { kind: 'blocked', place: source.place, halo: NO_HALO, ...extents };
      this.setBlocked(id, alias, axis);
      return alias;
    }
    const target = this.newBlocked(id, axis);
    planPack(this.builder, source, target, axis);
    return target;
  }

  private formsOf(id: ValueId): Forms {
    const forms = this.forms.get(id) ?? {};
    this.forms.set(id, forms);
    return forms;
  }
}

/** Channels in front of several slices are apart in row-major order. */
const isInOrder = (shape: readonly number[], axis: ChannelAxis): boolean =>
  axis === 'last' || shape.length < 5 || shape[2] === 1;

const isVector = (shape: readonly number[]): boolean => shape.length === 2;

function covers(halo: Halo, needed: Halo): boolean {
  const joined = joinHalos(halo, needed);
  return (
    joined.top === halo.top && joined.left === halo.left && joined.bottom === halo.bottom && joined.right === halo.right
  );
}
