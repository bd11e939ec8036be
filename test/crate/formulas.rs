//! The formula of each optimizer rule for one parameter, in doubles, as in its paper. test/crate/optim.rs compares the kernels with it, and
//! fails for a kernel that has no formula here.

use std::ops::Index;

/// The numbers of a step by name.
pub struct Numbers {
    pub names: Vec<&'static str>,
    pub values: Vec<f64>,
}

impl Index<&str> for Numbers {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        let found = self.names.iter().position(|known| *known == name);
        &self.values[found.unwrap_or_else(|| panic!("no number is called {name}: {:?}", self.names))]
    }
}

/// New p and state from p, the gradient g and state: weight decay and the scale of gradients are in p and g already.
type Rule = fn(&Numbers, f64, f64, &[f64]) -> Vec<f64>;
/// New state, and a term of both sums, from p, g and state.
type Sums = fn(&Numbers, f64, f64, &[f64]) -> (Vec<f64>, [f64; 2]);
/// All new p from all p, g and state.
type Whole = fn(&Numbers, &[f64], &[f64], &[Vec<f64>]) -> Vec<f64>;

pub fn rule(kernel: &str) -> Rule {
    of(kernel, RULES)
}

pub fn sums(kernel: &str) -> Sums {
    of(kernel, SUMS)
}

pub fn whole(kernel: &str) -> Whole {
    of(kernel, WHOLE)
}

fn of<F: Copy>(kernel: &str, table: &[(&str, F)]) -> F {
    let found = table.iter().find(|(name, _)| *name == kernel);
    found.unwrap_or_else(|| panic!("add the formula of {kernel} to test/crate/formulas.rs")).1
}

/// β·old + (1 − β)·new, where the two weights are numbers of their own.
fn mean(beta: f64, rest: f64, old: f64, new: f64) -> f64 {
    beta * old + rest * new
}

/// Adam's means of g and g².
fn moments(h: &Numbers, g: f64, m: f64, v: f64) -> (f64, f64) {
    let beta1 = 1.0 - h["one_minus_beta1"];
    (mean(beta1, 1.0 - beta1, m, g), mean(h["beta2"], h["one_minus_beta2"], v, g * g))
}

fn sign(x: f64) -> f64 {
    if x == 0.0 {
        0.0
    } else {
        x.signum()
    }
}

/// The direction of RMSProp, with its new state except momentum.
fn rms(h: &Numbers, g: f64, s: f64, centered: Option<f64>) -> (f64, f64, f64) {
    let s = mean(h["beta"], h["one_minus_beta"], s, g * g);
    let m = centered.map_or(0.0, |m| mean(1.0 - h["one_minus_beta"], h["one_minus_beta"], m, g));
    let variance = (s - h["inverse_correction"] * m * m).max(0.0);
    (g / ((variance + h["epsilon_in"]).sqrt() + h["epsilon_out"]), s, m)
}

/// RMSProp's momentum: new p and velocity.
fn accelerated(h: &Numbers, p: f64, d: f64, b: f64) -> (f64, f64) {
    let b = h["momentum"] * b + h["direction_weight"] * d;
    (p - h["direction_rate"] * d - h["velocity_rate"] * b, b)
}

