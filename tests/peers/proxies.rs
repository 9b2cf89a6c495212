//! Proxies: tinyproxy for HTTP, microsocks for SOCKS 5, and when they are used.

use mite::{
    Context, Error,
    http::{Connections, Proxy, Settings, Tls},
    journey, testing,
};
use tests::{
    certificates::Authority,
    nginx::{Config, Nginx},
    proxy::{Credentials, HttpProxy, Socks},
};

use crate::{
    program::visits,
    run::{at_with, passes, statuses},
};

const ADA: Credentials<'_> = Credentials {
    user: "ada",
    password: "secret",
};

/// Looks at two pages.
#[journey]
async fn look_twice(ctx: &Context) -> mite::Result {
    ctx.http().get("/").send().await?.expect_status(200)?;
    ctx.http().get("/item/1").send().await?.expect_status(200)?;
    Ok(())
}

/// A server with TLS, and a client that trusts it.
fn secured() -> (Nginx, Settings) {
    let authority = Authority::new();
    let nginx = Config::tls(&authority.server()).start();
    let tls = Tls::new().root_certificate_pem(authority.pem());
    (nginx, Settings::new().tls(tls))
}

/// A client whose requests are forwarded. It keeps no connection, since the proxy ends each after
/// its answer without a word, and a request that meets that end would fail.
fn forwarded(proxy: Proxy) -> Settings {
    Settings::new()
        .connections(Connections::none())
        .proxy(proxy)
}

/// The failure of a client with this proxy.
async fn failure(url: String, client: &Settings) -> (String, String) {
    let recorded = testing::run_with::<look_twice>((), at_with(url, client)).await;
    let error: &Error = recorded.result().unwrap_err();
    (error.kind().to_owned(), error.message().to_owned())
}

#[tokio::test]
async fn an_http_proxy_is_asked_for_whole_urls() {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(None);
    let client = forwarded(Proxy::all(proxy.url()));
    passes::<look_twice>((), at_with(nginx.url(), &client)).await;
    let url = nginx.url();
    let asked = ["/", "/item/1"].map(|path| format!("GET {url}{path} HTTP/1.1"));
    assert_eq!(proxy.requests(), asked);
    assert_eq!(nginx.finish().len(), 2);
}

#[tokio::test]
async fn an_http_proxy_opens_one_tunnel_for_a_connection_with_tls() {
    let (nginx, client) = secured();
    let proxy = HttpProxy::start(None);
    let client = client.proxy(Proxy::all(proxy.url()));
    passes::<look_twice>((), at_with(nginx.url(), &client)).await;
    let asked = format!("CONNECT {} HTTP/1.1", nginx.address());
    assert_eq!((proxy.requests(), proxy.connections()), (vec![asked], 1));
    let log = nginx.finish();
    assert_eq!((log.len(), log.connections()), (2, 1));
    assert!(log.0.iter().all(|line| line.tls.is_some()));
}

#[tokio::test]
async fn an_http_proxy_is_shown_its_credentials_with_and_without_a_tunnel() {
    let proxy = HttpProxy::start(Some(ADA));
    let through = |user: &str| Proxy::all(format!("http://{user}{}", proxy.address()));
    let plain = Nginx::start();
    let (secured, client) = secured();

    let known = forwarded(through("ada:secret@"));
    passes::<look_twice>((), at_with(plain.url(), &known)).await;
    let known = client.clone().proxy(through("ada:secret@"));
    passes::<look_twice>((), at_with(secured.url(), &known)).await;

    // To who shows wrong ones it says 401, whatever they were for.
    for (stranger, status) in [("", 407), ("ada:wrong@", 401)] {
        // Without a tunnel a refusal is an answer, with one there is no connection.
        let config = at_with(plain.url(), &Settings::new().proxy(through(stranger)));
        let recorded = testing::run_with::<look_twice>((), config).await;
        assert!(recorded.result().is_err());
        assert_eq!(statuses(&recorded), [status]);
        let client = client.clone().proxy(through(stranger));
        let (kind, message) = failure(secured.url(), &client).await;
        assert_eq!(kind, "proxy");
        assert!(message.contains(&status.to_string()), "{message}");
        assert!(!message.contains("wrong"), "{message}");
    }
    assert_eq!((plain.finish().len(), secured.finish().len()), (2, 2));
}

#[tokio::test]
async fn a_socks_proxy_is_given_an_address_or_a_name() {
    let nginx = Nginx::start();
    let port = nginx.address().port();
    for (scheme, target) in [("socks5", "127.0.0.1"), ("socks5h", "localhost")] {
        for credentials in [None, Some(ADA)] {
            let proxy = Socks::start(credentials);
            let user = if credentials.is_some() {
                "ada:secret@"
            } else {
                ""
            };
            let url = format!("{scheme}://{user}{}", proxy.address());
            let client = Settings::new().proxy(Proxy::all(url));
            passes::<look_twice>((), at_with(nginx.url_of("localhost"), &client)).await;
            assert_eq!(proxy.wait_for_targets(1), [format!("{target}:{port}")]);
        }
    }
    let log = nginx.finish();
    assert_eq!((log.len(), log.connections()), (8, 4));
}

