//! Names, addresses and time limits of connections; as nginx sees them.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use mite::{
    Context,
    http::{AddressFamily, Connections, Network, Settings},
    journey, testing,
};
use serde_json::Value;
use tests::{
    httpbin::Httpbin,
    nginx::{Config, Nginx},
};

use crate::{
    program::visits,
    run::{at_with, fields, passes, timings},
};

/// Makes six requests, one after the other.
#[journey]
async fn six(ctx: &Context) -> mite::Result {
    for _ in 0..6 {
        ctx.http().get("/").send().await?.expect_status(200)?;
    }
    Ok(())
}

/// A client with a new connection for each request.
fn always_new(network: Network) -> Settings {
    let none = Connections::none();
    Settings::new().connections(none).network(network)
}

#[tokio::test]
async fn a_name_is_where_it_is_said_to_be() {
    let nginx = Nginx::with("location = /host { return 200 $host; }");
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let answer = ctx.http().get("/host").send().await?;
        answer.expect_body_contains("shop.test")?;
        Ok(())
    }
    let port = nginx.address().port();
    let network = Network::new().resolve(format!("shop.test:{port}:127.0.0.1"));
    let client = Settings::new().network(network);
    passes::<asks>((), at_with(nginx.url_of("shop.test"), &client)).await;

    let base_url = format!("base_url={}", nginx.url_of("other.test"));
    let entry = format!("other.test:{port}:127.0.0.1");
    let visit = visits(&["--config", &base_url, "--resolve", &entry], &[]);
    assert_eq!(visit.code, Some(0), "{visit}");
    let log = nginx.finish();
    assert_eq!((log.count("/host"), log.count("/")), (1, 1));
}

#[tokio::test]
async fn several_addresses_of_a_name_are_used_in_turn() {
    let nginx = Config::plain().address(Ipv4Addr::UNSPECIFIED).start();
    let port = nginx.address().port();
    let network = Network::new().resolve(format!("shop.test:{port}:127.0.0.1,127.0.0.2,127.0.0.3"));
    let client = always_new(network);
    passes::<six>((), at_with(nginx.url_of("shop.test"), &client)).await;
    let log = nginx.finish();
    let servers: Vec<_> = log.0.iter().map(|line| line.server.as_str()).collect();
    let [one, two, three] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    assert_eq!(servers, [one, two, three, one, two, three]);
}

#[tokio::test]
async fn an_address_that_refuses_is_passed_over() {
    let nginx = Nginx::start();
    let port = nginx.address().port();
    let network = Network::new().resolve(format!("shop.test:{port}:127.0.0.2,127.0.0.1"));
    let client = always_new(network);
    let recorded = passes::<six>((), at_with(nginx.url_of("shop.test"), &client)).await;
    assert_eq!(fields(&recorded, "failed"), [false; 6]);
    assert_eq!(nginx.finish().len(), 6);
}

#[tokio::test]
async fn where_one_family_does_not_answer_the_other_does() {
    let nginx = Nginx::start();
    let port = nginx.address().port();
    let network = Network::new().resolve(format!("shop.test:{port}:[::1],127.0.0.1"));
    let client = always_new(network);
    passes::<six>((), at_with(nginx.url_of("shop.test"), &client)).await;
    let log = nginx.finish();
    assert_eq!(log.count_of(|line| line.client == "127.0.0.1"), 6);
}

#[tokio::test]
async fn source_addresses_are_used_in_turn() {
    let nginx = Nginx::start();
    let sources: [IpAddr; 2] = [[127, 0, 0, 5].into(), [127, 0, 0, 6].into()];
    let client = always_new(Network::new().source_addresses(sources));
    passes::<six>((), at_with(nginx.url(), &client)).await;
    let log = nginx.finish();
    let clients: Vec<_> = log.0.iter().map(|line| line.client.as_str()).collect();
    let [five, six] = ["127.0.0.5", "127.0.0.6"];
    assert_eq!(clients, [five, six, five, six, five, six]);
}

#[tokio::test]
async fn a_unix_socket_stands_for_every_host() {
    let nginx = Nginx::start();
    let network = Network::new().unix_socket(nginx.socket());
    let client = Settings::new().network(network);
    passes::<six>((), at_with("http://shop.test", &client)).await;
    let log = nginx.finish();
    assert_eq!((log.len(), log.connections()), (6, 1));
    assert!(log.0.iter().all(|line| line.client == "unix:"), "{log:?}");
}

#[tokio::test]
async fn only_addresses_of_the_family_wanted_are_used() {
    let nginx = Nginx::start();
    let url = nginx.url_of("localhost");
    let client = |family| Settings::new().network(Network::new().address_family(family));
    for family in [
        AddressFamily::Ipv4Only,
        AddressFamily::PreferIpv4,
        AddressFamily::PreferIpv6,
    ] {
        passes::<six>((), at_with(&url, &client(family))).await;
    }
    let config = at_with(&url, &client(AddressFamily::Ipv6Only));
    let recorded = testing::run_with::<six>((), config).await;
    // This machine's name may have such an address, where nobody listens, or none.
    let error = recorded.result().unwrap_err();
    assert!(["dns", "connect"].contains(&error.kind()), "{error:?}");
    assert_eq!(nginx.finish().len(), 3 * 6);
}

#[tokio::test]
async fn a_name_is_looked_up_once_in_a_while_and_an_address_never() {
    let nginx = Nginx::start();
    let ipv4 = || Network::new().address_family(AddressFamily::PreferIpv4);
    let lookups = async |url: String, network: Network| -> Vec<bool> {
        let recorded = passes::<six>((), at_with(url, &always_new(network))).await;
        let timings = timings(&recorded).into_iter();
        timings.map(|timings| timings.dns.is_some()).collect()
    };
    let name = || nginx.url_of("localhost");
    let once = [true, false, false, false, false, false];
    assert_eq!(lookups(name(), ipv4()).await, once);
    assert_eq!(
        lookups(name(), ipv4().dns_ttl(Duration::ZERO)).await,
        [true; 6]
    );
    assert_eq!(lookups(nginx.url(), ipv4()).await, [false; 6]);
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_given_up() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let began = Instant::now();
        let error = ctx.http().get("/").send().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(10), "{error}");
        assert!(error.is_timeout() && error.is_connect(), "{error:?}");
        Ok(())
    }
    // Takes connections, but says nothing to a handshake.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let network = Network::new().connect_timeout(Duration::from_millis(200));
    let client = Settings::new().network(network);
    let url = format!("https://{}", silent.local_addr().unwrap());
    let recorded = passes::<asks>((), at_with(url, &client)).await;
    assert_eq!(fields(&recorded, "error"), ["timeout"]);
    assert_eq!(
        fields(&recorded, "sent"),
        [Value::Null],
        "nothing was written"
    );
}

#[tokio::test]
async fn a_server_that_is_silent_for_too_long_is_given_up() {
    #[journey]
    async fn asks(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        // Never silent for long, though longer in all.
        let drip = http.get("/drip?numbytes=6&duration=1.5");
        drip.send().await?.expect_status(200)?;
        let began = Instant::now();
        let error = http.get("/delay/5").send().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(4), "{error}");
        assert!(error.is_timeout() && !error.is_connect(), "{error:?}");
        let base = ctx.config().text("base_url").unwrap_or_default();
        let expected = format!("GET {base}/delay/5: nothing came from the server for 1s");
        assert_eq!(error.to_string(), expected);
        Ok(())
    }
    let client = Settings::new().read_timeout(Duration::from_secs(1));
    passes::<asks>((), at_with(Httpbin::shared().url(), &client)).await;
}
