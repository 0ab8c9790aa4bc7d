import { defineKernel } from './kernel.ts';

/** Words of one call: kernel slot, begin, end, address of its arguments, number of words, and which are relative. */
export const CALL_WORDS = 6;

/** Room for a call's own copy of its arguments at the start of a thread's memory. */
export const ARGUMENT_ROOM_BYTES = 256;

/**
 * Runs several kernels one after another on the thread's own memory, so that what one hands to the next never leaves the
 * second-level cache. A unit is one block of the layer: `calls` calls. Arguments whose bit is set in the call's mask are
 * offsets into the thread's own memory.
 */
export const sequence = defineKernel({ table: 'i32', calls: 'i32' }, ({ body, begin, end, args, shared }) => {
  const call = body.i32(args.table.add(begin.mul(args.calls).mul(CALL_WORDS * 4)));
  const last = body.i32(args.table.add(end.mul(args.calls).mul(CALL_WORDS * 4)));
  body.whileTrue(call.lt(last), () => {
    const source = body.i32(call.loadI32(12));
    const bytes = body.i32(call.loadI32(16).shl(2));
    const relative = body.i32(call.loadI32(20));
    const room = body.i32(body.global(shared.scratchGlobal));
    body.loop(0, bytes, 4, (at) => {
      const base = relative.and(1).select(room, 0);
      body.storeI32(room.add(at), source.add(at).loadI32().add(base));
      body.set(relative, relative.shr(1));
    });
    body.callIndirect(call.loadI32(), shared.kernelType, call.loadI32(4), call.loadI32(8), room);
    body.increase(call, CALL_WORDS * 4);
  });
});
