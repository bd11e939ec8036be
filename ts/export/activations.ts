/** Names of activations in PyTorch and Keras. */

export const TORCH_ACTIVATIONS: Readonly<Record<string, string>> = {
  linear: 'nn.Identity()',
  relu: 'nn.ReLU()',
  leakyRelu: 'nn.LeakyReLU(0.01)',
  sigmoid: 'nn.Sigmoid()',
  tanh: 'nn.Tanh()',
  gelu: 'nn.GELU()',
  silu: 'nn.SiLU()',
  softplus: 'nn.Softplus()',
  elu: 'nn.ELU()',
  mish: 'nn.Mish()',
  selu: 'nn.SELU()',
}

export const KERAS_ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: "'relu'",
  leakyRelu: 'lambda x: ops.leaky_relu(x, negative_slope=0.01)',
  sigmoid: "'sigmoid'",
  tanh: "'tanh'",
  gelu: 'lambda x: ops.gelu(x, approximate=False)',
  silu: "'silu'",
  softplus: "'softplus'",
  elu: "'elu'",
  mish: "'mish'",
  selu: "'selu'",
}
