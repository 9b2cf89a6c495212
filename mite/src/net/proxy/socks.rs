//! Asking a SOCKS 5 proxy for a connection (RFC 1928, RFC 1929).

use std::{io, net::SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::server::{Credentials, ProxyServer};
use crate::net::Error;

/// The longest name that a request can hold.
pub(in crate::net) const LONGEST_NAME: usize = 255;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Makes a connection to a proxy one to the host, by its address or, without one, by its name.
pub(in crate::net) async fn socks(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &ProxyServer,
    host: &str,
    port: u16,
    address: Option<SocketAddr>,
) -> Result<(), Error> {
    let request = request(host, port, address);
    converse(socket, proxy.credentials(), &request)
        .await
        .map_err(|refusal| {
            let reason = match refusal {
                Refusal::Broken(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    "it closed the connection".to_owned()
                }
                Refusal::Broken(error) => format!("the connection to it broke ({error})"),
                Refusal::Said(reason) => reason.to_owned(),
                Refusal::Code(code) => meaning(code),
            };
            Error::proxy(format!(
                "the proxy {proxy} opened no connection to {host}:{port}: {reason}"
            ))
        })
}

enum Refusal {
    Broken(io::Error),
    Said(&'static str),
    /// The reply to the request.
    Code(u8),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

async fn converse(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    credentials: Option<&Credentials>,
    request: &[u8],
) -> Result<(), Refusal> {
    let greeting: &[u8] = match credentials {
        None => &[VERSION, 1, NO_AUTHENTICATION],
        Some(_) => &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
    };
    socket.write_all(greeting).await?;
    let [version, method] = read(socket).await?;
    if version != VERSION {
        return Err(Refusal::Said("it does not speak SOCKS 5 on this port"));
    }
    match (method, credentials) {
        (NO_AUTHENTICATION, _) => {}
        (USER_AND_PASSWORD, Some(credentials)) => authenticate(socket, credentials).await?,
        (NONE_ACCEPTABLE, None) => {
            return Err(Refusal::Said(
                "it wants to know who asks; write socks5://user:password@host:port",
            ));
        }
        _ => {
            return Err(Refusal::Said(
                "it wants a way to authenticate that is not supported",
            ));
        }
    }

    socket.write_all(request).await?;
    let [version, reply, _, kind] = read(socket).await?;
    if version != VERSION {
        return Err(Refusal::Said("its reply is not SOCKS 5"));
    }
    if reply != 0 {
        return Err(Refusal::Code(reply));
    }
    // The address it connects from, and the port, which nobody needs.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(socket.read_u8().await?),
        _ => return Err(Refusal::Said("its reply is not SOCKS 5")),
    };
    socket.read_exact(&mut vec![0; length + 2]).await?;
    Ok(())
}

async fn authenticate(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    Credentials { user, password }: &Credentials,
) -> Result<(), Refusal> {
    let mut message = vec![1];
    for text in [user, password] {
        message.push(length_byte(text));
        message.extend_from_slice(text);
    }
    socket.write_all(&message).await?;
    let [_, status] = read(socket).await?;
    if status == 0 {
        Ok(())
    } else {
        Err(Refusal::Said("it does not accept the user and password"))
    }
}

fn request(host: &str, port: u16, address: Option<SocketAddr>) -> Vec<u8> {
    let mut request = vec![VERSION, CONNECT, 0];
    match address {
        Some(SocketAddr::V4(address)) => {
            request.push(IPV4);
            request.extend_from_slice(&address.ip().octets());
        }
        Some(SocketAddr::V6(address)) => {
            request.push(IPV6);
            request.extend_from_slice(&address.ip().octets());
        }
        None => {
            request.push(NAME);
            request.push(length_byte(host.as_bytes()));
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    request
}

/// What is longer has been refused before.
fn length_byte(text: &[u8]) -> u8 {
    u8::try_from(text.len()).unwrap_or(u8::MAX)
}

async fn read<const N: usize>(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    socket.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// RFC 1928, 6.
fn meaning(code: u8) -> String {
    let words = match code {
        1 => "it failed in some way of its own",
        2 => "its rules do not allow it",
        3 => "the network is unreachable from there",
        4 => "the host is unreachable from there",
        5 => "the host refused it",
        6 => "the way there is too long (TTL expired)",
        7 => "it does not know how to connect",
        8 => "it does not know this kind of address",
        _ => return format!("it answered with the unknown code {code}"),
    };
    format!("{words} (reply {code})")
}
