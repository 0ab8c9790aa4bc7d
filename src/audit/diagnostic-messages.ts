import type { Diagnostic, DiagnosticArgs, DiagnosticCode } from '../ir/diagnostic.ts';
import { quantity } from '../ir/quantity-text.ts';
import type { ReportedDiagnostic } from './report.ts';

const count = (amount: number, one: string, many = `${one}s`): string => `${amount} ${amount === 1 ? one : many}`;

const milliseconds = (value: number): string => Number(value.toPrecision(2)).toString();

/** Names one by one, the first few. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** The sentence of each diagnostic: what it is, and where that helps, what to do. */
const MESSAGES: { readonly [C in DiagnosticCode]: (args: DiagnosticArgs[C]) => string } = {
  'no-budgets': ({ configuration, isNamed }) =>
    `${configuration} sets no budget for this model: ${isNamed ? 'neither at the top nor in the entry that counts' : 'no entry of its models names it'}.`,
  'batch-bound': ({ input, dimension }) =>
    `The batch of '${input}' (${dimension}) is open: figures are for a batch of 1. Bind it with --dim ${dimension}=8, say.`,
  'data-dependent': ({ dimension, op }) =>
    `${op} makes a size that depends on data, '${dimension}': figures behind it are unknown until --dim ${dimension}=… binds it.`,
  'unknown-operator': ({ op }) => `${op} is an unknown operator: its cost is not in the totals.`,
  'shape-unknown': ({ op, reason }) => `The result of ${op} has no known shape: ${reason}.`,
  'shape-contradicted': ({ tensor, declared, inferred }) =>
    `The file declares '${tensor}' as ${declared}, but it is ${inferred}: figures follow the latter.`,
  'external-data-missing': ({ file, tensors }) =>
    `${file} is not there: ${count(tensors, 'tensor')} counted by shape, without values, and the file size is unknown.`,
  'blocked-layout': ({ block }) =>
    `onnxruntime laid this file out for one machine: channels fill up blocks of ${block}, and are counted so. Audit the file that it was made of for the network's own figures.`,
  'not-sorted': ({ nodes }) =>
    `${count(nodes, 'node')} stand before what they need, against the standard: put in order.`,
  'dead-nodes': ({ nodes, names }) =>
    `Not counted, since no output needs it: ${count(nodes, 'node')} (${list(names)}).`,
  'unused-initializers': ({ tensors, names }) =>
    `Not counted, since nothing uses it: ${count(tensors, 'initializer')} (${list(names)}).`,
  'branch-counted': ({ branch, macs, otherMacs }) =>
    `Which branch runs depends on data: ${branch} is counted, with ${quantity(macs)} MACs against ${quantity(otherMacs)} of the other.`,
  'branch-unclear': ({ op }) =>
    `Which branch of this ${op} costs more cannot be told for certain: some of their figures are not known.`,
  'folding-stopped': ({ elements, hint }) =>
    `More than ${elements} elements of constants are computed from each other: what the rest of them would tell is unknown. ${hint}`,
  'trip-count-unknown': ({ op }) => `How often this ${op} runs depends on data: its body is counted once.`,
  'loop-counted': ({ op, iterations }) =>
    `The body of this ${op} runs ${count(iterations, 'time')}: its layers are counted so.`,
  'unused-binding': ({ name }) => `--dim ${name} binds nothing: no open dimension has that name.`,
  'reference-profile': ({ machine }) =>
    `Milliseconds are of the reference machine (${machine}), not of yours: run dsc-audit calibrate.`,
  'profile-refused': ({ path, reason }) => `The profile ${path} is not used: ${reason}. Run dsc-audit calibrate again.`,
  'profile-of-other-runtime': ({ id, calibratedAt }) =>
    `The profile ${id} of ${calibratedAt} is of another version of the runtime: its milliseconds may be off.`,
  'profile-without-threads': ({ id, threads, known }) =>
    `The profile ${id} was calibrated on ${known.join(', ')} ${known.join() === '1' ? 'thread' : 'threads'}, and this ran on ${threads}: nothing is projected. --threads ${known[0] ?? 1}, or dsc-audit calibrate --threads ${[...known, threads].join()}.`,
  'latency-unknown': ({ op, reason }) => `The latency of ${op} is not known: ${reason}.`,
  'latency-not-measured': ({ layers, names }) =>
    `Without milliseconds, since the profile was not measured on such work: ${count(layers, 'layer')} (${list(names)}). The total is a lower bound.`,
  'latency-extrapolated': ({ layers, names }) =>
    `Far outside what the profile was measured on, so with wider intervals: ${count(layers, 'layer')} (${list(names)}).`,
  'rank-beyond-exact': ({ rank, highest, layers, names }) =>
    `Rank ${rank} is more than ${count(layers, 'convolution')} can have (${list(names)}): written at the full rank instead, ${highest} at most, where nothing is lost.`,
  'slower-rewrite': ({ beforeMs, afterMs }) =>
    `By the profile what is written is slower: ${milliseconds(beforeMs)} → ${milliseconds(afterMs)} ms. Plan for --target latency=-10%, or give a lower --rank.`,
  'unmatched-pattern': ({ option, pattern }) => `${option} '${pattern}' matches no convolution.`,
};

/** A diagnostic with its sentence, as a report holds it. */
export function reported(told: Diagnostic): ReportedDiagnostic {
  return { ...told, message: messageOf(told) };
}

/** The sentence for a diagnostic. */
function messageOf<C extends DiagnosticCode>(diagnostic: Diagnostic & { code: C; args: DiagnosticArgs[C] }): string {
  return MESSAGES[diagnostic.code](diagnostic.args);
}
