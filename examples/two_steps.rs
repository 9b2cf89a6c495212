//! Create the data, then use it: one run makes accounts and records them, the next signs in with
//! them.
//!
//! ```console
//! cargo run --release --example two_steps -- scenario test create --record target/two-steps
//! cargo run --release --example two_steps -- cat target/two-steps/customers.msgpack
//! cargo run --release --example two_steps -- scenario test sign_in
//! ```

use std::{process::ExitCode, time::Duration};

use mite::{
    Config, Context, Scenario, datapool,
    datapool::{Once, Recyclable},
    journey, scenario,
    volume::{Constant, Nothing},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);

/// What the shop says of a new account, and all that is needed to use it.
#[derive(Serialize, Deserialize)]
struct Customer {
    name: String,
    password: String,
}

/// Forgets the accounts of earlier runs.
#[journey]
async fn forget_accounts(ctx: &Context) -> mite::Result {
    ctx.purge("customers")
}

/// Opens an account and keeps what is needed to use it.
#[journey]
async fn open_account(ctx: &Context, name: String) -> mite::Result {
    let answer = ctx.http().post("/accounts").json(&json!({ "name": name }));
    let customer: Customer = answer.send().await?.expect_status(201)?.json()?;
    ctx.record("customers", &customer)
}

/// Signs in with an account that is there already.
#[journey]
async fn visit_account(ctx: &Context, customer: Customer) -> mite::Result {
    let request = ctx.http().post("/accounts/session").json(&customer);
    request.send().await?.expect_status(200)?;
    Ok(())
}

/// A new name for each account.
#[datapool]
fn names() -> Once<String> {
    Once::new((1_u32..).map(|number| format!("customer-{number}")))
}

/// The customers that an earlier run has recorded.
#[datapool]
fn customers(config: &Config) -> mite::Result<Recyclable<Customer>> {
    let file = config.get_or("customers", "target/two-steps/customers.msgpack".to_owned())?;
    Ok(Recyclable::from_msgpack(file))
}

/// The first step: a hundred accounts, after the one that forgets those of earlier runs.
#[scenario]
fn create() -> Scenario {
    Scenario::new()
        .base_url(examples::shop_url())
        .journey::<forget_accounts>((), Constant::per_second(1, SECOND))
        .journey::<open_account>(
            names(),
            Nothing::over(2 * SECOND) + Constant::per_second(50, 2 * SECOND),
        )
}

/// The second step: customers who come back.
#[scenario]
fn sign_in(config: &mut Config) -> mite::Result<Scenario> {
    Ok(Scenario::new()
        .base_url(examples::shop_url())
        .journey::<visit_account>(customers(config)?, Constant::per_second(100, 2 * SECOND))
        .threshold("errors.rate < 1%"))
}

fn main() -> ExitCode {
    mite::main_with(|config| {
        config.set_default("base_url", examples::shop_url());
    })
}
