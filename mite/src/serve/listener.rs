//! Connections: how many, for how long, and their end.

use std::{convert::Infallible, io, net::TcpListener as Socket, rc::Rc, time::Duration};

use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, LocalOptions},
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Stage, answer::Answer, patience::Patient};

/// How many connections there may be at once.
const MOST_CONNECTIONS: usize = 64;

/// How long a request may take to come, and a connection be without one.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a reader may take nothing of an answer.
const READER_TIME: Duration = Duration::from_secs(30);

/// The longest head of a request; also how much is held of an answer that is not taken.
const LONGEST_HEAD: usize = 16 * 1024;

/// How long readers have for the last they were sent.
const FAREWELL: Duration = Duration::from_secs(1);

/// Told to a connection too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n\
                      content-length: 21\r\n\r\ntoo many connections\n";

/// Who answers requests.
pub(super) trait Answers: 'static {
    /// The answer to one.
    async fn answer(self: Rc<Self>, request: Request<Incoming>) -> Result<Answer, Infallible>;
}

/// Waits for connections until the run is over, and a while longer.
pub(super) struct Listener {
    pub(super) socket: Socket,
    pub(super) stages: watch::Receiver<Stage>,
    pub(super) linger: Duration,
}

impl Listener {
    /// Answers on this thread until nobody is to be answered any more.
    pub(super) fn serve(self, desk: impl Answers) -> io::Result<()> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        runtime.block_on(self.accept(Rc::new(desk)))
    }

    async fn accept(self, desk: Rc<impl Answers>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.socket)?;
        let (closing, closes) = watch::channel(false);
        let mut connections = JoinSet::new();
        let end = until_served(self.stages, self.linger);
        tokio::pin!(end);
        let farewell = sleep(FAREWELL);
        tokio::pin!(farewell);
        let mut ending = false;
        // Whoever looks on has a moment to ask for the last report.
        while !(ending && connections.is_empty()) {
            tokio::select! {
                () = &mut end, if !ending => {
                    ending = true;
                    farewell.as_mut().reset(Instant::now() + FAREWELL);
                }
                () = &mut farewell, if ending => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < MOST_CONNECTIONS => {
                        connections.spawn_local(converse(stream, desk.clone(), closes.clone()));
                    }
                    Ok((stream, _)) => turn_away(&stream),
                    // No descriptors, most likely: what the run has too few of as well.
                    Err(_) => sleep(Duration::from_millis(100)).await,
                },
            }
        }
        drop(listener);
        closing.send_replace(true);
        let all = async { while connections.join_next().await.is_some() {} };
        // Who has not read by now has had the time.
        let _ = timeout(FAREWELL, all).await;
        Ok(())
    }
}

/// Ends when the run is over and the time after it as well.
async fn until_served(mut stages: watch::Receiver<Stage>, linger: Duration) {
    let over = stages.wait_for(|stage| matches!(stage, Stage::Over(_)));
    // The engine that is gone without a word will say no more.
    if over.await.is_ok() {
        sleep(linger).await;
    }
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, desk: Rc<impl Answers>, mut closes: watch::Receiver<bool>) {
    // Events are short and wait for nothing.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Patient::new(stream, READER_TIME));
    let service = service_fn(move |request| desk.clone().answer(request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(64)
        .serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        // A connection that breaks is its client's concern.
        _ = connection.as_mut() => return,
        _ = closes.wait_for(|closing| *closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

fn turn_away(stream: &TcpStream) {
    let _ = stream.try_write(FULL);
}
