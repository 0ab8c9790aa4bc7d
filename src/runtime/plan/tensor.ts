/** How tensors lie in memory. */
import { BLOCK, PIXEL_BYTES } from '../kernels/kernel.ts';
import { at, type Place, type ProgramBuilder } from './program.ts';

/** Zeroes around each plane, in pixels. */
export interface Halo {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const NO_HALO: Halo = { top: 0, left: 0, bottom: 0, right: 0 };

/** Extents of a tensor in blocks of 8 channels: items (the batch), channels, height, width. */
export interface Extents {
  readonly items: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** [item][block of channels][row][pixel][8], lanes without a channel finite. */
export interface Blocked extends Extents {
  readonly kind: 'blocked';
  /** The first plane, halo included. */
  readonly place: Place;
  readonly halo: Halo;
}

/** Row-major, without gaps. */
export interface Plain {
  readonly kind: 'plain';
  readonly place: Place;
  readonly shape: readonly number[];
}

export const blocksOf = (channels: number): number => Math.ceil(channels / BLOCK);

export const rowBytes = ({ width, halo }: Blocked): number => (halo.left + width + halo.right) * PIXEL_BYTES;

export const planeBytes = (tensor: Blocked): number =>
  (tensor.halo.top + tensor.height + tensor.halo.bottom) * rowBytes(tensor);

export const itemBytes = (tensor: Blocked): number => planeBytes(tensor) * blocksOf(tensor.channels);

export const planesOf = ({ items, channels }: Extents): number => items * blocksOf(channels);

/** The address of a pixel of the first plane; coordinates may reach into the halo. */
export const pixelPlace = (tensor: Blocked, y: number, x: number, item = 0): Place =>
  at(
    tensor.place,
    item * itemBytes(tensor) + (tensor.halo.top + y) * rowBytes(tensor) + (tensor.halo.left + x) * PIXEL_BYTES,
  );

export const isTight = ({ halo }: Blocked): boolean => Object.values(halo).every((extent) => extent === 0);

export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

export const joinHalos = (a: Halo, b: Halo): Halo => ({
  top: Math.max(a.top, b.top),
  left: Math.max(a.left, b.left),
  bottom: Math.max(a.bottom, b.bottom),
  right: Math.max(a.right, b.right),
});

/** A new tensor; steps that zero its halo come with it. */
export function newBlocked(builder: ProgramBuilder, extents: Extents, halo: Halo): Blocked {
  const { items, channels, height, width } = extents;
  const shape = { kind: 'blocked', items, channels, height, width, halo } as const;
  const bytes = items * itemBytes({ ...shape, place: { buffer: 0, offsetBytes: 0 } });
  const tensor: Blocked = { ...shape, place: builder.buffer(bytes) };
  if (!isTight(tensor)) {
    builder.stepBeside('fillHalo', planesOf(tensor), {
      output: tensor.place,
      plane: planeBytes(tensor),
      row: rowBytes(tensor),
      top: halo.top,
      height,
      bottom: halo.bottom,
      left: halo.left,
      width,
      right: halo.right,
    });
  }
  return tensor;
}

export function newPlain(builder: ProgramBuilder, shape: readonly number[]): Plain {
  return { kind: 'plain', place: builder.buffer(elementsOf(shape) * 4), shape };
}
