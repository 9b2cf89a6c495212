//! What one run of a journey costs on its own, with everything it does written down.
//!
//! ```console
//! cargo bench -p benches
//! ```

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mite::{Context, Threshold, journey, testing};

/// Nothing but a start and an end.
#[journey]
async fn nothing(_ctx: &Context) -> mite::Result {
    Ok(())
}

/// Two transactions, one inside the other, and data to decode.
#[journey]
async fn nested(ctx: &Context, name: String, number: u32) -> mite::Result {
    ctx.transaction("outer", async {
        ctx.transaction("inner", async {
            mite::ensure!(!name.is_empty(), "number {number} has no name");
            Ok(())
        })
        .await
    })
    .await
}

fn journeys(criterion: &mut Criterion) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return eprintln!("there is no runtime to bench with: {error}"),
    };
    criterion.bench_function("a journey that does nothing", |bencher| {
        bencher.iter(|| runtime.block_on(testing::run::<nothing>(())));
    });
    criterion.bench_function("a journey with nested transactions and data", |bencher| {
        bencher.iter(|| {
            let data = (black_box("Ada").to_owned(), black_box(1815));
            runtime.block_on(testing::run::<nested>(data))
        });
    });
}

fn thresholds(criterion: &mut Criterion) {
    criterion.bench_function("a threshold is read", |bencher| {
        bencher.iter(|| {
            Threshold::parse(black_box(
                "http{name=\"GET /\"}.p99.9 < 250ms over 10s abort",
            ))
        });
    });
}

criterion_group!(benches, journeys, thresholds);
criterion_main!(benches);
