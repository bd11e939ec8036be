/**
 * `gradus/notebook`: tensors, models and histories show themselves in notebooks.
 * @module gradus/notebook
 */
import './displays.js'

export type { NotebookDisplay } from '../report/notebook.js'
export { type NotebookView, type ViewOptions, view } from './view.js'
