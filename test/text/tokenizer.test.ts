/** Tokenizers: round trips of any text, what is refused and why, and files of others. */
import { describe, expect, test } from 'vitest'
import { Generator } from '../../ts/index.js'
import { readTokenizer, type Tokenizer, type TrainTokenizerOptions, trainTokenizer } from '../../ts/text/index.js'

// biome-ignore lint/suspicious/noExplicitAny: the tests change every part of a file
type AnyFile = any

const TEXTS = ['the cat sat on the mat', 'the dog sat on the log', 'a cat, and a dog']
const train = (options: TrainTokenizerOptions = {}) => trainTokenizer(TEXTS, options)

/** A text of any code points, of strange ones more often than of others. */
function randomText(random: Generator): string {
  const strange = [
    '',
    ' ',
    '  ',
    '\n',
    '\u0000',
    '\u0085',
    '\ufeff',
    '\u200d',
    '👩‍👩‍👧',
    '<pad>',
    '▁',
    'e\u0301',
    'ß',
    '𝔘',
    '__proto__',
    'constructor',
    "'s",
    '\u2028',
  ]
  const length = Math.floor(random.next() * 12)
  return Array.from({ length }, () => {
    if (random.next() < 0.5) return strange[Math.floor(random.next() * strange.length)]
    const point = Math.floor(random.next() * (random.next() < 0.5 ? 128 : 0x10ffff))
    return point >= 0xd800 && point < 0xe000 ? 'x' : String.fromCodePoint(point)
  }).join('')
}

describe('any text', () => {
  const random = new Generator(3)
  const texts = Array.from({ length: 1500 }, () => randomText(random))

  test('is its bytes, there and back, also where a corpus had none of them', async () => {
    const tokenizer = await train({ vocabulary: 300, special: ['<pad>'] })
    for (const text of texts) {
      const tokens = tokenizer.encode(text)
      expect(tokenizer.decode(tokens)).toBe(text)
      expect(tokens.every((token) => token > 0 && token < 300)).toBe(true)
    }
    expect(tokenizer.encode('<pad>')).not.toContain(0)
    expect([...tokenizer.encode('<pad><pad>', { special: true })]).toEqual([0, 0])
  })

  test('is characters of a vocabulary that has them', async () => {
    for (const kind of ['characters', 'bpe'] as const) {
      const tokenizer = await trainTokenizer(texts, { kind, vocabulary: kind === 'bpe' ? 9000 : 10_000 })
      for (const text of texts) expect(tokenizer.decode(tokenizer.encode(text))).toBe(kind === 'bpe' ? text.replaceAll('▁', ' ') : text)
    }
  })

  test('the name of a special token that a corpus repeats becomes no such token', async () => {
    for (const kind of ['bpe', 'byteBpe', 'words', 'characters'] as const) {
      const tokenizer = await trainTokenizer(['<pad>'.repeat(300)], { kind, special: ['<pad>', '<unk>'], unknown: '<unk>' })
      expect([...tokenizer.encode('<pad>')]).not.toContain(0)
      expect(tokenizer.encode('<pad>', { special: true })).toEqual(Int32Array.of(0))
      expect(tokenizer.decode([0], { special: false })).toBe('')
    }
  })

  test('special tokens may have any characters', async () => {
    const special = ['<|im-start|>', '[PAD]', 'a.b*c', '</s>', '\\d+', '(?:x)', '^^$$', '-_-', '<s>', '<s><s>']
    const tokenizer = await train({ special, vocabulary: 300 })
    for (const [i, name] of special.entries()) expect([...tokenizer.encode(`${name}the${name}`, { special: true })]).toContain(i)
    expect([...tokenizer.encode('<s><s>', { special: true })]).toEqual([9])
  })

  test.each(['characters', 'words', 'bpe', 'byteBpe'] as const)('special tokens of %s are written as they are called', async (kind) => {
    const special = ['<début>', '<▁x y>', '<終>']
    const tokenizer = await train({ kind, special })
    const space = kind === 'words' ? ' ' : ''
    const text = special.map((name) => `${name}${space}the`).join(space)
    expect(tokenizer.decode(tokenizer.encode(text, { special: true }))).toBe(text)
  })

  test('texts come one after the other, too', async () => {
    async function* later() {
      yield* TEXTS
    }
    const tokenizer = await train({ kind: 'words' })
    expect((await trainTokenizer(later(), { kind: 'words' })).vocabulary).toEqual(tokenizer.vocabulary)
    expect((await trainTokenizer(TEXTS.join('\n'), { kind: 'words' })).vocabulary).toEqual(tokenizer.vocabulary)
    expect(tokenizer.vocabulary.slice(0, 3)).toEqual(['the', 'a', 'cat'])
  })

  test('a word of any length is merged in its time', async () => {
    const tokenizer = await trainTokenizer('abababab '.repeat(50), { vocabulary: 262 })
    const long = 'ab'.repeat(100_000)
    expect(tokenizer.decode(tokenizer.encode(long)) === long).toBe(true)
  })
})

