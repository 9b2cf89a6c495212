//! The secret that whoever changes the run has to know.

use std::fmt::{self, Write as _};

use rustls::crypto::ring;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::ServeError;

/// A bearer token (RFC 6750).
#[derive(Clone)]
pub(crate) struct Token(String);

/// Shorter ones could be guessed.
const SHORTEST: usize = 16;
const LONGEST: usize = 256;

/// Bytes of a token that is made here.
const RANDOM_BYTES: usize = 16;

impl Token {
    /// One that somebody has thought of.
    pub(super) fn given(text: &str) -> Result<Self, ServeError> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ServeError::Token)
        }
    }

    /// One that nobody can guess; none where the system has no random numbers.
    pub(super) fn random() -> Option<Self> {
        let mut bytes = [0; RANDOM_BYTES];
        let provider = ring::default_provider();
        provider.secure_random.fill(&mut bytes).ok()?;
        let mut text = String::with_capacity(2 * RANDOM_BYTES);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        Some(Self(text))
    }

    /// The token itself, for the one line that tells it.
    pub(super) fn shown(&self) -> String {
        self.0.clone()
    }

    /// Whether `text` is it, in a time that tells nothing of where they differ, or of its length.
    pub(super) fn is(&self, text: &str) -> bool {
        let ours = Sha256::digest(self.0.as_bytes());
        let theirs = Sha256::digest(text.as_bytes());
        ours.as_slice().ct_eq(theirs.as_slice()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_knows_itself_and_nothing_else() {
        let token = Token::given("a-token-of-ours-1").unwrap();
        assert!(token.is("a-token-of-ours-1"));
        for other in [
            "",
            "a-token-of-ours-2",
            "a-token-of-ours-",
            "a-token-of-ours-11",
        ] {
            assert!(!token.is(other), "{other}");
        }
        assert_eq!(format!("{token:?}"), "***");
    }

    #[test]
    fn made_tokens_are_long_and_never_the_same() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.0.len(), 32);
        assert!(!one.is(&other.0));
    }

    #[test]
    fn one_that_is_short_or_cannot_be_sent_is_refused() {
        for text in ["", "short", "has a space in it ", "has\na line end inside"] {
            assert!(Token::given(text).is_err(), "{text}");
        }
    }
}
