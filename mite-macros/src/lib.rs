//! The attribute macros of [mite](https://docs.rs/mite), which re-exports and documents them.

mod builder;
mod function;
mod journey;
mod options;

use proc_macro::TokenStream;

/// Makes a journey of an async function.
#[proc_macro_attribute]
pub fn journey(options: TokenStream, item: TokenStream) -> TokenStream {
    beside(item, |item| journey::expand(options.into(), item))
}

/// Registers a function that returns a scenario.
#[proc_macro_attribute]
pub fn scenario(options: TokenStream, item: TokenStream) -> TokenStream {
    beside(item, |item| {
        builder::expand(builder::SCENARIO, options.into(), item)
    })
}

/// Registers a function that returns a datapool.
#[proc_macro_attribute]
pub fn datapool(options: TokenStream, item: TokenStream) -> TokenStream {
    beside(item, |item| {
        builder::expand(builder::DATAPOOL, options.into(), item)
    })
}

/// The item as it was written, followed by what is generated or by what is wrong with it.
///
/// The item stays also when it is wrong, so that nobody who calls it has an error of his own.
fn beside(
    item: TokenStream,
    expand: impl FnOnce(proc_macro2::TokenStream) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    let generated = expand(item.clone().into()).unwrap_or_else(|error| error.to_compile_error());
    let mut both = item;
    both.extend(TokenStream::from(generated));
    both
}
