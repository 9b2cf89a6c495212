//! `#[scenario]` and `#[datapool]`: functions that are called by name to build something.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, PatType, ReturnType, Type};

use crate::{
    function::{Function, Place, plain},
    options::path_to_mite,
};

/// What tells one macro from the other.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    name: &'static str,
    returns: &'static str,
    entry: &'static str,
    product: &'static str,
    conversion: (&'static str, &'static str),
    has_items: bool,
}

pub(crate) const SCENARIO: Kind = Kind {
    name: "scenario",
    returns: "a scenario function returns a scenario: write `-> Scenario` or \
              `-> mite::Result<Scenario>`",
    entry: "ScenarioEntry",
    product: "Scenario",
    conversion: ("IntoScenario", "into_scenario"),
    has_items: false,
};

pub(crate) const DATAPOOL: Kind = Kind {
    name: "datapool",
    returns: "a datapool function returns a pool: write `-> Recyclable<User>`, or what pool it is",
    entry: "DataPoolEntry",
    product: "ErasedPool",
    conversion: ("IntoPool", "into_pool"),
    has_items: true,
};

pub(crate) fn expand(
    kind: Kind,
    options: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let mite = path_to_mite(kind.name, options)?;
    let function = Function::parse(kind.name, item)?;
    let argument = Argument::of(kind, &function)?;
    let output = match &function.signature.output {
        ReturnType::Type(_, output) => Place::of(output),
        ReturnType::Default => {
            return Err(Error::new_spanned(&function.signature.ident, kind.returns));
        }
    };

    let conditions = function.conditions();
    let entry = format_ident!("{}", kind.entry);
    let definition = function.definition(&mite);
    let build = build(kind, &mite, &function, argument, output);
    let item_type = kind
        .has_items
        .then(|| item_type(&mite, &function, argument, output));

    Ok(quote! {
        #(#conditions)*
        #mite::__private::inventory::submit! {
            #mite::__private::#entry::new(#definition, #item_type #build)
        }
    })
}

/// The function that calls the marked one and makes one type of whatever it returns.
fn build(
    kind: Kind,
    mite: &TokenStream,
    function: &Function,
    argument: Argument,
    output: Place,
) -> TokenStream {
    let product = format_ident!("{}", kind.product);
    let (conversion, convert) = kind.conversion;
    let conversion = format_ident!("{conversion}", span = output.start);
    let convert = format_ident!("{convert}", span = output.start);
    let call = output.closing(call(function, argument, output));
    let mite_there = output.opening(mite.clone());
    let converted =
        quote_spanned!(output.start=> #mite_there::__private::#conversion::#convert #call);
    let config = argument.name();
    quote! {{
        fn build(
            #config: &mut #mite::__private::Config,
        ) -> #mite::__private::BuildFuture<'_, #mite::__private::#product> {
            ::std::boxed::Box::pin(async move { #converted })
        }
        build
    }}
}

/// The function that names the type of a pool's items; it never calls the marked one.
fn item_type(
    mite: &TokenStream,
    function: &Function,
    argument: Argument,
    output: Place,
) -> TokenStream {
    let call = call(function, argument, output);
    let config = (argument != Argument::Nothing).then(|| {
        quote! {
            let __config = &mut <#mite::__private::Config as ::core::default::Default>::default();
        }
    });
    quote! {
        {
            fn item_type() -> #mite::__private::DataType {
                #config
                #mite::__private::item_type(move || async move { #call })
            }
            item_type
        },
    }
}

/// The call, shown at the return type where that is not what it should be.
fn call(function: &Function, argument: Argument, output: Place) -> TokenStream {
    let mut name = function.name().clone();
    name.set_span(output.start);
    let arguments = output.closing(match argument {
        Argument::Nothing => TokenStream::new(),
        Argument::Config => quote!(__config),
    });
    let wait = function
        .signature
        .asyncness
        .map(|_| quote_spanned!(output.end=> .await));
    quote!(#name #arguments #wait)
}

/// What the marked function takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    Nothing,
    Config,
}

impl Argument {
    fn of(kind: Kind, function: &Function) -> syn::Result<Self> {
        let mut arguments = function.arguments();
        let Some(first) = arguments.next() else {
            return Ok(Self::Nothing);
        };
        check_config(kind, first)?;
        match arguments.next() {
            None => Ok(Self::Config),
            Some(second) => Err(Error::new_spanned(
                second,
                format!("a {} function takes the config and nothing else", kind.name),
            )),
        }
    }

    fn name(self) -> Ident {
        match self {
            Self::Nothing => format_ident!("_config"),
            Self::Config => format_ident!("__config"),
        }
    }
}

/// Refuses what is no reference to a type; the compiler refuses other types than the config.
fn check_config(kind: Kind, argument: &PatType) -> syn::Result<()> {
    if let Type::Reference(reference) = plain(&argument.ty)
        && let Type::Path(path) = plain(&reference.elem)
        && !path.path.is_ident("str")
    {
        return Ok(());
    }
    Err(Error::new_spanned(&argument.ty, takes(kind)))
}

fn takes(kind: Kind) -> String {
    format!(
        "a {} function takes nothing, or the config: `config: &mut Config`",
        kind.name
    )
}
