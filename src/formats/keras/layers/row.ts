import type { ValueId } from '../../../ir/graph.ts';
import type { LayerCall } from '../layer-call.ts';

/** How one call of a layer becomes operators of the graph's own; its result, or several. */
export type LayerRow = (call: LayerCall) => ValueId | readonly ValueId[];

/** The layers of a family by class name. */
export type LayerRows = Readonly<Record<string, LayerRow>>;
