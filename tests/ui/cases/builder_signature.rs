//! Functions of a form that neither scenarios nor datapools have.

use mite::{Config, Scenario, datapool, datapool::Recyclable, scenario};

#[scenario]
fn without_a_result() {}

#[scenario]
fn two_arguments(_: &mut Config, _: u32) -> Scenario {
    Scenario::new()
}

#[scenario]
fn owned(_: Config) -> Scenario {
    Scenario::new()
}

#[scenario]
fn generic<T: Default>() -> Scenario {
    Scenario::new()
}

#[scenario]
const fn constant() -> u8 {
    1
}

#[datapool]
fn without_a_pool(_: &Config) {}

#[datapool]
fn text(_: &str) -> Recyclable<u8> {
    Recyclable::new([1])
}

#[datapool]
unsafe fn not_safe() -> Recyclable<u8> {
    Recyclable::new([1])
}

fn main() {}
