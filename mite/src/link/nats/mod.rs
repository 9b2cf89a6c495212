//! Controller and runners on different machines: the link goes over NATS.
//!
//! Core NATS delivers at most once, so each pair holds a [conversation](super::conversation) over
//! it, in which nothing is lost and nothing counted twice. What a runner is to do it learns from
//! the controller when it says hello; it has to be told nothing but where NATS is.

mod assignment;
mod clock;
mod controller;
mod error;
pub(crate) mod journal;
mod metrics;
mod options;
mod runner;
mod streams;
mod subjects;
mod talk;

pub(crate) use self::{
    assignment::{AssignedEntry, Assignment, Collecting, Fingerprint, Keeping, Recording},
    controller::{Lead, open},
    error::BusError,
    metrics::{Scraper, answer_scrapes},
    options::Options,
    runner::{Post, join},
    streams::{
        Delivery, Heard, Intake, Keepers, Letter, Outgoing, Over, Stream, StreamLimits, deliver,
    },
};
