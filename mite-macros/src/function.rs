//! The function under a macro: its signature, what no macro takes, and where it is.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, Meta, PatType, Safety, Signature, Token,
    Type, Visibility,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

/// A function without its body, which nobody here looks at.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
}

impl Function {
    /// The function under `#[kind]`, unless it is of a form that none of the macros takes.
    pub(crate) fn parse(kind: &str, item: TokenStream) -> syn::Result<Self> {
        let parser = |input: ParseStream<'_>| Self::parse_head(kind, input);
        let function = parser.parse2(item)?;
        function.refuse_qualifiers(kind)?;
        Ok(function)
    }

    fn parse_head(kind: &str, input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !begins_a_function(input) {
            return Err(input.error(format!("#[{kind}] goes above a function")));
        }
        let signature = input.parse()?;
        let _body: TokenStream = input.parse()?;
        Ok(Self {
            attributes,
            visibility,
            signature,
        })
    }

    fn refuse_qualifiers(&self, kind: &str) -> syn::Result<()> {
        let signature = &self.signature;
        let refuse = |tokens: &dyn ToTokens, what: &str| {
            Err(Error::new_spanned(
                tokens.to_token_stream(),
                format!("a {kind} cannot be {what}"),
            ))
        };
        if let Some(constness) = &signature.constness {
            return refuse(constness, "`const`");
        }
        if let Safety::Unsafe(token) = &signature.safety {
            return refuse(
                token,
                "`unsafe`: its caller is the engine, which promises nothing",
            );
        }
        if let Some(abi) = &signature.abi {
            return refuse(abi, "`extern`");
        }
        if let Some(variadic) = &signature.variadic {
            return refuse(variadic, "variadic");
        }
        if !signature.generics.params.is_empty() {
            return refuse(
                &signature.generics,
                "generic: it is started by its name, which has no place for parameters",
            );
        }
        if let Some(receiver) = signature.receiver() {
            return refuse(
                receiver,
                "a method: take it out of its `impl`, without the `self`",
            );
        }
        for argument in self.arguments() {
            if let Some(span) = find(argument.ty.to_token_stream(), is_impl) {
                return Err(Error::new(
                    span,
                    format!("a {kind} cannot be generic: name the type instead of `impl …`"),
                ));
            }
        }
        Ok(())
    }

    /// The name of the function.
    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    /// The arguments, `self` left out.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &PatType> {
        self.signature
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(typed) => Some(typed),
                FnArg::Receiver(_) => None,
            })
    }

    /// The attributes that decide whether the function is there at all.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
    }

    /// The documentation of the function.
    pub(crate) fn docs(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"))
    }

    /// The value of the `Definition` of the function.
    pub(crate) fn definition(&self, mite: &TokenStream) -> TokenStream {
        let span = Span::call_site().located_at(self.name().span());
        let name = self.full_name();
        let doc = self.docs().find_map(first_line).unwrap_or_default();
        let file = quote_spanned!(self.name().span()=> ::core::file!());
        let line = quote_spanned!(self.name().span()=> ::core::line!());
        quote_spanned! {span=>
            #mite::__private::Definition { name: #name, file: #file, line: #line, doc: #doc }
        }
    }

    /// The name under which the function is registered.
    pub(crate) fn full_name(&self) -> TokenStream {
        let name = self.name().unraw().to_string();
        quote!(::core::concat!(::core::module_path!(), "::", #name))
    }
}

fn begins_a_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.peek(Token![fn]) {
        let qualifier = ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(syn::LitStr);
        if !qualifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    true
}

/// The ends of some tokens, so that generated code that does not compile is shown as those tokens.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: Span,
    pub(crate) end: Span,
}

impl Place {
    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut spans = tokens
            .into_token_stream()
            .into_iter()
            .map(|tree| tree.span());
        let start = spans.next().unwrap_or_else(Span::call_site);
        let end = spans.last().unwrap_or(start);
        Self { start, end }
    }

    /// The tokens of a path, at the start of the place.
    pub(crate) fn opening(self, path: TokenStream) -> TokenStream {
        path.into_iter()
            .map(|mut tree| {
                tree.set_span(self.start);
                tree
            })
            .collect()
    }

    /// `(content)`, its parentheses at the end of the place.
    pub(crate) fn closing(self, content: TokenStream) -> TokenStream {
        let mut group = Group::new(Delimiter::Parenthesis, content);
        group.set_span(self.end);
        TokenTree::from(group).into()
    }
}

/// The type without parentheses and what macros put around it.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        other => other,
    }
}

/// The place of the first token that `wanted` takes, groups searched as well.
pub(crate) fn find(tokens: TokenStream, wanted: fn(&TokenTree) -> bool) -> Option<Span> {
    tokens.into_iter().find_map(|tree| {
        if wanted(&tree) {
            return Some(tree.span());
        }
        match tree {
            TokenTree::Group(group) => find(group.stream(), wanted),
            _ => None,
        }
    })
}

fn is_impl(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Ident(word) if word == "impl")
}

/// The first line of a doc attribute with something in it.
fn first_line(doc: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &doc.meta else {
        return None;
    };
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = &meta.value
    else {
        return None;
    };
    text.value()
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}
