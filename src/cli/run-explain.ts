import { existsSync } from 'node:fs';
import { Chalk } from 'chalk';
import { auditSource } from '../audit/audit.ts';
import type { StrategyOptions } from '../audit/choose-strategies.ts';
import type { Report } from '../audit/report.ts';
import { nearest } from '../gate/nearest.ts';
import { DscAuditError } from '../ir/errors.ts';
import { chooseProfileHere } from '../latency/choose-profile.ts';
import { explainLayer } from '../report/explain/explain-layer.ts';
import { type Explained, renderExplanationJson } from '../report/explain/explanation-json.ts';
import { renderExplanation } from '../report/explain/explanation-text.ts';
import { findLayer } from '../report/explain/find-layer.ts';
import { explainModel, explainTopic, explainWords, TOPIC_WORDS, topicNamed } from '../report/explain/topics.ts';
import type { EXPLAIN_FORMATS } from './commands/explain.ts';
import { bindingsOf, type ModelOptions } from './model-options.ts';
import { openModel } from './open-model.ts';
import { strategiesOf } from './strategy-options.ts';
import { colourLevel, print, type Terminal, widthOf } from './terminal.ts';

export interface ExplainOptions extends ModelOptions, StrategyOptions {
  readonly profile?: string;
  readonly format: ExplainFormat;
  readonly color: boolean;
}

type ExplainFormat = (typeof EXPLAIN_FORMATS)[number];

type Render = (explained: Explained, options: ExplainOptions, terminal: Terminal) => string;

/** Sentences are read in lines of this length, in a pipe and on a wide terminal too. */
const TEXT_WIDTH = 80;

const FORMATS = {
  text: ({ explanation }, { color }, { stdout, env }) => {
    const style = new Chalk({ level: colourLevel(stdout, env, color) });
    return renderExplanation(explanation, { width: Math.min(widthOf(stdout) ?? TEXT_WIDTH, TEXT_WIDTH), style });
  },
  json: renderExplanationJson,
} as const satisfies Record<ExplainFormat, Render>;

/** Explains a word, a model's words, or a layer, and prints it. */
export async function runExplain(
  path: string | undefined,
  layer: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<void> {
  const explained = await explain(path, layer, options, terminal);
  await print(terminal.stdout, FORMATS[options.format](explained, options, terminal));
}

async function explain(
  path: string | undefined,
  wanted: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<Explained> {
  const word = { report: null, layer: null };
  if (path === undefined) return { ...word, explanation: explainWords() };
  // A file of that name is meant as one only if the path says so: ./dsc.
  const topic = wanted === undefined ? topicNamed(path) : null;
  if (topic !== null) return { ...word, explanation: explainTopic(topic) };
  const report = await reportOf(path, options, terminal);
  if (wanted === undefined) return { report, layer: null, explanation: explainModel(report) };
  const layer = findLayer(report, wanted);
  return { report, layer, explanation: explainLayer(report, layer) };
}

async function reportOf(path: string, { profile, ...options }: ExplainOptions, terminal: Terminal): Promise<Report> {
  if (path !== '-' && !existsSync(path)) refuseMissing(path);
  const chosen = await chooseProfileHere(profile, terminal.env);
  const asked = { ...bindingsOf(options), ...strategiesOf(options) };
  return auditSource(await openModel(path, terminal), asked, { profile: chosen });
}

/** A word that was mistyped is no missing file. */
function refuseMissing(path: string): void {
  const word = nearest(path, TOPIC_WORDS);
  if (word === null) return;
  const what = `there is no such file, and it is no word that is explained; did you mean ${word}?`;
  throw new DscAuditError('cannot-read', `${path}: ${what}`);
}
