import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { StrategyOptions } from '../../audit/choose-strategies.ts';
import type { Report } from '../../audit/report.ts';
import type { Explained } from '../../report/explain/explanation-json.ts';
import { bindingsOf, type ModelOptions, modelOptions } from '../model-options.ts';
import { openModel } from '../open-model.ts';
import { profileOption } from '../profile-option.ts';
import { strategiesOf, strategyOptions } from '../strategy-options.ts';
import { colourLevel, print, type Terminal, widthOf } from '../terminal.ts';

interface ExplainOptions extends ModelOptions, StrategyOptions {
  readonly profile?: string;
  readonly format: Format;
  readonly color: boolean;
}

type Render = (explained: Explained, options: ExplainOptions, terminal: Terminal) => Promise<string>;

/** Sentences are read in lines of this length, in a pipe and on a wide terminal too. */
const TEXT_WIDTH = 80;

const FORMATS = {
  text: async ({ explanation }, { color }, { stdout, env }) => {
    const [{ Chalk }, { renderExplanation }] = await Promise.all([
      import('chalk'),
      import('../../report/explain/explanation-text.ts'),
    ]);
    const style = new Chalk({ level: colourLevel(stdout, env, color) });
    return renderExplanation(explanation, { width: Math.min(widthOf(stdout) ?? TEXT_WIDTH, TEXT_WIDTH), style });
  },
  json: async (explained) => {
    const { renderExplanationJson } = await import('../../report/explain/explanation-json.ts');
    return renderExplanationJson(explained);
  },
} as const satisfies Record<string, Render>;

type Format = keyof typeof FORMATS;

const EXAMPLES = `
Examples:
  dsc-audit explain                         the words that it explains
  dsc-audit explain dsc                     a textbook example, worked out
  dsc-audit explain model.onnx              the words, on this model's layers
  dsc-audit explain model.onnx conv1        a layer, by its name
  dsc-audit explain model.onnx 7            by its number
  dsc-audit explain model.onnx 'layer1.0/conv2*' by a glob that matches one layer
  dsc-audit explain model.onnx 7 --strategy bottleneck
                                            what its block would become
  dsc-audit explain model.onnx 7 --format json   for programs`;

/** `dsc-audit explain`: figures worked out, of a layer, of a model's own blocks, or of a textbook example. */
export function defineExplain(program: Command, terminal: Terminal): void {
  const command = program
    .command('explain')
    .summary('work out the figures of a layer, or explain a word')
    .description(
      'Works out the figures of a layer: the formula in symbols, the same with its numbers, the result; what it would be as a depthwise separable convolution (DSC), and its verdict. Without a layer it explains the words of the field on the model, without a model on a textbook example.',
    )
    .argument('[model]', 'a model file (ONNX or Keras), - for standard input, or a word such as dsc')
    .argument('[layer]', "a layer's name, its number, or a glob that matches one layer");
  modelOptions(command);
  strategyOptions(command.optionsGroup('Candidates:'));
  profileOption(command)
    .optionsGroup('Output:')
    .addOption(new Option('--format <format>', 'how to print it').choices(Object.keys(FORMATS)).default('text'))
    .option('--no-color', 'print without colour')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined, layer: string | undefined, options: ExplainOptions) => {
      const explained = await explain(path, layer, options, terminal);
      await print(terminal.stdout, await FORMATS[options.format](explained, options, terminal));
    });
}

async function explain(
  path: string | undefined,
  wanted: string | undefined,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<Explained> {
  const topics = await import('../../report/explain/topics.ts');
  const word = { report: null, layer: null };
  if (path === undefined) return { ...word, explanation: topics.explainWords() };
  // A file of that name is meant as one only if the path says so: ./dsc.
  const topic = wanted === undefined ? topics.topicNamed(path) : null;
  if (topic !== null) return { ...word, explanation: topics.explainTopic(topic) };
  const report = await reportOf(path, options, terminal, topics.TOPIC_WORDS);
  if (wanted === undefined) return { report, layer: null, explanation: topics.explainModel(report) };
  const [{ findLayer }, { explainLayer }] = await Promise.all([
    import('../../report/explain/find-layer.ts'),
    import('../../report/explain/explain-layer.ts'),
  ]);
  const layer = findLayer(report, wanted);
  return { report, layer, explanation: explainLayer(report, layer) };
}

async function reportOf(
  path: string,
  { profile, ...options }: ExplainOptions,
  terminal: Terminal,
  words: readonly string[],
): Promise<Report> {
  if (path !== '-' && !existsSync(path)) await refuseMissing(path, words);
  const [{ auditSource }, { chooseProfile }, { thisMachine }] = await Promise.all([
    import('../../audit/audit.ts'),
    import('../../latency/choose-profile.ts'),
    import('../../latency/machine.ts'),
  ]);
  const machine = thisMachine();
  const chosen = await chooseProfile(profile ?? null, machine, { env: terminal.env, platform: machine.platform });
  const asked = { ...bindingsOf(options), ...strategiesOf(options) };
  return auditSource(await openModel(path, terminal), asked, { profile: chosen });
}

/** A word that was mistyped is no missing file. */
async function refuseMissing(path: string, words: readonly string[]): Promise<void> {
  const [{ nearest }, { DscAuditError }] = await Promise.all([
    import('../../gate/nearest.ts'),
    import('../../ir/errors.ts'),
  ]);
  const word = nearest(path, words);
  if (word === null) return;
  const what = `there is no such file, and it is no word that is explained; did you mean ${word}?`;
  throw new DscAuditError('cannot-read', `${path}: ${what}`);
}
