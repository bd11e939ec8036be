/** The table of all optimizers. */
import { AdaBelief } from './adabelief.js'
import { Adadelta } from './adadelta.js'
import { Adafactor } from './adafactor.js'
import { Adagrad } from './adagrad.js'
import { Adam } from './adam.js'
import { Adamax } from './adamax.js'
import { AdamW } from './adamw.js'
import { Adan } from './adan.js'
import { AdEMAMix } from './ademamix.js'
import { ADOPT } from './adopt.js'
import { ASGD } from './asgd.js'
import type { OptimizerClass } from './base/optimizer.js'
import { DoG } from './dog.js'
import { LAMB } from './lamb.js'
import { LARS } from './lars.js'
import { Lion } from './lion.js'
import { Momentum } from './momentum.js'
import { Muon } from './muon.js'
import { NAdam } from './nadam.js'
import { Nesterov } from './nesterov.js'
import { Prodigy } from './prodigy.js'
import { RAdam } from './radam.js'
import { RMSProp } from './rmsprop.js'
import { Rprop } from './rprop.js'
import { ScheduleFreeAdamW } from './schedule-free-adamw.js'
import { ScheduleFreeSGD } from './schedule-free-sgd.js'
import { SGD } from './sgd.js'
import { Shampoo } from './shampoo.js'
import { SignSGD } from './sign-sgd.js'
import { Signum } from './signum.js'
import { SOAP } from './soap.js'
import { SparseAdam } from './sparse-adam.js'
import { Yogi } from './yogi.js'

/** Every optimizer by name: the list that tests, benchmarks, the command line and the docs use. */
export const OPTIMIZERS = {
  SGD,
  Momentum,
  Nesterov,
  RMSProp,
  Adam,
  AdamW,
  Adagrad,
  Adadelta,
  Adamax,
  NAdam,
  RAdam,
  ASGD,
  Rprop,
  Lion,
  SignSGD,
  Signum,
  AdaBelief,
  Yogi,
  Adan,
  ADOPT,
  AdEMAMix,
  ScheduleFreeSGD,
  ScheduleFreeAdamW,
  Prodigy,
  DoG,
  LARS,
  LAMB,
  Adafactor,
  Muon,
  Shampoo,
  SOAP,
  SparseAdam,
} satisfies Record<string, OptimizerClass>
