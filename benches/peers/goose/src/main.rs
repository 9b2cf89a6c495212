//! What mite's `get` is, written for goose: one request, again and again. The options are goose's
//! own; the last line on stdout is the number of requests.

use goose::prelude::*;

async fn get(user: &mut GooseUser) -> TransactionResult {
    user.get("/").await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let metrics = GooseAttack::initialize()?
        .register_scenario(scenario!("get").register_transaction(transaction!(get)))
        .execute()
        .await?;
    let requests = metrics.requests.values();
    println!(
        "{}",
        requests
            .map(|request| request.success_count + request.fail_count)
            .sum::<usize>()
    );
    Ok(())
}
