import { always, type Rows } from './row.ts';

export const textRows: Rows = {
  StringConcat: always('stringConcat', {}),
  StringSplit: (node) => ({ kind: 'stringSplit', attrs: { maxSplits: node.optionalInt('maxsplit') } }),
  StringNormalizer: (node) => ({ kind: 'stringNormalize', attrs: { removesWords: node.strings('stopwords') > 0 } }),
  RegexFullMatch: always('regexMatch', {}),
  TfIdfVectorizer: (node) => ({
    kind: 'tfIdf',
    attrs: { length: 1 + node.extents('ngram_indexes').reduce((largest, index) => Math.max(largest, index), -1) },
  }),
  ImageDecoder: (node) => ({
    kind: 'imageDecode',
    attrs: { channels: node.string('pixel_format', 'RGB') === 'Grayscale' ? 1 : 3 },
  }),
};
