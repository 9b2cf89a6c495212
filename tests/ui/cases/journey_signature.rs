//! Functions of a form that no journey has.

use mite::{Context, journey};

#[journey]
fn not_async(_: &Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn generic<T>(_: &Context, _: T) -> mite::Result {
    Ok(())
}

#[journey]
async fn with_a_lifetime<'a>(_: &'a Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn with_a_constant<const N: usize>(_: &Context, _: [u8; N]) -> mite::Result {
    Ok(())
}

#[journey]
async fn of_any_type(_: &Context, _: Vec<impl Clone>) -> mite::Result {
    Ok(())
}

#[journey]
async unsafe fn not_safe(_: &Context) -> mite::Result {
    Ok(())
}

#[journey]
async extern "C" fn foreign(_: &Context) -> mite::Result {
    Ok(())
}

#[journey]
async fn without_a_result(_: &Context) {}

struct Shop;

impl Shop {
    #[journey]
    async fn method(&self, _: &Context) -> mite::Result {
        Ok(())
    }
}

fn main() {}
