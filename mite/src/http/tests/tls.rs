//! Whose certificates are accepted.

use super::*;
use crate::{http::worker::Worker, net::Tls};

#[test]
fn an_untrusted_certificate_is_refused_unless_the_session_accepts_any() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    with(&server, async |session, log| {
        let url = format!("https://localhost:{}/", server.address.port());
        let error = failure(&session, &url).await;
        assert_eq!((error.kind(), error.is_connect()), ("tls", true));
        for words in ["localhost", "does not trust", "--insecure"] {
            assert!(error.to_string().contains(words), "{error}");
        }
        let recorded = log.last();
        assert_eq!((recorded.sent, recorded.failed), (false, true));
        assert_eq!(recorded.phases, [true, true, false, false]);

        session.danger_accept_invalid_certs(true);
        for phases in [[false, true, true, true], REUSED] {
            session.get(&url).send().await.unwrap();
            assert_eq!(log.last().phases, phases);
            assert_eq!(log.last().bytes_received, HI.len() as u64);
        }
        assert!(log.exchanges.borrow()[1].curl.contains("--insecure"));
    });
}

#[test]
fn the_config_can_accept_any_certificate_too() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    let mut config = Config::default();
    config
        .set("base_url", server.url())
        .set("mite.insecure", true);
    with_config(config, async |context, _| {
        assert_eq!(context.http().get("/").send().await.unwrap().status(), 200);
    });
}

#[test]
fn a_trusted_certificate_is_good_for_its_own_name_only() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI));
    with_config(Config::default(), async |context, _| {
        let tls = Tls::new()
            .root_certificate_pem(pem(&server))
            .only_given_roots();
        let worker = Worker::with_tls(&context, &tls);
        let base = worker.base(None, false);
        let port = server.address.port();
        for (host, accepted) in [("localhost", true), ("127.0.0.1", false)] {
            let target = base.target(&format!("https://{host}:{port}/"), &worker.pool);
            let phases = Default::default();
            let connected = worker
                .pool
                .connect(&target.unwrap().endpoint, &phases)
                .await;
            assert_eq!(connected.is_ok(), accepted, "{host}");
            if let Err(error) = connected {
                let message = format!("{error:?}");
                assert!(
                    message.contains("it is for") && message.contains("localhost"),
                    "{message}"
                );
            }
        }
    });
}

#[test]
fn tls_connections_closed_between_requests_are_no_error_either() {
    let server = TestServer::start_tls("localhost", |_| Act::answer(HI).then_close());
    with(&server, async |session, log| {
        session.danger_accept_invalid_certs(true);
        for _ in 0..3 {
            session.get("/").send().await.unwrap();
            server.wait_for_close();
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(log.all().iter().all(|request| request.error.is_none()));
        assert_eq!((server.accepted(), server.seen().len()), (3, 3));
    });
}

fn pem(server: &TestServer) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = STANDARD.encode(server.certificate.as_ref().unwrap());
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}
