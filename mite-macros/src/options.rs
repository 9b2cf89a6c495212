//! What stands in the brackets of a macro: where mite is.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, LitStr, Path, parse::Parser};

/// The path to mite: the one given as `crate = "path"`, or the name it has among the dependencies.
pub(crate) fn path_to_mite(kind: &str, options: TokenStream) -> syn::Result<TokenStream> {
    let mut given: Option<Path> = None;
    syn::meta::parser(|option| {
        if !option.path.is_ident("crate") {
            return Err(option.error(format!(
                "#[{kind}] has no such option; its only one is `crate = \"path::to::mite\"`"
            )));
        }
        let path: LitStr = option.value()?.parse()?;
        given = Some(path.parse()?);
        Ok(())
    })
    .parse2(options)?;
    Ok(given.map_or_else(found, Path::into_token_stream))
}

fn found() -> TokenStream {
    match crate_name("mite") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        // Without an answer, the compiler's message about a missing `mite` says most.
        Ok(FoundCrate::Itself) | Err(_) => quote!(::mite),
    }
}
