//! A small server whose answers a test makes, and which keeps what it was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A running server; it stops taking connections when it is dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    over: Arc<AtomicBool>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `GET`.
    pub method: String,
    /// What stands behind it.
    pub path: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its status.
    pub status: u16,
    /// Whole lines.
    pub headers: Vec<String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Said {
    /// An answer of this status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same with a header.
    pub fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    /// The same with a body.
    pub fn saying(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

impl Listening {
    /// One that answers what `answer` says; where it says nothing, the connection is left as it is.
    pub fn start(answer: impl Fn(&Heard) -> Option<Said> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (log, end, answer) = (Arc::clone(&heard), Arc::clone(&over), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    if let Ok(stream) = stream {
                        serve(&stream, &log, &*answer);
                    }
                });
            }
        });
        Self {
            address,
            heard,
            over,
        }
    }

    /// `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has been asked so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers the requests of a connection, one after the other.
fn serve(
    stream: &TcpStream,
    log: &Mutex<Vec<Heard>>,
    answer: &(dyn Fn(&Heard) -> Option<Said> + Send + Sync),
) {
    let mut reader = BufReader::new(stream);
    while let Some(heard) = read(&mut reader) {
        log.lock().unwrap().push(heard.clone());
        let Some(said) = answer(&heard) else {
            // Until the other side has enough.
            let _ = reader.read(&mut [0]);
            return;
        };
        let mut head = format!(
            "HTTP/1.1 {} So\r\ncontent-length: {}\r\n",
            said.status,
            said.body.len()
        );
        for header in &said.headers {
            head += &format!("{header}\r\n");
        }
        let mut bytes = format!("{head}\r\n").into_bytes();
        bytes.extend(said.body);
        if reader.get_mut().write_all(&bytes).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Heard> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Heard {
        method,
        path,
        headers,
        body,
    })
}