#[tokio::test]
async fn a_socks_proxy_carries_tls() {
    let (nginx, client) = secured();
    let proxy = Socks::start(None);
    let client = client.proxy(Proxy::all(format!("socks5://{}", proxy.address())));
    passes::<look_twice>((), at_with(nginx.url(), &client)).await;
    assert_eq!(proxy.wait_for_targets(1).len(), 1);
    let log = nginx.finish();
    assert_eq!((log.len(), log.connections()), (2, 1));
}

#[tokio::test]
async fn a_socks_proxy_that_refuses_is_an_error_of_the_proxy() {
    let nginx = Nginx::start();
    let proxy = Socks::start(Some(ADA));
    for stranger in ["", "ada:wrong@"] {
        let url = format!("socks5://{stranger}{}", proxy.address());
        let client = Settings::new().proxy(Proxy::all(url));
        let (kind, message) = failure(nginx.url(), &client).await;
        assert_eq!(kind, "proxy", "{message}");
        assert!(!message.contains("wrong"), "{message}");
    }
    assert_eq!(proxy.targets(), [""; 0]);
    assert!(nginx.finish().is_empty());
}

#[tokio::test]
async fn exceptions_are_connected_to_directly() {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(None);
    for exceptions in ["127.0.0.0/8", "shop.test, 127.0.0.1", "*"] {
        let through = Proxy::all(proxy.url()).no_proxy(exceptions);
        let client = Settings::new().proxy(through);
        passes::<look_twice>((), at_with(nginx.url(), &client)).await;
    }
    assert_eq!(proxy.connections(), 0);
    let through = Proxy::all(proxy.url()).no_proxy("shop.test,10.0.0.0/8");
    let client = forwarded(through);
    passes::<look_twice>((), at_with(nginx.url(), &client)).await;
    assert_eq!(proxy.connections(), 2);
    assert_eq!(nginx.finish().len(), 8);
}

#[tokio::test]
async fn a_proxy_for_one_scheme_is_not_for_the_other() {
    let (secured, client) = secured();
    let plain = Nginx::start();
    let proxy = HttpProxy::start(None);
    let http_only = client.clone().proxy(Proxy::http(proxy.url()));
    let http_only = http_only.connections(Connections::none());
    let https_only = client.proxy(Proxy::none().https(proxy.url()));
    passes::<look_twice>((), at_with(secured.url(), &http_only)).await;
    passes::<look_twice>((), at_with(plain.url(), &https_only)).await;
    assert_eq!(proxy.connections(), 0);
    passes::<look_twice>((), at_with(secured.url(), &https_only)).await;
    passes::<look_twice>((), at_with(plain.url(), &http_only)).await;
    assert_eq!(proxy.connections(), 3, "a tunnel and two requests");
}

#[tokio::test]
async fn the_environment_names_proxies_and_exceptions_but_not_for_loopback() {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(None);
    let socks = Socks::start(None);
    let port = nginx.address().port();
    let (http, socks_url) = (proxy.url(), format!("socks5://{}", socks.address()));
    let visit = |host: &str, variables: &[(&str, &str)]| {
        let base_url = format!("base_url=http://{host}:{port}");
        let visit = visits(&["--config", &base_url], variables);
        assert_eq!(visit.code, Some(0), "{visit}");
        (proxy.connections(), socks.targets().len())
    };
    // This address, which stands for any of this machine, is not one of loopback.
    let any = "0.0.0.0";
    assert_eq!(visit(any, &[]), (0, 0));
    assert_eq!(visit(any, &[("http_proxy", &http)]), (1, 0));
    assert_eq!(
        visit(any, &[("HTTP_PROXY", &http), ("all_proxy", &socks_url)]),
        (2, 0)
    );
    assert_eq!(
        visit(any, &[("http_proxy", &http), ("no_proxy", any)]),
        (2, 0)
    );
    assert_eq!(visit(any, &[("https_proxy", &http)]), (2, 0));
    for loopback in ["127.0.0.1", "localhost"] {
        assert_eq!(
            visit(loopback, &[("all_proxy", &http)]),
            (2, 0),
            "{loopback}"
        );
    }
    visit(any, &[("ALL_PROXY", &socks_url)]);
    assert_eq!(socks.wait_for_targets(1).len(), 1);
    assert_eq!(nginx.finish().len(), 8);
}