const RULES: &[(&str, Rule)] = &[
    ("sgd", |h, p, g, _| vec![p - h["learning_rate"] * g]),
    ("momentum", |h, p, g, s| {
        let v = h["velocity_decay"] * s[0] + h["gradient_weight"] * g;
        vec![p - h["gradient_rate"] * g - h["velocity_rate"] * v, v]
    }),
    ("signSgd", |h, p, g, _| vec![p - h["learning_rate"] * sign(g)]),
    ("signum", |h, p, g, s| {
        let m = mean(h["beta"], h["one_minus_beta"], s[0], g);
        vec![p - h["learning_rate"] * sign(m), m]
    }),
    ("lion", |h, p, g, s| {
        let direction = sign(mean(h["beta1"], h["one_minus_beta1"], s[0], g));
        vec![p - h["learning_rate"] * direction, mean(h["beta2"], h["one_minus_beta2"], s[0], g)]
    }),
    ("adagrad", |h, p, g, s| {
        let sum = s[0] + g * g;
        vec![p - h["step_size"] * g / ((sum + h["epsilon_root"]).sqrt() + h["epsilon"]), sum]
    }),
    ("adadelta", |h, p, g, s| {
        let v = mean(h["rho"], h["one_minus_rho"], s[0], g * g);
        let d = g * (s[1] + h["epsilon"]).sqrt() / (v + h["epsilon"]).sqrt();
        vec![p - h["learning_rate"] * d, v, mean(h["rho"], h["one_minus_rho"], s[1], d * d)]
    }),
    ("rmsprop", |h, p, g, s| {
        let v = mean(h["beta"], h["one_minus_beta"], s[0], g * g);
        vec![p - h["learning_rate"] * g / ((v + h["epsilon_in"]).sqrt() + h["epsilon_out"]), v]
    }),
    ("rmspropCentered", |h, p, g, s| {
        let (d, v, m) = rms(h, g, s[0], Some(s[1]));
        vec![p - h["learning_rate"] * d, v, m]
    }),
    ("rmspropMomentum", |h, p, g, s| {
        let (d, v, _) = rms(h, g, s[0], None);
        let (p, b) = accelerated(h, p, d, s[1]);
        vec![p, v, b]
    }),
    ("rmspropCenteredMomentum", |h, p, g, s| {
        let (d, v, m) = rms(h, g, s[0], Some(s[1]));
        let (p, b) = accelerated(h, p, d, s[2]);
        vec![p, v, m, b]
    }),
    ("adam", |h, p, g, s| {
        let (m, v) = moments(h, g, s[0], s[1]);
        vec![p - h["step_size"] * m / (v.sqrt() + h["epsilon_hat"]), m, v]
    }),
    ("adamInside", |h, p, g, s| {
        let (m, v) = moments(h, g, s[0], s[1]);
        vec![p - h["step_size"] * m / ((v + h["epsilon_in_root"]).sqrt() + h["epsilon_hat"]), m, v]
    }),
    ("amsgrad", |h, p, g, s| {
        let (m, v) = moments(h, g, s[0], s[1]);
        let largest = s[2].max(h["correction_before_maximum"] * v);
        vec![p - h["step_size"] * m / ((largest + h["epsilon_in_root"]).sqrt() + h["epsilon_hat"]), m, v, largest]
    }),
    ("adamax", |h, p, g, s| {
        let m = mean(1.0 - h["one_minus_beta1"], h["one_minus_beta1"], s[0], g);
        let u = (h["beta2"] * s[1]).max(g.abs() + h["epsilon_inside"]);
        vec![p - h["step_size"] * m / (u + h["epsilon_outside"]), m, u]
    }),
    ("nadam", |h, p, g, s| {
        let (m, v) = moments(h, g, s[0], s[1]);
        vec![p - (h["gradient_step_size"] * g + h["moment_step_size"] * m) / (v.sqrt() + h["epsilon"]), m, v]
    }),
    ("radam", |h, p, g, s| {
        let (m, v) = moments(h, g, s[0], s[1]);
        vec![p - h["step_size"] * m / (h["root_scale"] * v.sqrt() + h["offset"]), m, v]
    }),
    ("adaBelief", |h, p, g, s| {
        let m = mean(1.0 - h["one_minus_beta1"], h["one_minus_beta1"], s[0], g);
        let v = mean(h["beta2"], h["one_minus_beta2"], s[1], (g - m) * (g - m)) + h["epsilon_root"];
        vec![p - h["step_size"] * m / (v.sqrt() + h["epsilon"]), m, v]
    }),
    ("yogi", |h, p, g, s| {
        let m = mean(1.0 - h["one_minus_beta1"], h["one_minus_beta1"], s[0], g);
        let v = s[1] - h["one_minus_beta2"] * sign(s[1] - g * g) * g * g;
        vec![p - h["step_size"] * m / (v.sqrt() + h["epsilon"]), m, v]
    }),
    ("adan", |h, p, g, s| {
        let difference = g - s[3];
        let m = mean(1.0 - h["one_minus_beta1"], h["one_minus_beta1"], s[0], g);
        let w = mean(h["beta2"], h["one_minus_beta2"], s[1], difference);
        let lookahead = g + h["difference_weight"] * difference;
        let n = mean(h["beta3"], h["one_minus_beta3"], s[2], lookahead * lookahead);
        vec![p - (h["step_size_m"] * m + h["step_size_w"] * w) / (n.sqrt() + h["epsilon"]), m, w, n, g]
    }),
    ("ademamix", |h, p, g, s| {
        let fast = mean(1.0 - h["one_minus_beta1"], h["one_minus_beta1"], s[0], g);
        let slow = mean(1.0 - h["one_minus_beta3"], h["one_minus_beta3"], s[1], g);
        let v = mean(h["beta2"], h["one_minus_beta2"], s[2], g * g);
        vec![p - (h["step_size"] * fast + h["slow_step_size"] * slow) / (v.sqrt() + h["epsilon"]), fast, slow, v]
    }),
    ("adopt", |h, p, g, s| {
        let u = (g / s[1].sqrt().max(h["epsilon"])).clamp(-h["bound"], h["bound"]);
        let m = mean(h["beta1"], h["one_minus_beta1"], s[0], u);
        vec![p - h["learning_rate"] * m, m, mean(h["beta2"], h["one_minus_beta2"], s[1], g * g)]
    }),
    ("asgd", |h, p, g, s| {
        let p = p - h["eta"] * g;
        vec![p, mean(h["one_minus_mu"], h["mu"], s[0], p)]
    }),
    ("rprop", |h, p, g, s| {
        let factor = match s[0] * g {
            same if same > 0.0 => h["eta_plus"],
            turned if turned < 0.0 => h["eta_minus"],
            _ => 1.0,
        };
        let step = (s[1] * factor).max(h["minimum"]).min(h["maximum"]);
        let g = if s[0] * g < 0.0 { 0.0 } else { g };
        vec![p - sign(g) * step, g, step]
    }),
    ("scheduleFreeSgd", |h, y, g, s| {
        vec![(1.0 - h["c"]) * y + h["c"] * s[0] + h["gradient_rate"] * g, s[0] - h["rate"] * g]
    }),
    ("scheduleFreeAdamw", |h, y, g, s| {
        let v = mean(h["beta2"], h["one_minus_beta2"], s[1], g * g);
        let u = g / (v.sqrt() + h["epsilon"]) + h["weight_decay"] * y;
        vec![(1.0 - h["c"]) * y + h["c"] * s[0] + h["gradient_rate"] * u, s[0] - h["rate"] * u, v]
    }),
    ("prodigyStep", |h, p, _, s| vec![p - h["step_size"] * s[0] / (s[1].sqrt() + h["epsilon"]), s[0], s[1]]),
];