describe('what does not fit is refused', () => {
  test.each<[unknown, object, RegExp]>([
    ['', {}, /^trainTokenizer: texts have no characters; give a text/],
    [[], {}, /^trainTokenizer: texts have no characters/],
    [['', ''], {}, /have no characters/],
    [['  \n'], { kind: 'words' }, /^trainTokenizer: texts have no words/],
    [5, {}, /^trainTokenizer: texts wants a text or many, got 5/],
    [null, {}, /got null/],
    [new Uint8Array(3), {}, /texts wants a text or many/],
    [['a', 5], {}, /^trainTokenizer: text 1: wants a text, got 5/],
    [['a', null], {}, /text 1: wants a text, got null/],
    [['a\ud800b'], {}, /^trainTokenizer: text 0: position 1 has half a character \(a lone surrogate\)/],
    [TEXTS, { vocabulary: 255 }, /^trainTokenizer: vocabulary wants at least 256 tokens, for 256 bytes and 0 special tokens, got 255/],
    [
      TEXTS,
      { vocabulary: 10, kind: 'bpe', special: ['<pad>'] },
      /vocabulary wants at least 1\d tokens, for 1\d characters of the texts and 1 special/,
    ],
    [TEXTS, { vocabulary: 1, kind: 'words', special: ['<pad>'] }, /vocabulary wants more than the 1 special tokens, got 1/],
    [TEXTS, { vocabulary: 1e9 }, /vocabulary wants at most 16777216 tokens, got 1000000000/],
    [TEXTS, { vocabulary: 300.5 }, /vocabulary wants/],
    [TEXTS, { vocabulary: Number.NaN }, /vocabulary wants/],
    [TEXTS, { kind: 'BPE' }, /kind wants/],
    [TEXTS, { vocab_size: 300 }, /vocabulary/],
    [TEXTS, { special: '<pad>' }, /special wants an array/],
    [TEXTS, { special: ['<pad>', '<pad>'] }, /special\[1\]: '<pad>' is there already/],
    [TEXTS, { special: [''] }, /special\[0\]: wants a name of at least one character/],
    [TEXTS, { special: [5] }, /special\[0\]: wants a text, got 5/],
    [TEXTS, { special: ['a'] }, /special wants names that no text has as a character, got 'a'/],
    [TEXTS, { kind: 'words', special: ['cat'] }, /special wants names that no text has as a word, got 'cat'/],
    [TEXTS, { unknown: '' }, /unknown wants a name/],
    [TEXTS, { normalize: 'nfc' }, /normalize wants/],
    [TEXTS, { minCount: 0 }, /minCount wants/],
    [TEXTS, { kind: 'words', minCount: 99 }, /^trainTokenizer: none of the \d+ words occurs 99 times \(minCount\)/],
  ])('in training: %j, %j', async (texts, options, message) => {
    await expect(trainTokenizer(texts as string, options)).rejects.toThrow(message)
  })

  test('in use', async () => {
    const words = await train({ kind: 'words' })
    expect(() => words.encode('the cow')).toThrow(/^encode: 'cow' at position 4 is not in the vocabulary of 10 tokens; train with unknown/)
    const characters = await train({ kind: 'characters' })
    expect(() => characters.encode('cat?')).toThrow(/^encode: '\?' at position 3 is not/)
    for (const text of [5, null, undefined, ['a'], new Uint8Array(2)])
      expect(() => words.encode(text as never)).toThrow(/^encode: wants a text, got/)
    expect(() => words.encode('the \udc00')).toThrow(/^encode: position 4 has half a character/)
    expect(() => words.encode('the', { special: 1 } as never)).toThrow(/special wants/)
    expect(() => words.encode('the', { speciel: true } as never)).toThrow(/speciel/)
    for (const [tokens, message] of [
      [[10], /^decode: tokens\[0\] wants a whole number from 0 to 9, got 10; take the tokenizer that the model was trained with/],
      [[0, -1], /tokens\[1\].*got -1/],
      [[0.5], /got 0.5$/],
      [[Number.NaN], /got NaN/],
      [['a'], /got 'a'/],
      [5, /^decode: wants a list of tokens, got 5; \[5\] is one/],
      ['abc', /wants a list of tokens, got 'abc'/],
      [null, /got null/],
    ] as const)
      expect(() => words.decode(tokens as never), String(tokens)).toThrow(message)
    expect(() => words.idOf('cow')).toThrow(/^idOf: wants a token of the vocabulary, got 'cow'$/)
    expect(() => words.toFiles()).toThrow(/^toFiles: a tokenizer of words has no merges/)
    const spaced = await trainTokenizer(['a\nb a\nb a\nb'], { kind: 'bpe' })
    expect(() => spaced.toFiles()).toThrow(/^toFiles: the token '.*' has white space/)
    expect(() => readTokenizer({ vocabulary: '{"":0,"a":1}', merges: '' }, { special: [''] })).toThrow(/not empty ones, got ''/)
    expect(words.decode([])).toBe('')
    expect(words.encode('').length).toBe(0)
  })
})

