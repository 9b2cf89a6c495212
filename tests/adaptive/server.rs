//! A server with a limit: so many workers that each take a fixed time, or so many answers a second.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep_until},
};

/// What becomes of a request that comes now.
pub(crate) enum Fate {
    /// It is answered well at this time.
    At(Instant),
    /// It is refused with status 503, at once.
    Refused,
}

/// Requests wait in line for one of several workers, each of which takes the same time for each.
///
/// Times are calculated, not slept one after the other, so a timer that is late slows nothing down:
/// the capacity is exactly workers by service time.
pub(crate) fn workers(count: usize, service: Duration) -> impl FnMut(Instant) -> Fate + Send {
    let mut free: Vec<Option<Instant>> = vec![None; count];
    move |now| {
        let earliest = free.iter_mut().min().unwrap();
        let done = earliest.unwrap_or(now).max(now) + service;
        *earliest = Some(done);
        Fate::At(done)
    }
}

/// So many requests a second are answered at once, evenly or in a burst; what goes beyond is refused.
pub(crate) fn limit(per_second: f64, burst: f64) -> impl FnMut(Instant) -> Fate + Send {
    let mut tokens = burst;
    let mut last = None;
    move |now: Instant| {
        let passed = now - last.replace(now).unwrap_or(now);
        tokens = (tokens + passed.as_secs_f64() * per_second).min(burst);
        if tokens < 1.0 {
            return Fate::Refused;
        }
        tokens -= 1.0;
        Fate::At(now)
    }
}

/// Serves on loopback for as long as the test lasts; gives the URL.
pub(crate) async fn serve(fate: impl FnMut(Instant) -> Fate + Send + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let fate = Arc::new(Mutex::new(fate));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let fate = Arc::clone(&fate);
            tokio::spawn(answer(stream, move || fate.lock().unwrap()(Instant::now())));
        }
    });
    url
}

async fn answer(mut stream: TcpStream, mut fate: impl FnMut() -> Fate) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut head = Vec::new();
    loop {
        let read = stream.read_buf(&mut head).await.ok()?;
        if read == 0 {
            return None;
        }
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        head.clear();
        let status = match fate() {
            Fate::At(done) => {
                sleep_until(done).await;
                "200 OK"
            }
            Fate::Refused => "503 Service Unavailable",
        };
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(text.as_bytes()).await.ok()?;
    }
}
