//! Asks for one thing in a process of its own, and says how long it was and how much memory that
//! took: for tests of memory that no other test is to disturb.
//!
//! Its arguments are the URL of a server, a path, and what to do with the body: `kept`, `discarded`
//! or `streamed`. It writes three numbers: bytes of the body as they came, decoded, and the most
//! that was ever resident.

// It is a part of tests, and fails as they do.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::{env, fs};

use mite::{Config, Context, journey, testing};

/// Asks for a path.
#[journey]
async fn read(ctx: &Context, (path, how): (String, String)) -> mite::Result {
    let request = ctx.http().get(&path);
    match how.as_str() {
        "kept" => match request.send().await {
            Err(error) if error.is_body() => {}
            answer => drop(answer?),
        },
        "discarded" => drop(request.discard_body().send().await?),
        _ => {
            let mut answer = request.stream().await?;
            while answer.chunk().await?.is_some() {}
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> mite::Result {
    let [url, path, how] = env::args().skip(1).collect::<Vec<_>>().try_into().unwrap();
    let mut config = Config::default();
    config.set("base_url", url);
    let recorded = testing::run_with::<read>((path, how), config).await;
    if let Err(error) = recorded.result() {
        mite::bail!("{error}");
    }
    let requests = recorded.events("http");
    for name in ["encoded_body_bytes", "decoded_body_bytes"] {
        println!("{}", requests[0].field(name).unwrap());
    }
    println!("{}", peak());
    Ok(())
}

/// The most memory this process has had resident, bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes.unwrap().parse::<u64>().unwrap() << 10
}
