//! The list of optimizer rules, one file each. The crate compiles them from this list, and so does test/crate/optim.rs.

pub mod adabelief;
pub mod adadelta;
pub mod adagrad;
pub mod adam;
pub mod adamax;
pub mod adan;
pub mod ademamix;
pub mod adopt;
pub mod asgd;
pub mod dog;
pub mod lamb;
pub mod lars;
pub mod lion;
pub mod momentum;
pub mod nadam;
pub mod prodigy;
pub mod radam;
pub mod rmsprop;
pub mod rprop;
pub mod schedule_free;
pub mod sgd;
pub mod sign;
pub mod yogi;