const SUMS: &[(&str, Sums)] = &[
    ("dogSums", |_, p, g, s| (s.to_vec(), [(p - s[0]).powi(2), g * g])),
    ("prodigyMoments", |h, p, g, s| {
        let scaled = h["scale"] * g;
        let m = mean(h["beta1"], h["weight_m"], s[0], scaled);
        let v = mean(h["beta2"], h["weight_v"], s[1], scaled * scaled);
        let sum = mean(h["beta3"], h["weight_s"], s[2], scaled);
        (vec![m, v, sum, s[3]], [g * (s[3] - p), sum.abs()])
    }),
];

const WHOLE: &[(&str, Whole)] = &[
    ("lamb", |h, p, g, s| {
        let direction = |i: usize| {
            let (m, v) = moments(h, h["scale"] * g[i], s[0][i], s[1][i]);
            h["step_size"] * m / (v.sqrt() + h["epsilon_hat"]) + h["direction_decay"] * p[i]
        };
        let u: Vec<f64> = (0..p.len()).map(direction).collect();
        let ratio = if norm(p) > 0.0 { norm(p) / norm(&u) } else { 1.0 };
        let rate = h["learning_rate"] * ratio;
        p.iter().zip(u).map(|(p, u)| p - h["parameter_decay"] * p - rate * u).collect()
    }),
    ("lars", |h, p, g, s| {
        let u: Vec<f64> = p.iter().zip(g).map(|(p, g)| h["scale"] * g + h["weight_decay"] * p).collect();
        let ratio = if norm(p) > 0.0 { h["trust_coefficient"] * norm(p) / (norm(&u) + h["epsilon"]) } else { 1.0 };
        let rate = h["learning_rate"] * ratio;
        let velocity = |i: usize| h["velocity_decay"] * s[0][i] + h["gradient_weight"] * rate * u[i];
        (0..p.len()).map(|i| p[i] - h["gradient_rate"] * rate * u[i] - h["velocity_rate"] * velocity(i)).collect()
    }),
];

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
