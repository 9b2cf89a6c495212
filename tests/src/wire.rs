//! A client that knows nothing: bytes go out as they are, and what comes back is kept as it is.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long to wait for the next bytes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `request`, and reads until the server closes.
///
/// # Errors
/// What the socket says, a reset for one. What had come before is lost then.
pub fn exchange(server: SocketAddr, request: &str) -> io::Result<String> {
    let mut connection = connect(server)?;
    connection.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Gets `path` over a connection of its own that ends with the answer, heads included.
///
/// # Errors
/// As [`exchange`].
pub fn get(server: SocketAddr, path: &str) -> io::Result<String> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
    exchange(server, &request)
}

/// Reads to the end of a head, and no further.
///
/// # Errors
/// When the connection ends before, or the socket fails.
pub fn read_head(connection: &mut TcpStream) -> io::Result<String> {
    read_until(connection, "\r\n\r\n")
}

/// Reads to the end of the first occurrence of `end`, and no further.
///
/// # Errors
/// When the connection ends before, or the socket fails.
pub fn read_until(connection: &mut TcpStream, end: &str) -> io::Result<String> {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        read.extend(byte);
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

/// A connection whose reads and writes do not wait for ever.
///
/// # Errors
/// When there is none to be had.
pub fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect_timeout(&server, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}
