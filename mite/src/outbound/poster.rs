//! One POST and its answer, each on a connection of its own.

use std::{cell::Cell, convert::Infallible, fmt, future::pending, rc::Rc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{Address, Error};
use crate::net::{self, Connector, Phases, Resolver, Tls};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Posts to other programs and reads what they answer.
///
/// # Defaults
///
/// From the lookup of the name to the last byte of the answer it may take 5 s. Certificates are
/// verified. Proxies are those of the environment (`https_proxy`, `no_proxy` and so on). Of an
/// answer's body 64 KiB are read. Redirects are not followed: they are answers like others.
pub(crate) struct Poster {
    connector: Connector,
    time_limit: Duration,
    longest_answer: usize,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// What else its head says.
    #[cfg(feature = "otel")]
    pub(crate) headers: HeaderMap,
    /// As much of it as is read at most.
    pub(crate) body: Bytes,
    /// Whether there was more.
    pub(crate) cut: bool,
}

impl Poster {
    /// One that trusts whom these settings trust.
    ///
    /// What is wrong with them is an error of the first [`post`](Poster::post).
    pub(crate) fn new(tls: Tls) -> Self {
        let settings = net::Settings {
            tls,
            ..net::Settings::default()
        };
        Self {
            connector: Connector::new(&settings, Rc::new(Resolver::new())),
            time_limit: Duration::from_secs(5),
            longest_answer: 64 * 1024,
        }
    }

    /// How long a POST may take in all; 5 s unless set.
    pub(crate) fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Posts once and waits for the answer, whatever its status.
    ///
    /// `headers` say at least the `content-type`. User and password of the address make an
    /// `authorization` header, if there is none among them.
    ///
    /// # Errors
    /// When there is no answer within the time.
    pub(crate) async fn post(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let limit = self.time_limit;
        match timeout(limit, self.exchange(to, headers, body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::passing(format!(
                "no answer within {}",
                humantime::format_duration(limit)
            ))),
        }
    }

    async fn exchange(
        &self,
        to: &Address,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Error> {
        let peer = to.peer();
        let route = self
            .connector
            .route(peer.https, peer.host, peer.port)
            .map_err(Error::lasting)?;
        let forwarding = route.forwarding();
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.target(forwarding.is_some()).map_err(Error::lasting)?;
        *request.headers_mut() = headers;
        complete(request.headers_mut(), to, forwarding.flatten())?;

        let phases = Cell::new(Phases::default());
        let stream = self.connector.connect(peer, &route, &phases).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(LONGEST_HEAD)
            .handshake(TokioIo::new(stream))
            .await?;
        // Why a connection ends is told to the request on it as well.
        let drive = async move {
            let _ = connection.await;
            pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            answer = async { self.read(sender.send_request(request).await?).await } => answer,
            never = drive => match never {},
        }
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Error> {
        let (head, mut incoming) = response.into_parts();
        let mut body = BytesMut::new();
        let mut cut = false;
        while let Some(frame) = incoming.frame().await {
            let Ok(piece) = frame?.into_data() else {
                continue;
            };
            let room = self.longest_answer - body.len();
            body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if piece.len() > room {
                cut = true;
                break;
            }
        }
        Ok(Answer {
            status: head.status,
            #[cfg(feature = "otel")]
            headers: head.headers,
            body: body.freeze(),
            cut,
        })
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Poster")
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

/// What every request of ours says of itself.
fn complete(
    headers: &mut HeaderMap,
    to: &Address,
    proxy: Option<HeaderValue>,
) -> Result<(), Error> {
    headers.insert(header::HOST, to.host_header().map_err(Error::lasting)?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers
        .entry(header::USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!(
            "mite/",
            env!("CARGO_PKG_VERSION")
        )));
    if let Some(authorization) = to.authorization() {
        headers
            .entry(header::AUTHORIZATION)
            .or_insert(authorization);
    }
    if let Some(authorization) = proxy {
        headers.insert(header::PROXY_AUTHORIZATION, authorization);
    }
    Ok(())
}
