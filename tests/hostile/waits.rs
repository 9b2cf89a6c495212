//! How long a server is waited for, for what, and who gives up.

use std::time::{Duration, Instant};

use mite::{
    Context,
    http::{HttpVersion, Network},
    journey, testing,
};
use tests::{
    certificates::Authority,
    hostile::{Deaf, Handshake, Hostile, Http2Config, NoTls},
};
use tokio::time::timeout;

use crate::asking::{LONG, SHORT, config, kinds};

/// Asks for a path of a server that may be silent only so long, of whichever version.
#[journey]
async fn ask_impatiently(ctx: &Context, (path, http2): (String, bool)) -> mite::Result {
    let http = ctx.http();
    http.configure(|settings| {
        let settings = settings.read_timeout(SHORT).timeout(LONG);
        if http2 {
            settings.version(HttpVersion::Http2)
        } else {
            settings
        }
    });
    http.get(&path).send().await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_silent_for_too_long_is_a_timeout_and_one_that_dawdles_is_not() {
    let identity = Authority::new().server();
    let (plain, secured) = (Hostile::start(), Hostile::https(&identity));
    let (known, chosen) = (
        Http2Config::plain().start(),
        Http2Config::tls(&identity).start(),
    );
    let stalls = ["/stall/before-head", "/stall/in-body"];
    for (url, http2) in [
        (plain.url(), false),
        (secured.url(), false),
        (known.url(), true),
        (chosen.url(), false),
    ] {
        for path in stalls {
            let began = Instant::now();
            let data = (path.to_owned(), http2);
            let recorded = testing::run_with::<ask_impatiently>(data, config(url.clone())).await;
            let error = recorded.result().unwrap_err();
            assert_eq!(error.kind(), "timeout", "{url}{path}");
            assert!(error.to_string().contains("nothing came"), "{error}");
            assert!((SHORT..LONG / 2).contains(&began.elapsed()), "{url}{path}");
            assert_eq!(kinds(&recorded), [Some("timeout")]);
        }
    }
    // Twice as long as the server may be silent.
    let data = ("/drip/12/50".to_owned(), false);
    let recorded = testing::run_with::<ask_impatiently>(data, config(plain.url())).await;
    recorded.result().unwrap();
    let seen = |path| {
        [
            plain.hits(path),
            secured.hits(path),
            known.hits(path),
            chosen.hits(path),
        ]
    };
    assert_eq!(stalls.map(seen), [[1; 4]; 2]);
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_in_time_is_a_timeout_and_no_request() {
    #[journey]
    async fn connect(ctx: &Context) -> mite::Result {
        ctx.http().configure(|settings| {
            settings
                .network(Network::new().connect_timeout(SHORT))
                .timeout(LONG)
        });
        let Err(error) = ctx.http().get("/").send().await else {
            mite::bail!("there was an answer");
        };
        mite::ensure!(error.is_timeout() && error.is_connect(), "{error:?}");
        Ok(())
    }
    let deaf = Deaf::start();
    let (silent, half) = (
        NoTls::start(Handshake::Stalls),
        NoTls::start(Handshake::StallsInRecord),
    );
    for url in [deaf.url(), silent.url(), half.url()] {
        let began = Instant::now();
        let recorded = testing::run_with::<connect>((), config(url.clone())).await;
        assert!(recorded.result().is_ok(), "{url}: {:?}", recorded.result());
        assert!((SHORT..LONG / 2).contains(&began.elapsed()), "{url}");
        assert_eq!(kinds(&recorded), [Some("timeout")]);
        let requests = recorded.events("http");
        assert_eq!(requests[0].field("bytes_sent").unwrap(), 0, "{url}");
    }
    assert_eq!((silent.connections(), half.connections()), (1, 1));
}

#[tokio::test]
async fn a_request_that_is_given_up_is_interrupted_and_counted_once() {
    #[journey]
    async fn give_up(ctx: &Context, http2: bool) -> mite::Result {
        let http = ctx.http();
        if http2 {
            http.configure(|settings| settings.version(HttpVersion::Http2));
        }
        for path in ["/stall/before-head", "/stall/in-body"] {
            let waited = timeout(SHORT, http.get(path).send()).await;
            mite::ensure!(waited.is_err(), "{path} was answered");
        }
        tokio::select! {
            biased;
            _ = http.get("/stall/before-head").send() => mite::bail!("it was answered"),
            () = tokio::time::sleep(SHORT) => {}
        }
        http.get("/ok").send().await?.expect_status(200)?;
        Ok(())
    }
    let wanted = [
        Some("interrupted"),
        Some("interrupted"),
        Some("interrupted"),
        None,
    ];
    let hostile = Hostile::start();
    let recorded = testing::run_with::<give_up>(false, config(hostile.url())).await;
    recorded.result().unwrap();
    assert_eq!(kinds(&recorded), wanted);
    // Each took its connection with it.
    assert_eq!((hostile.requests(), hostile.connections()), (4, 4));

    let server = Http2Config::plain().start();
    let recorded = testing::run_with::<give_up>(true, config(server.url())).await;
    recorded.result().unwrap();
    assert_eq!(kinds(&recorded), wanted);
    // Each took its stream only.
    assert_eq!((server.requests(), server.connections()), (4, 1));
}

#[tokio::test]
async fn a_body_waits_for_leave_and_stays_here_when_it_is_refused() {
    #[journey]
    async fn offer(ctx: &Context, path: String) -> mite::Result {
        let request = ctx.http().post(&path).body("12345").expect_continue();
        let answer = request.ok_status(417).timeout(LONG).send().await?;
        ctx.send("status", u64::from(answer.status().as_u16()))?;
        Ok(())
    }
    let second = Duration::from_secs(1);
    let identity = Authority::new().server();
    for hostile in [Hostile::start(), Hostile::https(&identity)] {
        for (path, status, bytes, waits) in [
            ("/expect/granted", 200, 5, false),
            ("/expect/refused", 417, 0, false),
            ("/expect/final", 200, 0, false),
            // Nobody says a word for a second, and then it goes anyway.
            ("/expect/ignored", 200, 5, true),
        ] {
            let began = Instant::now();
            let config = config(hostile.url());
            let recorded = testing::run_with::<offer>(path.to_owned(), config).await;
            assert!(recorded.result().is_ok(), "{path}: {:?}", recorded.result());
            let answered = recorded.events("status")[0].field("value").unwrap().clone();
            assert_eq!(answered, status, "{path}");
            assert!(began.elapsed() >= second || !waits, "{path}");
            assert_eq!(kinds(&recorded), [None], "{path}");
            assert_eq!((hostile.hits(path), hostile.body_bytes(path)), (1, bytes));
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_sent_is_an_answer() {
    /// More than the sockets on the way hold.
    const LARGE: usize = 32 << 20;

    #[journey]
    async fn upload(ctx: &Context, path: String) -> mite::Result {
        let request = ctx.http().post(&path).body(vec![0; LARGE]).timeout(LONG);
        request.send().await?.expect_status(413)?;
        Ok(())
    }
    for (path, kinds_allowed) in [
        ("/early/answer", &["fine"][..]),
        // The answer may be overtaken by what follows it.
        ("/early/close", &["fine", "reset", "closed"]),
        ("/early/reset", &["fine", "reset", "closed"]),
    ] {
        let hostile = Hostile::start();
        let recorded = testing::run_with::<upload>(path.to_owned(), config(hostile.url())).await;
        let found = recorded
            .result()
            .map_or_else(mite::Error::kind, |()| "fine");
        assert!(
            kinds_allowed.contains(&found),
            "{path}: {:?}",
            recorded.result()
        );
        assert_eq!((hostile.hits(path), recorded.events("http").len()), (1, 1));
        assert!(hostile.body_bytes(path) <= LARGE as u64);
    }
}
