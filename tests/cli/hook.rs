//! A receiver of webhooks that answers as a test says, or does not.

use std::{
    io::{BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::server::untrusted;

/// It answers until the test ends.
pub(crate) struct Hook {
    /// Without a path, `http://127.0.0.1:8080`.
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// `POST /start?token=secret HTTP/1.1`
    pub(crate) line: String,
    /// In lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    pub(crate) fn event(&self) -> &str {
        self.body["event"].as_str().unwrap_or_default()
    }
}

/// What to do with a message.
pub(crate) enum Reaction {
    /// These bytes, then the end of the connection.
    Say(Vec<u8>),
    /// Nothing, for as long as the sender waits.
    Hang,
}

/// A whole answer.
pub(crate) fn answer(status: &str, body: &str) -> Reaction {
    let length = body.len();
    Reaction::Say(
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes(),
    )
}

/// As a receiver for the Python mite does it.
pub(crate) fn as_the_original(heard: &Heard) -> Reaction {
    match heard.event() {
        "start" => answer("200 OK", "{\"newid\": 17}"),
        _ => answer("204 No Content", ""),
    }
}

impl Hook {
    pub(crate) fn start(react: impl Fn(&Heard) -> Reaction + Send + Sync + 'static) -> Self {
        Self::listen("http", Arc::new(react), |stream| stream)
    }

    /// The same behind TLS; the certificate, which nobody else vouches for, is given as PEM.
    pub(crate) fn start_secured(
        react: impl Fn(&Heard) -> Reaction + Send + Sync + 'static,
    ) -> (Self, String) {
        let (secured, certificate) = untrusted();
        let hook = Self::listen("https", Arc::new(react), secured);
        (hook, certificate)
    }

    /// What was heard so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The one message of its kind.
    #[track_caller]
    pub(crate) fn only(&self, event: &str) -> Heard {
        let mut heard = self.heard();
        heard.retain(|message| message.event() == event);
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.remove(0)
    }

    fn listen<S: Read + Write>(
        scheme: &str,
        react: Arc<dyn Fn(&Heard) -> Reaction + Send + Sync>,
        wrap: impl Fn(TcpStream) -> S + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (wrap, react, kept) = (wrap.clone(), Arc::clone(&react), Arc::clone(&kept));
                thread::spawn(move || {
                    let mut stream = BufReader::new(wrap(stream));
                    let Some(message) = hear(&mut stream) else {
                        return;
                    };
                    let reaction = react(&message);
                    kept.lock().unwrap().push(message);
                    match reaction {
                        // Who has heard enough goes away.
                        Reaction::Say(bytes) => drop(stream.get_mut().write_all(&bytes)),
                        Reaction::Hang => drop(stream.read(&mut [0])),
                    }
                });
            }
        });
        Self { url, heard }
    }
}

/// A request; none where the connection ends before it does.
fn hear(stream: &mut impl std::io::BufRead) -> Option<Heard> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Heard {
        line: lines.swap_remove(0),
        headers,
        body: serde_json::from_slice(&body).ok()?,
    })
}
