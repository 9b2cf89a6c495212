//! What mite's `get` is, written for goose: one request, again and again. The options are goose's
//! own.
//!
//! Each user of goose makes a client of its own when it is added, which takes much longer than a
//! request. That is no part of what is measured, so the last line on stdout has, beside the number
//! of requests, how many there had been when the last user was there, and the processor time used
//! up to then: in the program itself and in the kernel, in hundredths of a second.

use std::{
    env, fs,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use goose::prelude::*;

static STARTED: AtomicUsize = AtomicUsize::new(0);
static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static COMPLETE: OnceLock<(usize, String)> = OnceLock::new();

async fn start(_user: &mut GooseUser) -> TransactionResult {
    if STARTED.fetch_add(1, Ordering::Relaxed) + 1 == users() {
        COMPLETE.get_or_init(|| (REQUESTS.load(Ordering::Relaxed), processor_time()));
    }
    Ok(())
}

async fn get(user: &mut GooseUser) -> TransactionResult {
    user.get("/").await?;
    REQUESTS.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    GooseAttack::initialize()?
        .register_scenario(
            scenario!("get")
                .register_transaction(transaction!(start).set_on_start())
                .register_transaction(transaction!(get)),
        )
        .execute()
        .await?;
    let (requests, time) = COMPLETE.get().cloned().unwrap_or_default();
    println!("{} {requests} {time}", REQUESTS.load(Ordering::Relaxed));
    Ok(())
}

/// What `--users` says.
fn users() -> usize {
    let mut arguments = env::args().skip_while(|argument| argument != "--users");
    arguments
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(1)
}

/// `utime` and `stime` of `/proc/self/stat` (proc(5)).
fn processor_time() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split(' ').skip(11).take(2).collect();
    fields.join(" ")
}
