//! `#[journey]`: a type that stands for an async function.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Error, PatType, ReturnType, Type};

use crate::{
    function::{Function, Place, plain},
    options::path_to_mite,
};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mite = path_to_mite("journey", options)?;
    let function = Function::parse("journey", item)?;
    let journey = Journey::check(&function)?;

    let conditions: Vec<_> = function.conditions().collect();
    let docs = documentation(&function);
    let visibility = &function.visibility;
    let name = function.name();
    let full_name = function.full_name();
    let definition = function.definition(&mite);
    let data = journey.data_type();
    let pattern = journey.data_pattern();
    let future = journey.future(&mite);
    let call = journey.call(&mite);

    Ok(quote! {
        #(#conditions)*
        #docs
        #[allow(non_camel_case_types)]
        #visibility struct #name {}

        #(#conditions)*
        impl #mite::__private::Journey for #name {
            type Data = #data;

            const NAME: &'static str = #full_name;

            fn run(
                __ctx: &#mite::__private::Context,
                #pattern: Self::Data,
            ) -> #future {
                #call
            }
        }

        #(#conditions)*
        #mite::__private::inventory::submit! {
            #mite::__private::JourneyEntry::new::<#name>(#definition)
        }
    })
}

/// The documentation of the type: that of its function, so that either shows it.
fn documentation(function: &Function) -> TokenStream {
    let docs: Vec<_> = function.docs().collect();
    if docs.is_empty() {
        let text = format!("The journey `{}`.", function.name());
        quote!(#[doc = #text])
    } else {
        quote!(#(#docs)*)
    }
}

/// A function that can be a journey.
struct Journey<'a> {
    function: &'a Function,
    context: &'a PatType,
    data: Vec<&'a PatType>,
    output: &'a Type,
}

impl<'a> Journey<'a> {
    fn check(function: &'a Function) -> syn::Result<Self> {
        let signature = &function.signature;
        if signature.asyncness.is_none() {
            return Err(Error::new_spanned(
                signature.fn_token,
                "a journey is async: write `async fn`",
            ));
        }
        let mut arguments = function.arguments();
        let context = arguments.next().ok_or_else(|| {
            Error::new_spanned(
                &signature.ident,
                "a journey takes the context first: `ctx: &Context`",
            )
        })?;
        check_context(&context.ty)?;
        let data: Vec<_> = arguments.collect();
        for argument in &data {
            refuse_borrowed(&argument.ty)?;
        }
        let ReturnType::Type(_, output) = &signature.output else {
            return Err(Error::new_spanned(
                &signature.ident,
                "a journey returns `mite::Result`: write `-> mite::Result`",
            ));
        };
        Ok(Self {
            function,
            context,
            data,
            output,
        })
    }

    /// None is `()`, one is its type, several are a tuple.
    fn data_type(&self) -> TokenStream {
        let types = self.data.iter().map(|argument| &argument.ty);
        match self.data.as_slice() {
            [only] => only.ty.to_token_stream(),
            _ => quote!((#(#types),*)),
        }
    }

    fn data_pattern(&self) -> TokenStream {
        let names = self.data_names();
        match names.as_slice() {
            [only] => only.to_token_stream(),
            _ => quote!((#(#names),*)),
        }
    }

    /// What `run` returns; a function that returns something else is told so at its return type.
    fn future(&self, mite: &TokenStream) -> TokenStream {
        let Place { start, end } = Place::of(self.output);
        let future = quote_spanned!(start=> impl ::core::future::Future);
        quote_spanned!(end=> #future<Output = #mite::__private::Result>)
    }

    /// The call of the function; another type than the context is told so at that type.
    fn call(&self, mite: &TokenStream) -> TokenStream {
        let name = self.function.name();
        let names = self.data_names();
        let place = Place::of(&self.context.ty);
        let mite_here = place.opening(mite.clone());
        let context = quote_spanned!(place.start=> #mite_here::__private::IsContext::of);
        let handle = place.closing(quote!(__ctx));
        quote!(#mite::__private::outcome(#name(#context #handle, #(#names),*)))
    }

    fn data_names(&self) -> Vec<Ident> {
        (0..self.data.len())
            .map(|number| format_ident!("__data_{number}"))
            .collect()
    }
}

/// Refuses what is no `&Context` to the eye; the compiler refuses what else is none.
fn check_context(ty: &Type) -> syn::Result<()> {
    let refuse = |message: &str| Err(Error::new_spanned(ty, message));
    match plain(ty) {
        Type::Reference(reference) => match (&reference.mutability, plain(&reference.elem)) {
            (Some(_), _) => refuse("the context is not mutable: write `ctx: &Context`"),
            (None, Type::Path(path)) if !path.path.is_ident("str") => Ok(()),
            (None, _) => refuse("a journey takes the context first: `ctx: &Context`"),
        },
        Type::Path(path) if is_called_context(path) => {
            refuse("the context is borrowed: write `ctx: &Context`")
        }
        _ => refuse("a journey takes the context first: `ctx: &Context`"),
    }
}

fn is_called_context(path: &syn::TypePath) -> bool {
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Context")
}

fn refuse_borrowed(ty: &Type) -> syn::Result<()> {
    if !borrows(ty.to_token_stream()) {
        return Ok(());
    }
    let owned = match plain(ty) {
        Type::Reference(reference) => match plain(&reference.elem) {
            Type::Path(path) if path.path.is_ident("str") => "take a `String`".to_owned(),
            Type::Slice(_) => "take a `Vec`".to_owned(),
            other => format!("take `{}` itself", spelled(other)),
        },
        _ => "take a type without a lifetime".to_owned(),
    };
    Err(Error::new_spanned(
        ty,
        format!("journey data is owned, since it may come from another machine: {owned}"),
    ))
}

/// The type as one would write it, where it is a plain path.
fn spelled(ty: &Type) -> String {
    ty.to_token_stream()
        .to_string()
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
}

/// Whether a `&` or a lifetime other than `'static` is in the type.
fn borrows(tokens: TokenStream) -> bool {
    let mut in_lifetime = false;
    for tree in tokens {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '&' => return true,
            TokenTree::Punct(punct) => in_lifetime = punct.as_char() == '\'',
            TokenTree::Ident(name) => {
                if in_lifetime && name != "static" {
                    return true;
                }
                in_lifetime = false;
            }
            TokenTree::Group(group) if borrows(group.stream()) => return true,
            TokenTree::Group(_) | TokenTree::Literal(_) => in_lifetime = false,
        }
    }
    false
}
