/** Displays of tensors, models and histories: importing `gradus/notebook` is enough. */
import { Module } from '../nn/module.js'
import { giveDisplay } from '../report/notebook.js'
import { Tensor } from '../tensor.js'
import { NewHistory } from '../train/history.js'
import { formatsOf } from './formats.js'

for (const { prototype } of [Tensor, Module, NewHistory]) giveDisplay<object>(prototype, formatsOf)
