//! What stands in the brackets of a macro: where mite is.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Error, Ident, LitStr, Path, parse::Parser, parse2};

/// The path to mite: the one given as `crate = "path"`, or the name it has among the dependencies.
pub(crate) fn path_to_mite(kind: &str, options: TokenStream) -> syn::Result<TokenStream> {
    let mut given: Option<Path> = None;
    syn::meta::parser(|option| {
        if !option.path.is_ident("crate") {
            return Err(option.error(format!(
                "#[{kind}] has no such option; its only one is `crate = \"path::to::mite\"`"
            )));
        }
        let value: TokenTree = option.value()?.parse()?;
        let path = parse2::<LitStr>(value.to_token_stream()).and_then(|text| text.parse());
        let path = path.map_err(|_| {
            Error::new(
                value.span(),
                "`crate` is the path to mite in quotes: `crate = \"path::to::mite\"`",
            )
        })?;
        given = Some(path);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn path(options: TokenStream) -> String {
        path_to_mite("journey", options)
            .map_or_else(|error| error.to_string(), |path| path.to_string())
    }

    #[test]
    fn the_path_given_is_the_path_used() {
        assert_eq!(path(quote!(crate = "crate::load")), "crate :: load");
        assert_eq!(path(quote!(crate = "::a::mite",)), ":: a :: mite");
    }

    #[test]
    fn without_a_path_it_is_mite() {
        assert_eq!(path(quote!()), ":: mite");
    }

    #[test]
    fn other_options_are_refused_by_the_name_of_the_macro() {
        assert!(path(quote!(name = "x")).starts_with("#[journey] has no such option"));
        assert!(path(quote!(crate = 5)).starts_with("`crate` is the path to mite in quotes"));
    }
}
