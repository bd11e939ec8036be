//! Logits and gradients of heads against double precision.

use crate::tools::{assert_close, numbers, ptr, Room};
use gradus::abi::{head_gradient, head_logits};
use gradus::head::BUNDLE;

struct Case {
    rows: usize,
    columns: usize,
    classes: usize,
    x: Vec<f32>,
    weights: Vec<f32>,
}

/// Odd and even numbers of lines, one bundle and several, one strip of columns and several.
fn cases() -> impl Iterator<Item = Case> {
    [(0, 16, 2), (16, 16, 1), (16, 32, 2), (48, 48, 3), (32, 16, 4), (64, 400, 7)].into_iter().map(
        |(rows, columns, classes)| {
            let (x, weights) = (numbers(rows * columns, 1), numbers(classes * columns, 2));
            Case { rows, columns, classes, x, weights }
        },
    )
}

impl Case {
    fn logit(&self, row: usize, class: usize) -> f64 {
        let (x, w) = (&self.x[row * self.columns..], &self.weights[class * self.columns..]);
        x.iter().zip(w).take(self.columns).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum()
    }

    /// The place of a row's class among logits.
    fn place(&self, row: usize, class: usize) -> usize {
        (row / BUNDLE * self.classes + class) * BUNDLE + row % BUNDLE
    }

    /// start + Σ residual · x
    fn gradient(&self, start: &[f32], residual: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut out: Vec<f64> = start.iter().map(|&g| f64::from(g)).collect();
        for row in 0..self.rows {
            for class in 0..self.classes {
                let r = residual(row, class);
                for j in 0..self.columns {
                    out[class * self.columns + j] += r * f64::from(self.x[row * self.columns + j]);
                }
            }
        }
        out
    }

    fn check(&self, answers: usize, sets: u32, residual: impl Fn(usize, usize) -> f64) {
        let Case { rows, columns, classes, .. } = *self;
        let start = numbers(classes * columns, 3);
        let (mut z, mut gradient) = (Room::empty(BUNDLE * classes, 1), Room::new(&start, 2));
        let (x, weights) = (ptr(&self.x), ptr(&self.weights));
        head_gradient(x, weights, answers, z.ptr(), gradient.ptr(), rows, columns, classes, sets);
        z.read();
        for (&got, want) in gradient.read().iter().zip(self.gradient(&start, residual)) {
            assert_close(got, want, 2e-6 * (1 + rows) as f64, "gradient");
        }
    }
}

#[test]
fn logits() {
    for case in cases() {
        let mut z = Room::empty(case.rows * case.classes, 3);
        head_logits(ptr(&case.x), ptr(&case.weights), z.ptr(), case.rows, case.columns, case.classes);
        for row in 0..case.rows {
            for class in 0..case.classes {
                assert_close(z.read()[case.place(row, class)], case.logit(row, class), 3e-6, "logit");
            }
        }
    }
}

#[test]
fn gradients_of_classes() {
    for case in cases() {
        // every fifth row has no class
        let answers: Vec<i32> =
            (0..case.rows as i32).map(|i| if i % 5 == 4 { -1 } else { i % case.classes as i32 }).collect();
        case.check(ptr(&answers), 0, |row, class| {
            let powers: Vec<f64> = (0..case.classes).map(|c| case.logit(row, c).exp()).collect();
            powers[class] / powers.iter().sum::<f64>() - f64::from(u8::from(answers[row] == class as i32))
        });
    }
}

#[test]
fn gradients_of_sets() {
    for case in cases() {
        let sets: Vec<f32> = (0..case.rows * case.classes).map(|i| f32::from(u8::from(i % 3 == 0))).collect();
        case.check(ptr(&sets), 1, |row, class| {
            1.0 / (1.0 + (-case.logit(row, class)).exp()) - f64::from(sets[case.place(row, class)])
        });
    }
}
