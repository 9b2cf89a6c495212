//! Cookies of all kinds.

use std::{fmt::Write as _, io};

use super::{Then, peer::Peer};

/// What `/cookies/odd` sets. A client that follows RFC 6265, asked again by the same name of the
/// server in the clear, keeps and sends back those whose name begins with `kept`.
pub const ODD_COOKIES: [&str; 20] = [
    "kept-plain=1",
    "kept-root=1; Path=/",
    "kept-quoted=\"a b\"; Path=/",
    "kept-empty=; Path=/",
    "kept-equals=a=b; Path=/",
    "kept-http-only=1; Path=/; HttpOnly",
    "kept-age=1; Path=/; Max-Age=60",
    "kept-over-expires=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "kept-unknown-attribute=1; Path=/; Flavour=oat; SameSite=Lax",
    "kept-bad-expires=1; Path=/; Expires=some day",
    "elsewhere=1; Path=/elsewhere",
    "secure=1; Path=/; Secure",
    "expired=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "no-age=1; Path=/; Max-Age=0",
    "negative-age=1; Path=/; Max-Age=-1",
    "other-domain=1; Path=/; Domain=other.test",
    "public-suffix=1; Path=/; Domain=com",
    "long-public-suffix=1; Path=/; Domain=co.uk",
    "; Path=/",
    "=nameless; Path=/",
];

pub(super) async fn answer(peer: &mut Peer, how: &str, query: &str) -> io::Result<Then> {
    let cookies: Vec<String> = match how {
        "set" => query.split('&').map(decode).collect(),
        "odd" => ODD_COOKIES.map(str::to_owned).to_vec(),
        _ => return peer.unknown().await,
    };
    let mut headers = String::new();
    for cookie in cookies {
        let _ = write!(headers, "set-cookie: {cookie}\r\n");
    }
    peer.answer("200 OK", &headers, "set\n").await
}

/// Undoes percent-encoding, as far as it is text.
fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        let code = match (first, others) {
            (b'%', [high, low, ..]) => {
                let digits = [*high, *low];
                let digits = str::from_utf8(&digits).ok();
                digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())
            }
            _ => None,
        };
        match code {
            Some(byte) => {
                decoded.push(byte);
                rest = &others[2..];
            }
            None => decoded.push(*first),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
