/**
 * What typedoc.json cannot say: pages of the API are sorted into categories by the folder that their source is in; guides are named
 * by their headings; links of the guides to files that are no pages lead to the repository.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const REPOSITORY = 'https://github.com/gradus-js/gradus/blob/main/'
const IMAGES = /\.(svg|png)$/

/** Folder or file of ts/ → category. */
const CATEGORIES = {
  tensor: 'Tensors',
  autograd: 'Tensors',
  parameter: 'Tensors',
  random: 'Tensors',
  trace: 'Training',
  ops: 'Tensors',
  nn: 'Layers',
  attention: 'Layers',
  conv: 'Layers',
  loss: 'Losses',
  optim: 'Optimizers',
  schedule: 'Schedules',
  train: 'Training',
  select: 'Selection',
  curvature: 'Curvature',
  recurrent: 'Layers',
  solve: 'Solvers',
  text: 'Data',
  data: 'Data',
  rows: 'Data',
  report: 'Tables',
  search: 'Tables',
  plot: 'Training',
  notebook: 'Training',
  table: 'Tables',
  head: 'Heads',
  images: 'Pictures',
  series: 'Forecasts',
  stream: 'Streams',
  tune: 'Tuning',
  xray: 'Training',
  io: 'Saving',
  files: 'Saving',
  export: 'Saving',
  metrics: 'Metrics',
  backend: 'Backends',
  common: 'Backends',
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [, title] = /^# (.+)$/m.exec(document.content.map(({ text }) => text).join('')) ?? []
    if (title) document.name = title
    addCategory(document, 'Guides')
  })
  // Before typedoc's own plugins sort into categories.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => prepare(project), 1000)
}

function prepare(project) {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    for (const member of module.children ?? []) addCategory(member, categoryOf(member))
  }
  const documents = project.getReflectionsByKind(ReflectionKind.Document).map(({ content }) => content)
  for (const content of [...documents, project.readme ?? []]) for (const part of content) leadSomewhere(part, project)
}

function addCategory(reflection, category) {
  reflection.comment ??= new Comment()
  reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]))
}

function sourceOf(reflection) {
  const source = reflection.sources?.[0] ?? reflection.signatures?.[0]?.sources?.[0]
  return source && path.relative(ROOT, source.fullFileName).split(path.sep).join('/')
}

/** @throws Error for a source that has no category yet */
function categoryOf(member) {
  // A namespace, `export * as`, stands in index.ts; what it holds does not.
  const shown = member.kindOf(ReflectionKind.Namespace) ? member.children[0] : member
  const target = shown.isReference?.() ? shown.getTargetReflectionDeep() : shown
  const file = sourceOf(target) ?? ''
  const category = CATEGORIES[file.split('/')[1]?.replace(/\.ts$/, '')]
  if (!category) throw new Error(`${member.name}: no category for '${file}' in docs/typedoc.mjs`)
  return category
}

/** A link to a file that is no page of the site leads to the repository. */
function leadSomewhere(part, project) {
  if (part.kind !== 'relative-link' || part.target === undefined || IMAGES.test(part.text)) return
  const target = project.files.resolve(part.target, project)
  if (typeof target !== 'string') return
  const file = path.relative(ROOT, target).split(path.sep).join('/')
  part.kind = 'text'
  part.text = `${REPOSITORY}${file}${part.targetAnchor ? `#${part.targetAnchor}` : ''}`
}
