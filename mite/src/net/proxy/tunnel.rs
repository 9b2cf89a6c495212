//! Asking an HTTP proxy for a tunnel (`CONNECT`, RFC 9110, 9.3.6).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::server::ProxyServer;
use crate::net::Error;

/// The longest answer that is read.
const LONGEST_HEAD: usize = 16 * 1024;

/// The most headers of an answer.
const MOST_HEADERS: usize = 100;

/// Makes a connection to a proxy one to the host.
pub(in crate::net) async fn tunnel(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &ProxyServer,
    host: &str,
    port: u16,
) -> Result<(), Error> {
    let target = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let failed = |reason: String| {
        Error::proxy(format!(
            "the proxy {proxy} opened no tunnel to {target}: {reason}"
        ))
    };
    let request = request(proxy, &target);
    socket
        .write_all(&request)
        .await
        .map_err(|error| failed(broken(&error)))?;
    let status = answer(socket).await.map_err(&failed)?;
    match status {
        Status {
            code: 200..=299, ..
        } => Ok(()),
        Status { code: 407, .. } if proxy.credentials().is_none() => Err(failed(format!(
            "{status}; write http://user:password@host:port to give it one"
        ))),
        Status { code: 407, .. } => Err(failed(format!(
            "{status}; it does not accept the user and password"
        ))),
        _ => Err(failed(status.to_string())),
    }
}

fn request(proxy: &ProxyServer, target: &str) -> Vec<u8> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The status line of an answer.
struct Status {
    code: u16,
    reason: String,
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "it answered {}", self.code)?;
        if !self.reason.is_empty() {
            write!(formatter, " {}", self.reason)?;
        }
        Ok(())
    }
}

/// Reads the head of the answer, and not a byte more of what comes after a tunnel's.
async fn answer(socket: &mut (impl AsyncRead + Unpin)) -> Result<Status, String> {
    let mut head = Vec::with_capacity(512);
    loop {
        let room = (LONGEST_HEAD - head.len()) as u64;
        if room == 0 {
            return Err(format!(
                "its answer begins with more than {LONGEST_HEAD} bytes of headers"
            ));
        }
        let read = socket.take(room).read_buf(&mut head).await;
        if read.map_err(|error| broken(&error))? == 0 {
            return Err("it closed the connection".to_owned());
        }
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&head) {
            Ok(httparse::Status::Partial) => {}
            Ok(httparse::Status::Complete(length)) => {
                let status = Status {
                    code: response.code.unwrap_or_default(),
                    reason: response.reason.unwrap_or_default().to_owned(),
                };
                // The server behind a tunnel does not speak before it is spoken to.
                if (200..300).contains(&status.code) && length < head.len() {
                    return Err(format!("{status}, and then sent what nobody asked for"));
                }
                return Ok(status);
            }
            Err(error) => return Err(format!("its answer is not HTTP ({error})")),
        }
    }
}

fn broken(error: &io::Error) -> String {
    format!("the connection to it broke ({error})")
}
