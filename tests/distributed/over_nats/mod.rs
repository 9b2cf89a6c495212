//! Tests of several processes.

mod collect;
mod counts;
mod crew;
mod export;
mod faults;
mod hosts;
mod keepers;
mod kills;
mod leaving;
mod network;
mod record;
mod refused;
mod secured;
mod shop;
mod succession;
