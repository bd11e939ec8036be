"""JAX on one thread with optax. Options: `step` (one compiled call a step) or `scan` (one compiled call an epoch);
`threads` (as many as there are cores)."""
import functools
import os
import sys

os.environ["JAX_PLATFORMS"] = "cpu"
if "threads" not in sys.argv:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import optax

versions = {"jax": jax.__version__, "optax": optax.__version__}


def loss_of(kind, z, y):
    if kind == "mse":
        return jnp.mean((z[:, 0] - y) ** 2)
    if kind == "bce":
        return jnp.mean(optax.sigmoid_binary_cross_entropy(z[:, 0], y))
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(z, y))


def optimizer_of(task):
    rate = task["learningRate"]
    return optax.adam(rate) if task["optimizer"] == "adam" else optax.sgd(rate, momentum=0.9)


def create(task):
    return Update(task) if task["kind"] == "update" else Net(task)


@functools.cache
def compiled(activation_name, loss_name, optimizer_name, rate):
    """The functions of nets of one kind, compiled once in a process: the second start of C1 finds them compiled."""
    activation = jax.nn.relu if activation_name == "relu" else jnp.tanh
    optimizer = optimizer_of({"optimizer": optimizer_name, "learningRate": rate})

    def forward(layers, x):
        for w, b in layers[:-1]:
            x = activation(x @ w + b)
        w, b = layers[-1]
        return x @ w + b

    def loss(layers, x, y):
        return loss_of(loss_name, forward(layers, x), y)

    def step(carry, batch):
        layers, state = carry
        value, gradient = jax.value_and_grad(loss)(layers, *batch)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(layers, updates), state), value

    epoch = jax.jit(lambda carry, x, y: jax.lax.scan(step, carry, (x, y)), donate_argnums=0)
    mean_loss = jax.jit(lambda layers, x, y: jnp.mean(jax.vmap(loss, (None, 0, 0))(layers, x, y)))
    right = jax.jit(lambda layers, x, y: jnp.mean(jnp.argmax(jax.vmap(forward, (None, 0))(layers, x), -1) == y))
    return optimizer, jax.jit(step, donate_argnums=0), epoch, mean_loss, right


class Net:
    def __init__(self, task):
        kinds = [task[key] for key in ("activation", "loss", "optimizer", "learningRate")]
        optimizer, self.step, self.epoch, self.mean_loss, self.right = compiled(*kinds)
        y = task["y"].astype("int32") if task["loss"] == "ce" else task["y"]
        self.x, self.y = jnp.asarray(task["x"]), jnp.asarray(y)
        self.batches = [(self.x[i], self.y[i]) for i in range(task["batches"])]
        layers = [(jnp.asarray(w), jnp.zeros(w.shape[1])) for w in task["weights"]]
        self.carry = (layers, optimizer.init(layers))
        self.scans = "scan" in task["options"]

    def run(self, epochs):
        for _ in range(epochs):
            if self.scans:
                self.carry, _ = self.epoch(self.carry, self.x, self.y)
            else:
                for batch in self.batches:
                    self.carry, _ = self.step(self.carry, batch)
        jax.block_until_ready(self.carry)

    def loss(self):
        return float(self.mean_loss(self.carry[0], self.x, self.y))

    def accuracy(self):
        return float(self.right(self.carry[0], self.x, self.y))


class Update:
    def __init__(self, task):
        optimizer = optimizer_of(task)
        self.p, self.g = jnp.full(task["sizes"], 0.5), jnp.full(task["sizes"], 0.01)
        self.state = optimizer.init(self.p)

        def update(p, state, g):
            updates, state = optimizer.update(g, state)
            return optax.apply_updates(p, updates), state

        self.update = jax.jit(update, donate_argnums=(0, 1))

    def step(self):
        self.p, self.state = self.update(self.p, self.state, self.g)
        jax.block_until_ready((self.p, self.state))

    def drift(self):
        return float(self.p[-1]) - 0.5
