/** Entries of the package whose folder of ts/ has an index: they share the engine of `gradus`. */
export const SHARING = [
  ...(['attention', 'conv', 'curvature', 'debug', 'export', 'metrics', 'notebook', 'optim', 'plot', 'recurrent', 'solve', 'text'] as const),
] as const

/** Entries that are built on the others and import them by their names. */
export const BUILT_ON = ['data', 'head', 'images', 'series', 'stream', 'table', 'tune', 'xray'] as const

/** Every entry of the package but `gradus/js`, with the index of its exports. tsup, reports, examples and tests use this list. */
export const ENTRIES: Readonly<Record<string, string>> = Object.fromEntries([
  ['gradus', 'ts/index.ts'],
  ...[...SHARING, ...BUILT_ON].map((name) => [`gradus/${name}`, `ts/${name}/index.ts`]),
])

/** Stateless files of ts/ that the command line bundles as copies; everything else it imports from the entries. */
export const COPIED_BY_COMMAND: readonly string[] = [
  'common/file-kinds',
  'common/nearest',
  'common/options',
  'common/text-width',
  'common/visible',
  'data/formats/decimals',
  'files/temporary-files',
  'files/whole-file',
  'images/options',
  'series/options',
  'table/search/nets',
  'table/target/decision',
  'table/target/response',
]
