//! What is done to one request of HTTP/2: its path says it.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream, server::SendResponse};
use http::{HeaderName, Response, response::Builder};
use tokio::{sync::mpsc::UnboundedSender, time::sleep};

use crate::hostile::seen::Seen;

const BLOCK: usize = 64 << 10;

/// How long what has been said takes to be written and read, before a connection ends.
const TIME_TO_READ: Duration = Duration::from_millis(30);

/// What a request does to its connection.
pub(super) enum Order {
    GoAway(Reason),
    Lose,
}

/// A request, and how to answer it.
pub(super) struct Request {
    path: String,
    body: RecvStream,
    respond: SendResponse<Bytes>,
    seen: Arc<Seen>,
    orders: UnboundedSender<Order>,
}

type Sent = Result<(), h2::Error>;

impl Request {
    pub(super) fn new(
        request: http::Request<RecvStream>,
        respond: SendResponse<Bytes>,
        seen: &Arc<Seen>,
        orders: UnboundedSender<Order>,
    ) -> Self {
        let path = request.uri().path().to_owned();
        seen.hit_path(&path);
        Self {
            path,
            body: request.into_body(),
            respond,
            seen: Arc::clone(seen),
            orders,
        }
    }

    /// Answers it; what cannot be sent is the client's doing.
    pub(super) async fn answer(mut self) {
        let path = self.path.clone();
        let path: Vec<&str> = path.split('/').skip(1).collect();
        let _ = self.misbehave(&path).await;
    }

    async fn misbehave(&mut self, path: &[&str]) -> Sent {
        if path == ["stall", "upload"] {
            return self.stall().await;
        }
        self.read_body().await?;
        match path {
            ["ok"] => self.fine(),
            ["slow", pause] => {
                sleep(Duration::from_millis(pause.parse().unwrap_or(0))).await;
                self.fine()
            }
            ["reset", name] => self.reset(name),
            ["reset-after-head", name] => {
                let mut sending = self.head(Response::builder())?;
                sleep(TIME_TO_READ).await;
                sending.send_reset(reason(name));
                Ok(())
            }
            ["reset-in-body", name] => {
                let mut sending = self.head(Response::builder())?;
                sending.send_data("half of it".into(), false)?;
                sleep(TIME_TO_READ).await;
                sending.send_reset(reason(name));
                Ok(())
            }
            ["refuse-first", count] => {
                let count = count.parse().unwrap_or(0);
                if self.seen.hits(&self.path) <= count {
                    self.reset("refused-stream")
                } else {
                    self.fine()
                }
            }
            ["goaway", name] => {
                self.fine()?;
                sleep(TIME_TO_READ).await;
                let _ = self.orders.send(Order::GoAway(reason(name)));
                Ok(())
            }
            ["lost", how] => self.lose(how).await,
            ["stall", "before-head"] => self.stall().await,
            ["stall", "in-body"] => {
                let mut sending = self.head(Response::builder())?;
                sending.send_data("half of it".into(), false)?;
                until_reset(&mut sending).await
            }
            ["length", how] => {
                let length = if *how == "too-long" { 100 } else { 3 };
                let head = Response::builder().header("content-length", length);
                self.head(head)?.send_data("ten bytes\n".into(), true)
            }
            ["large", mebibytes] => self.large(mebibytes.parse().unwrap_or(0)).await,
            ["head", "many", count] => {
                let mut head = Response::builder();
                for number in 0..count.parse().unwrap_or(0_u32) {
                    let name = format!("x-number-{number}");
                    head = head.header(HeaderName::try_from(name).unwrap(), number);
                }
                self.head(head)?.send_data("fine\n".into(), true)
            }
            _ => {
                let head = Response::builder().status(404);
                self.head(head)?
                    .send_data("no such misbehaviour\n".into(), true)
            }
        }
    }

    fn head(&mut self, head: Builder) -> Result<SendStream<Bytes>, h2::Error> {
        self.respond.send_response(head.body(()).unwrap(), false)
    }

    fn fine(&mut self) -> Sent {
        self.head(Response::builder())?
            .send_data("fine\n".into(), true)
    }

    fn reset(&mut self, name: &str) -> Sent {
        self.respond.send_reset(reason(name));
        Ok(())
    }

    async fn lose(&mut self, how: &str) -> Sent {
        if how == "before-head" {
            let _ = self.orders.send(Order::Lose);
            return self.stall().await;
        }
        let mut sending = self.head(Response::builder())?;
        sending.send_data("half of it".into(), false)?;
        sleep(TIME_TO_READ).await;
        let _ = self.orders.send(Order::Lose);
        until_reset(&mut sending).await
    }

    /// Keeps a stream without an answer open until the client resets it or the connection ends.
    async fn stall(&mut self) -> Sent {
        poll_fn(|context| self.respond.poll_reset(context))
            .await
            .map(|_| ())
    }

    async fn large(&mut self, mebibytes: usize) -> Sent {
        let mut left = mebibytes << 20;
        let mut sending = self.head(Response::builder().header("content-length", left))?;
        let block = Bytes::from(vec![b'x'; BLOCK]);
        while left > 0 {
            sending.reserve_capacity(BLOCK.min(left));
            let room = poll_fn(|context| sending.poll_capacity(context)).await;
            let Some(room) = room.transpose()? else {
                return Ok(());
            };
            let part = room.min(left).min(BLOCK);
            left -= part;
            sending.send_data(block.slice(..part), left == 0)?;
        }
        Ok(())
    }

    async fn read_body(&mut self) -> Sent {
        while let Some(data) = self.body.data().await {
            let length = data?.len();
            self.seen.body(&self.path, length);
            self.body.flow_control().release_capacity(length)?;
        }
        Ok(())
    }
}

/// Keeps a stream with half an answer open until the client resets it or the connection ends.
async fn until_reset(sending: &mut SendStream<Bytes>) -> Sent {
    poll_fn(|context| sending.poll_reset(context))
        .await
        .map(|_| ())
}

fn reason(name: &str) -> Reason {
    match name {
        "no-error" => Reason::NO_ERROR,
        "protocol-error" => Reason::PROTOCOL_ERROR,
        "refused-stream" => Reason::REFUSED_STREAM,
        "cancel" => Reason::CANCEL,
        "enhance-your-calm" => Reason::ENHANCE_YOUR_CALM,
        "http-1-1-required" => Reason::HTTP_1_1_REQUIRED,
        _ => Reason::INTERNAL_ERROR,
    }
}
