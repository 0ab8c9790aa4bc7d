import type { ConvUnit } from './element.ts';

/** The roles that a convolution can have in a block. */
export type ConvRole = 'depthwise' | 'grouped' | 'pointwise' | 'standard' | 'transposed';

function roleOf({ conv }: ConvUnit): ConvRole {
  switch (conv.kind) {
    case 'pointwise-conv':
      return 'pointwise';
    case 'depthwise-conv':
      return 'depthwise';
    case 'grouped-conv':
      return 'grouped';
    case 'conv-transpose':
      return 'transposed';
    default:
      return 'standard';
  }
}

const isRole =
  (...roles: readonly ConvRole[]) =>
  (unit: ConvUnit | undefined): unit is ConvUnit =>
    unit !== undefined && roles.includes(roleOf(unit));

export const isPointwise = isRole('pointwise');
export const isDepthwise = isRole('depthwise');
export const isSpatial = isRole('standard', 'grouped');

/** A shape that a body of convolutions has: what it is called, and its width inside over that of its input. */
export interface BodyShape {
  readonly kind: 'basic-residual' | 'bottleneck' | 'fused-inverted-residual' | 'inverted-residual';
  readonly expansion: number | null;
}

type Body = readonly ConvUnit[];

/** In order of precedence. `shortcut`: something leads around the body. */
const SHAPES: readonly ((body: Body, shortcut: boolean) => BodyShape | null)[] = [
  invertedResidual,
  unexpandedInvertedResidual,
  fusedInvertedResidual,
  bottleneck,
  basicResidual,
];

export function bodyShape(body: Body, shortcut: boolean): BodyShape | null {
  for (const shape of SHAPES) {
    const found = shape(body, shortcut);
    if (found !== null) return found;
  }
  return null;
}

/** Expand, depthwise, project (1801.04381): wider inside than outside. Without a shortcut, the linear end tells it. */
function invertedResidual(body: Body, shortcut: boolean): BodyShape | null {
  const [expand, depthwise, project] = body;
  if (body.length !== 3 || !isPointwise(expand) || !isDepthwise(depthwise) || !isPointwise(project)) return null;
  const expansion = expand.conv.outChannels / expand.conv.inChannels;
  if (expansion <= 1 || depthwise.conv.outChannels !== expand.conv.outChannels) return null;
  if (project.conv.outChannels >= project.conv.inChannels || (!shortcut && project.activated)) return null;
  return { kind: 'inverted-residual', expansion };
}

/** The same with expansion 1: nothing to expand, and a linear bottleneck behind an activated depthwise half. */
function unexpandedInvertedResidual(body: Body): BodyShape | null {
  const [depthwise, project] = body;
  if (body.length !== 2 || !isDepthwise(depthwise) || !isPointwise(project)) return null;
  if (!depthwise.activated || project.activated) return null;
  return { kind: 'inverted-residual', expansion: 1 };
}

/** Expansion and depthwise half in one standard convolution (EfficientNetV2, 2104.00298). */
function fusedInvertedResidual(body: Body): BodyShape | null {
  const [expand, project] = body;
  if (body.length !== 2 || !isSpatial(expand) || !isPointwise(project) || project.activated) return null;
  const expansion = expand.conv.outChannels / expand.conv.inChannels;
  return expansion > 1 && expand.activated ? { kind: 'fused-inverted-residual', expansion } : null;
}

/** Reduce, convolve, restore (1512.03385); with groups inside, ResNeXt's and RegNet's. */
function bottleneck(body: Body, shortcut: boolean): BodyShape | null {
  const [reduce, ...rest] = body;
  const restore = rest.pop();
  if (!shortcut || !isPointwise(reduce) || !isPointwise(restore) || rest.length === 0 || !rest.every(isSpatial))
    return null;
  if (reduce.conv.outChannels > restore.conv.outChannels) return null;
  return { kind: 'bottleneck', expansion: reduce.conv.outChannels / restore.conv.outChannels };
}

function basicResidual(body: Body, shortcut: boolean): BodyShape | null {
  return shortcut && body.length >= 2 && body.every(isSpatial) ? { kind: 'basic-residual', expansion: null } : null;
}
