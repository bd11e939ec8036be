/** Words of a column of sentences: which of them count, and a row's features from them. */

/** A text with at least this many words is a sentence, or this many characters of a script without spaces. */
const [WORDS_OF_A_SENTENCE, CHARACTERS_OF_A_SENTENCE] = [5, 8]
/** @internal A word, or a character of Chinese or Japanese, which put no spaces between words: a pair of those often is one. */
export const WORD = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}])[\p{L}\p{M}\p{N}])+/gu
const WITHOUT_SPACES = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u
/** Words and pairs that are counted at once; the rarest are forgotten where there are more. */
const MAX_COUNTED = 1 << 18
/** Length of a row's vector: entries are then about as large as other features. */
const LENGTH = 2

/** The words of a text in lower case, accents composed (NFC), and each pair of neighbors. */
function wordsAndPairs(text: string): string[] {
  const words = text.normalize('NFC').toLowerCase().match(WORD) ?? []
  return [...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)]
}

/** @internal True for a text of several words. */
export function isSentence(text: string): boolean {
  let at = 0
  for (let spaces = 1; spaces < WORDS_OF_A_SENTENCE; spaces++) {
    at = text.indexOf(' ', at + 1)
    if (at < 0) return WITHOUT_SPACES.test(text) && (text.match(WORD) ?? []).length >= CHARACTERS_OF_A_SENTENCE
  }
  return true
}

/** @internal The number of rows that have each word or pair, counted while the rows pass by. */
export class WordCounts {
  /** Number of texts. */
  texts = 0
  private readonly rows = new Map<string, number>()

  add(text: string): void {
    this.texts++
    for (const word of new Set(wordsAndPairs(text))) this.rows.set(word, (this.rows.get(word) ?? 0) + 1)
    for (let least = 1; this.rows.size > MAX_COUNTED; least++)
      for (const [word, rows] of this.rows) if (rows <= least) this.rows.delete(word)
  }

  /** The most frequent words and pairs, and the weight of each: ln((1 + texts) / (1 + its rows)) + 1, as in scikit-learn. */
  most(count: number): { words: string[]; weights: number[] } {
    const least = this.texts < 1000 ? 2 : 3
    const kept = [...this.rows].filter(([, rows]) => rows >= least)
    kept.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    const some = kept.slice(0, count)
    return { words: some.map(([word]) => word), weights: some.map(([, rows]) => Math.log((1 + this.texts) / (1 + rows)) + 1) }
  }
}

/** @internal Writes a text's features: (1 + ln(its number of times)) · weight for each word, brought to one length (TF-IDF). */
export function wordWriter(words: readonly string[], weights: readonly number[]): (text: string, out: Float32Array, at: number) => void {
  const places = new Map(words.map((word, i) => [word, i]))
  return (text, out, at) => {
    const times = new Map<number, number>()
    for (const word of wordsAndPairs(text)) {
      const place = places.get(word)
      if (place !== undefined) times.set(place, (times.get(place) ?? 0) + 1)
    }
    let square = 0
    for (const [place, n] of times) {
      const value = (1 + Math.log(n)) * weights[place]
      times.set(place, value)
      square += value * value
    }
    for (const [place, value] of times) out[at + place] = (LENGTH * value) / Math.sqrt(square)
  }
}
