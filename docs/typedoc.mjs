/**
 * What typedoc.json cannot say: pages of the API are sorted into categories by the folder that their source is in; guides are named
 * by their headings; links of the guides to docs/api.md lead to the pages of what they name, and links to other files to the repository.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const REPOSITORY = 'https://github.com/gradus-js/gradus/blob/main/'
const API = 'docs/api.md'
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
  loss: 'Losses',
  optim: 'Optimizers',
  schedule: 'Schedules',
  train: 'Training',
  select: 'Selection',
  curvature: 'Curvature',
  solve: 'Solvers',
  data: 'Data',
  plot: 'Training',
  table: 'Tables',
  tune: 'Tuning',
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
  const pages = pagesByAnchor(project)
  const documents = project.getReflectionsByKind(ReflectionKind.Document).map(({ content }) => content)
  for (const content of [...documents, project.readme ?? []]) for (const part of content) leadSomewhere(part, pages, project)
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

/** What the headings of docs/api.md name, by their anchors as GitHub makes them: a name that occurs again gets a number. */
function pagesByAnchor(project) {
  const modules = project.getReflectionsByKind(ReflectionKind.Module)
  const pages = new Map()
  for (const [, level, title] of readFileSync(path.join(ROOT, API), 'utf8').matchAll(/^(##+) (.+)$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let i = 1; pages.has(anchor); i++) anchor = `${slug}-${i}`
    const [, entry = ''] = /gradus\/(\w+)/.exec(title) ?? []
    const isOther = ({ name }) => /(data|table|tune)$/.test(name)
    const named =
      level === '##' ? modules.find((module) => (entry === '' ? !isOther(module) : module.name.endsWith(entry))) : memberOf(modules, title)
    if (!named) throw new Error(`docs/api.md: ${title} has no page in the site; run make api`)
    pages.set(anchor, named)
  }
  return pages
}

/** `Adam`, or `schedules.cosine`. */
function memberOf(modules, title) {
  let found
  for (const name of title.split('.')) {
    const places = found ? [found.isReference?.() ? found.getTargetReflectionDeep() : found] : modules
    found = places.flatMap(({ children }) => children ?? []).find((member) => member.name === name)
  }
  return found
}

/** A link into docs/api.md leads to the page of what it names, one to any other file that is no page to the repository. */
function leadSomewhere(part, pages, project) {
  if (part.kind !== 'relative-link' || part.target === undefined || IMAGES.test(part.text)) return
  const target = project.files.resolve(part.target, project)
  if (typeof target !== 'string') return
  const file = path.relative(ROOT, target).split(path.sep).join('/')
  const member = file === API ? pages.get(part.targetAnchor) : undefined
  if (member) {
    const place = path.posix.join(ROOT, file, part.targetAnchor)
    project.files.registerReflectionPath(place, member)
    part.target = project.files.registerAbsolute(place).target
    part.targetAnchor = undefined
  } else {
    part.kind = 'text'
    part.text = `${REPOSITORY}${file}${part.targetAnchor ? `#${part.targetAnchor}` : ''}`
  }
}