describe('a file', () => {
  const json = async (options: TrainTokenizerOptions, change: (file: AnyFile) => void): Promise<string> => {
    const file = JSON.parse((await train(options)).toJson())
    change(file)
    return JSON.stringify(file)
  }

  test('has all of a tokenizer', async () => {
    for (const options of [
      { kind: 'words', unknown: '<unk>', lowerCase: true, normalize: 'NFKC' },
      { kind: 'bpe', special: ['<pad>', '<end>'], vocabulary: 40 },
      { kind: 'characters', special: ['__proto__'] },
      { vocabulary: 290 },
    ] as const) {
      const tokenizer = await train(options)
      const read = readTokenizer(tokenizer.toJson())
      expect([read.kind, read.vocabulary, read.special]).toEqual([tokenizer.kind, tokenizer.vocabulary, tokenizer.special])
      expect(read.toJson()).toBe(tokenizer.toJson())
      expect(read.encode('the Cat'.toLowerCase())).toEqual(tokenizer.encode('the cat'))
    }
  })

  test('vocab.json and merges.txt, with either end of lines', async () => {
    const tokenizer = await train({ vocabulary: 290, special: ['<end>'] })
    const { vocabulary, merges } = tokenizer.toFiles()
    for (const text of [merges, merges.replaceAll('\n', '\r\n'), merges.replace(/^#.*\n/, '')]) {
      const read = readTokenizer({ vocabulary, merges: text }, { special: ['<end>'] })
      expect(read.toJson()).toBe(tokenizer.toJson())
    }
    const other = (await trainTokenizer(['zebra zebra zebra'], { vocabulary: 290 })).toFiles()
    expect(() => readTokenizer({ vocabulary: other.vocabulary, merges })).toThrow(
      /^readTokenizer: line 2 of merges.txt wants tokens of vocab.json, which has no '.*'; are both files of the same tokenizer\?/,
    )
    expect(() => readTokenizer({ vocabulary, merges: 'a b c\n' })).toThrow(
      /line 1 of merges.txt wants two tokens with a space between, got 'a b c'/,
    )
    expect(() => readTokenizer({ vocabulary, merges }, { special: ['<pad>'] })).toThrow(/special wants tokens of vocab.json, .*got '<pad>'/)
    expect(() => readTokenizer({ vocabulary, merges }, { unknown: '<unk>' })).toThrow(/got '<unk>'/)
    expect(() => readTokenizer({ vocabulary: '[]', merges })).toThrow(/vocab.json wants an object/)
    expect(() => readTokenizer({ vocabulary: '{', merges })).toThrow(/vocab.json is no JSON/)
    expect(() => readTokenizer({ vocabulary } as never)).toThrow(
      /^readTokenizer: wants the text of tokenizer.json, or \{ vocabulary, merges \}/,
    )
    expect(() => readTokenizer(tokenizer.toJson(), { special: [] })).toThrow(/special is for vocab.json and merges.txt/)
    expect(() => readTokenizer(null as never)).toThrow(/wants the text/)
  })

  test.each<[TrainTokenizerOptions, (file: AnyFile) => void, RegExp]>([
    [{}, (f) => (f.model.type = 'WordPiece'), /model wants the type BPE or WordLevel, got 'WordPiece'/],
    [{}, (f) => (f.model.type = 'Unigram'), /got 'Unigram'/],
    [{}, (f) => (f.model = null), /model wants an object, got null/],
    [{}, (f) => (f.pre_tokenizer = null), /pre_tokenizer 'null' of a model BPE would give other tokens/],
    [{}, (f) => (f.pre_tokenizer.add_prefix_space = true), /pre_tokenizer .*add_prefix_space/],
    [{}, (f) => (f.pre_tokenizer = { type: 'Sequence', pretokenizers: [] }), /pre_tokenizer .*Sequence/],
    [{ kind: 'words' }, (f) => (f.pre_tokenizer = { type: 'BertPreTokenizer' }), /pre_tokenizer .*Bert.* it reads .*Whitespace/],
    [{}, (f) => (f.post_processor = { type: 'TemplateProcessing' }), /post_processor adds tokens \('TemplateProcessing'\)/],
    [{}, (f) => (f.decoder = { type: 'WordPiece' }), /decoder wants 'ByteLevel'/],
    [{}, (f) => (f.normalizer = { type: 'StripAccents' }), /normalizer 'StripAccents' would give other tokens/],
    [{}, (f) => (f.normalizer = { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, { type: 'NFC' }] }), /normalizer 'NFC'/],
    [{}, (f) => (f.model.byte_fallback = true), /model.byte_fallback true would give other tokens/],
    [{}, (f) => (f.model.dropout = 0.1), /model.dropout 0.1/],
    [{}, (f) => (f.truncation = { max_length: 5 }), /truncation/],
    [{}, (f) => (f.model.vocab = {}), /model.vocab has no tokens|merges/],
    [{}, (f) => (f.model.vocab.x1 = 1e9), /wants whole numbers from 0 on, got 1000000000/],
    [{}, (f) => (f.model.vocab.x1 = 1e7), /has no token \d+, but \d+ others up to 10000000/],
    [{}, (f) => (f.model.vocab.x1 = 3), /has number 3 twice/],
    [{}, (f) => (f.model.vocab.x1 = '3'), /got '3'/],
    [{}, (f) => (f.model.merges[0] = ['q!', 'z']), /model.merges\[0\] wants tokens of model.vocab, which has no 'q!'/],
    [{}, (f) => (f.model.merges[0] = ['a']), /model.merges\[0\] wants two tokens/],
    [{}, (f) => (f.model.merges = {}), /model.merges wants a list/],
    [{ special: ['<pad>'] }, (f) => (f.added_tokens[0].id = 7), /added_tokens have number 7 for '<pad>', model.vocab has 0/],
    [{ special: ['<pad>'] }, (f) => (f.added_tokens[0].lstrip = true), /takes white space around it along/],
    [{ special: ['<pad>'] }, (f) => (f.added_tokens[0].special = false), /is no special token/],
    [{ special: ['<pad>'] }, (f) => (f.added_tokens = 5), /added_tokens wants a list/],
  ])('of something else says what: %#', async (options, change, message) => {
    expect(() => readTokenizer('')).toThrow(/^readTokenizer: tokenizer.json is no JSON/)
    const text = await json({ vocabulary: 280, ...options }, change)
    expect(() => readTokenizer(text)).toThrow(message)
    expect(() => readTokenizer(text)).toThrow(/^readTokenizer: /)
  })

  test('tokens behind the vocabulary are added ones', async () => {
    const text = await json({ vocabulary: 270 }, (f) => f.added_tokens.push({ id: 270, content: '<end>', special: true }))
    const tokenizer: Tokenizer = readTokenizer(text)
    expect(tokenizer.size).toBe(271)
    expect([...tokenizer.encode('<end>', { special: true })]).toEqual([270])
  })
})
