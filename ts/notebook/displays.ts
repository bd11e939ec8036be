/** Displays of tensors, models and histories: importing `gradus/notebook` is enough. */
import { Module } from '../nn/module.js'
import { DISPLAY } from '../report/notebook.js'
import { Tensor } from '../tensor.js'
import { NewHistory } from '../train/history.js'
import { formatsOf } from './formats.js'

for (const { prototype } of [Tensor, Module, NewHistory]) {
  const value = function (this: object) {
    return formatsOf(this)
  }
  Object.defineProperty(prototype, DISPLAY, { value, configurable: true })
}
