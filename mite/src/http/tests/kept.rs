//! Connections that are used again, and those that cannot be.

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
};

use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::*;
use crate::http::pool::{Endpoint, Offer};

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = always(HI);
    with(&server, async |session, log| {
        for _ in 0..3 {
            let response = session.get("/").send().await.unwrap();
            assert_eq!(response.text().unwrap(), "hi");
        }
        let phases: Vec<_> = log.all().iter().map(|request| request.phases).collect();
        assert_eq!(phases, [NEW, REUSED, REUSED]);
        let reused: Vec<_> = log.all().iter().map(|request| request.reused).collect();
        assert_eq!(reused, [false, true, true]);
    });
    assert_eq!((server.accepted(), server.seen().len()), (1, 3));
}

/// Closes each connection after its first answer, announced or not.
fn closing_server(announced: bool) -> TestServer {
    TestServer::start(move |_| {
        let announcement = if announced {
            "connection: close\r\n"
        } else {
            ""
        };
        Act::answer(format!(
            "HTTP/1.1 200 OK\r\n{announcement}content-length: 2\r\n\r\nhi"
        ))
        .then_close()
    })
}

#[test]
fn a_close_between_requests_is_no_error_and_nothing_is_sent_twice() {
    for announced in [true, false] {
        for runtime_may_notice in [true, false] {
            let server = closing_server(announced);
            with(&server, async |session, log| {
                for round in 0..5 {
                    let response = session.get(format!("/{round}")).send().await.unwrap();
                    assert_eq!(response.text().unwrap(), "hi");
                    server.wait_for_close();
                    if runtime_may_notice {
                        sleep(Duration::from_millis(5)).await;
                    } else {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
                assert!(log.all().iter().all(|request| request.error.is_none()));
                let paths: Vec<_> = server
                    .seen()
                    .iter()
                    .map(|seen| seen.path().to_owned())
                    .collect();
                assert_eq!(paths, ["/0", "/1", "/2", "/3", "/4"]);
                assert_eq!(server.accepted(), 5);
            });
        }
    }
}

#[test]
fn a_request_of_which_something_was_written_is_never_sent_again() {
    let server = TestServer::start(|seen| match seen.nth {
        0 => Act::answer(HI),
        _ => Act::nothing().then_close(),
    });
    with(&server, async |session, log| {
        session.get("/first").send().await.unwrap();
        let error = failure(&session, "/second").await;
        assert_eq!(error.kind(), "closed");
        assert_eq!((log.last().sent, log.last().reused), (true, true));
        assert_eq!(server.seen().len(), 2);
        assert_eq!(server.accepted(), 1);
    });
}

#[test]
fn what_nobody_asked_for_ends_a_kept_connection() {
    let server = TestServer::start(|seen| match seen.connection {
        0 => Act::answer(HI).then(Duration::from_millis(2), "HTTP/1.1 408 Timeout\r\n\r\n"),
        _ => Act::answer(HI),
    });
    with(&server, async |session, _| {
        session.get("/").send().await.unwrap();
        sleep(Duration::from_millis(20)).await;
        assert_eq!(session.get("/").send().await.unwrap().status(), 200);
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn a_connection_the_journey_wants_closed_is_not_kept() {
    let server = always(HI);
    with(&server, async |session, _| {
        session.default_header("connection", "close");
        for _ in 0..2 {
            session.get("/").send().await.unwrap();
        }
        assert_eq!(server.accepted(), 2);
    });
}

#[test]
fn two_requests_at_once_use_two_connections_and_both_are_kept() {
    let server = TestServer::start(|_| Act::nothing().then(Duration::from_millis(20), HI));
    with(&server, async |session, _| {
        for _ in 0..2 {
            let (a, b) = tokio::join!(session.get("/a").send(), session.get("/b").send());
            assert_eq!(
                (a.unwrap().status(), b.unwrap().status()),
                (StatusCode::OK, StatusCode::OK)
            );
        }
        assert_eq!((server.accepted(), server.seen().len()), (2, 4));
        let base = session.state.base();
        let endpoint = &base
            .target("/a", &session.state.worker.profile.pool)
            .unwrap()
            .endpoint;
        assert_eq!(endpoint.idle(), 2);
    });
}

#[test]
fn a_reset_noticed_only_in_writing_costs_a_new_connection_and_no_error() {
    let server = TestServer::start(|_| Act::answer(HI).then_reset());
    with(&server, async |session, log| {
        for _ in 0..20 {
            session.get("/").send().await.unwrap();
            server.wait_for_close();
        }
        assert!(log.all().iter().all(|request| request.error.is_none()));
        assert_eq!((server.accepted(), server.seen().len()), (20, 20));
    });
}

#[test]
fn a_request_on_a_kept_connection_is_polled_twice_and_stays_small() {
    let server = always(HI);
    with(&server, async |session, _| {
        for round in 0..3 {
            let send = session.get("/").send();
            let size = size_of_val(&send);
            assert!(size < 2048, "{size} bytes");
            let mut send = pin!(send);
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                send.as_mut().poll(cx)
            })
            .await
            .unwrap();
            assert!(round == 0 || polls == 2, "{polls} polls");
        }
    });
}

#[test]
fn connections_nobody_needs_or_the_server_closed_are_let_go() {
    let staying = always(HI);
    let leaving = TestServer::start(|_| {
        let pause = Duration::from_millis(20);
        Act::answer(HI).then(pause, "").then_close()
    });
    with_config(Config::default(), async |context, _| {
        let session = context.http();
        let pool = &session.state.worker.profile.pool;
        let endpoint = |server: &TestServer| {
            let target = session.state.base().target(&server.url(), pool).unwrap();
            Rc::clone(&target.endpoint)
        };
        let (kept, left) = (endpoint(&staying), endpoint(&leaving));
        let idle = || (kept.idle(), left.idle());
        let take = |endpoint: &Endpoint| match endpoint.offer(Instant::now()) {
            Some(Offer::Kept(connection)) => connection,
            _ => panic!("there is no kept connection"),
        };

        let both = tokio::join!(
            session.get(staying.url()).send(),
            session.get(staying.url()).send(),
        );
        assert!(both.0.is_ok() && both.1.is_ok());
        session.get(leaving.url()).send().await.unwrap();
        assert_eq!(idle(), (2, 1));
        leaving.wait_for_close();
        sleep(Duration::from_millis(5)).await;

        let now = Instant::now();
        let connection = take(&kept);
        pool.keep(&kept, connection, now + Duration::from_secs(6));
        assert_eq!(idle(), (2, 0));

        let connection = take(&kept);
        pool.keep(&kept, connection, now + Duration::from_secs(91));
        assert_eq!(idle(), (1, 0));
    });
}
