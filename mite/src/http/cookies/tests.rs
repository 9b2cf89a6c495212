use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::{set_cookie::Refused, *};

const NOW: i64 = 1_800_000_000;
const HERE: &str = "http://www.shop.test/a/b";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[derive(Default)]
struct Client(CookieJar);

impl Client {
    fn with(cookies: &[(&str, &str)]) -> Self {
        let mut client = Self::default();
        for (from, text) in cookies {
            client.set(from, text).unwrap();
        }
        client
    }

    fn set(&mut self, from: &str, text: &str) -> Result<(), Refused> {
        self.0.set_at(&url(from), text, NOW)
    }

    fn sent(&self, to: &str) -> String {
        self.sent_at(to, NOW)
    }

    fn sent_at(&self, to: &str, now: i64) -> String {
        let header = self.0.header_at(&url(to), now);
        header.map_or_else(String::new, |header| {
            assert!(header.is_sensitive());
            String::from_utf8(header.as_bytes().to_vec()).unwrap()
        })
    }
}

fn refused(from: &str, text: &str) -> Refused {
    Client::default().set(from, text).unwrap_err()
}

#[test]
fn a_cookie_goes_back_to_its_host_only() {
    let client = Client::with(&[(HERE, "a=1; Path=/")]);
    assert_eq!(client.sent("http://www.shop.test/"), "a=1");
    assert_eq!(client.sent("https://www.shop.test:8443/x?y"), "a=1");
    for other in [
        "http://shop.test/",
        "http://x.www.shop.test/",
        "http://www.shop.test.evil.test/",
        "http://127.0.0.1/",
    ] {
        assert_eq!(client.sent(other), "", "{other}");
    }
}

#[test]
fn a_domain_covers_the_hosts_below_it() {
    for domain in ["shop.test", ".shop.test", "SHOP.Test"] {
        let client = Client::with(&[(HERE, &format!("a=1; Path=/; Domain={domain}"))]);
        assert_eq!(client.sent("http://shop.test/"), "a=1", "{domain}");
        assert_eq!(client.sent("http://x.y.shop.test/"), "a=1", "{domain}");
        assert_eq!(client.sent("http://myshop.test/"), "", "{domain}");
    }
    let international = Client::with(&[(
        "http://www.b\u{fc}cher.test/",
        "a=1; Domain=b\u{fc}cher.test",
    )]);
    assert_eq!(international.sent("http://xn--bcher-kva.test/"), "a=1");
    for foreign in ["x.www.shop.test", "other.test", "op.test", "..shop.test"] {
        let text = format!("a=1; Domain={foreign}");
        assert_eq!(refused(HERE, &text), Refused::Foreign, "{foreign}");
    }
}

#[test]
fn public_suffixes_are_refused_but_for_the_host_itself() {
    for (from, suffix) in [
        ("http://shop.com/", "com"),
        ("http://shop.co.uk/", "co.uk"),
        ("http://joe.github.io/", "github.io"),
        ("http://a.xn--55qx5d.cn/", "xn--55qx5d.cn"),
        ("http://a.b.kobe.jp/", "b.kobe.jp"),
        // One label that is on no list.
        ("http://shop.test/", "test"),
        ("http://api.localhost/", "localhost"),
    ] {
        let text = format!("a=1; Domain={suffix}");
        assert_eq!(
            refused(from, &text),
            Refused::PublicSuffix(suffix.to_owned())
        );
    }
    for host in ["github.io", "localhost", "intranet"] {
        let from = format!("http://{host}/");
        let client = Client::with(&[(&from, &format!("a=1; Domain={host}"))]);
        assert_eq!(client.sent(&from), "a=1");
        assert_eq!(client.sent(&format!("http://joe.{host}/")), "");
    }
    let client = Client::with(&[("http://a.city.kobe.jp/", "a=1; Domain=city.kobe.jp")]);
    assert_eq!(client.sent("http://b.city.kobe.jp/"), "a=1");
}

#[test]
fn addresses_are_hosts_of_their_own() {
    for (address, domain) in [
        ("127.0.0.1", ""),
        ("127.0.0.1", "; Domain=127.0.0.1"),
        ("10.0.0.1:8080", "; Domain=10.0.0.1"),
        ("[::1]:8080", ""),
        ("[::ffff:1.2.3.4]", ""),
    ] {
        let from = format!("http://{address}/");
        let client = Client::with(&[(&from, &format!("a=1{domain}"))]);
        assert_eq!(client.sent(&from), "a=1", "{address}");
        assert_eq!(client.sent("http://127.0.0.2/"), "", "{address}");
    }
    assert_eq!(
        refused("http://127.0.0.1/", "a=1; Domain=0.0.1"),
        Refused::Foreign
    );
}

#[test]
fn a_path_covers_what_is_below_it() {
    let client = Client::with(&[
        (HERE, "default=1"),
        (HERE, "deep=1; Path=/a/b/c"),
        (HERE, "slash=1; Path=/a/b/"),
        (HERE, "bad=1; Path=a/b"),
    ]);
    assert_eq!(client.sent("http://www.shop.test/"), "");
    assert_eq!(client.sent("http://www.shop.test/a"), "default=1; bad=1");
    assert_eq!(client.sent("http://www.shop.test/ab"), "");
    assert_eq!(client.sent("http://www.shop.test/a/b"), "default=1; bad=1");
    assert_eq!(
        client.sent("http://www.shop.test/a/b/c/d"),
        "deep=1; slash=1; default=1; bad=1"
    );
}

#[test]
fn the_longest_path_goes_first_then_the_oldest() {
    let mut client = Client::with(&[
        (HERE, "a=1; Path=/"),
        (HERE, "b=1; Path=/a"),
        (HERE, "c=1; Path=/"),
        (HERE, "d=1; Path=/a/b"),
    ]);
    assert_eq!(client.sent(HERE), "d=1; b=1; a=1; c=1");
    client.set(HERE, "a=2; Path=/").unwrap();
    assert_eq!(client.sent(HERE), "d=1; b=1; a=2; c=1");
}

#[test]
fn name_domain_and_path_tell_cookies_apart() {
    let client = Client::with(&[
        (HERE, "a=1; Path=/"),
        (HERE, "a=2; Path=/"),
        (HERE, "A=3; Path=/"),
        (HERE, "a=4; Path=/a"),
        (HERE, "a=5; Path=/; Domain=www.shop.test"),
        (HERE, "a=6; Path=/; Domain=shop.test"),
    ]);
    assert_eq!(client.sent(HERE), "a=4; a=2; A=3; a=5; a=6");
}

#[test]
fn a_cookie_lasts_until_it_expires() {
    let mut client = Client::with(&[
        (HERE, "session=1"),
        (HERE, "age=1; Max-Age=60"),
        (
            HERE,
            "both=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        ),
        (HERE, "date=1; Expires=Fri, 15-Jan-27 08:01:00 GMT"),
        (HERE, "odd=1; expires=15 Jan 2027 08:01:00 UTC"),
        (HERE, "none=1; Expires=Session; Max-Age=soon"),
    ]);
    let all = "session=1; age=1; both=1; date=1; odd=1; none=1";
    assert_eq!(client.sent(HERE), all);
    assert_eq!(client.sent_at(HERE, NOW + 59), all);
    assert_eq!(client.sent_at(HERE, NOW + 60), "session=1; none=1");
    for gone in [
        "session=; Max-Age=0",
        "age=; Max-Age=-1",
        "both=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "date=; expires=Thu, 01 Jan 1970 00:00:00 UTC",
        "odd=; Expires=Thu Jan 1 00:00:01 1970",
    ] {
        client.set(HERE, gone).unwrap();
    }
    assert_eq!(client.sent(HERE), "none=1");
    let year = 365 * 24 * 60 * 60;
    client
        .set(HERE, "none=1; Max-Age=99999999999999999999")
        .unwrap();
    assert_eq!(client.sent_at(HERE, NOW + year), "none=1");
    assert_eq!(client.sent_at(HERE, NOW + 2 * year), "");
}

#[test]
fn secure_cookies_stay_on_secure_connections() {
    let secure = "https://www.shop.test/";
    let mut client = Client::with(&[(secure, "a=1; Secure")]);
    assert_eq!(client.sent(secure), "a=1");
    assert_eq!(client.sent(HERE), "");
    assert_eq!(refused(HERE, "a=1; Secure"), Refused::Insecure);
    // Nor can a server without TLS hide them.
    assert_eq!(client.set(HERE, "a=2; Path=/"), Err(Refused::Overwrites));
    assert_eq!(
        client.set(HERE, "a=2; Path=/; Domain=shop.test"),
        Err(Refused::Overwrites)
    );
    client.set(secure, "a=3").unwrap();
    assert_eq!(client.sent(secure), "a=3");
    for here in [
        "http://localhost:8080/",
        "http://api.localhost/",
        "http://127.0.0.2/",
        "http://[::1]/",
    ] {
        assert_eq!(Client::with(&[(here, "a=1; Secure")]).sent(here), "a=1");
    }
}

#[test]
fn prefixes_of_names_are_promises() {
    let secure = "https://www.shop.test/";
    for (text, expected) in [
        ("__Secure-a=1; Secure", Ok(())),
        ("__Secure-a=1", Err(Refused::SecurePrefix)),
        ("__SECURE-a=1", Err(Refused::SecurePrefix)),
        ("__Host-a=1; Secure; Path=/", Ok(())),
        ("__Host-a=1; Secure", Err(Refused::HostPrefix)),
        ("__host-a=1; Secure; Path=/a", Err(Refused::HostPrefix)),
        ("__Host-a=1; Path=/", Err(Refused::HostPrefix)),
        (
            "__Host-a=1; Secure; Path=/; Domain=www.shop.test",
            Err(Refused::HostPrefix),
        ),
        ("__Hostess=1", Ok(())),
    ] {
        assert_eq!(Client::default().set(secure, text), expected, "{text}");
    }
    assert_eq!(refused(HERE, "__Secure-a=1; Secure"), Refused::Insecure);
}

#[test]
fn values_are_kept_as_they_were_written() {
    for (text, expected) in [
        ("a=\"1 2\"; HttpOnly", "a=\"1 2\""),
        ("a=b=c==", "a=b=c=="),
        ("  a  =  1  ; Path", "a=1"),
        ("a=", "a="),
        ("a=%20\u{fc}", "a=%20\u{fc}"),
        ("a=1; SameSite=Strict; Partitioned; Priority=High; ;", "a=1"),
    ] {
        assert_eq!(Client::with(&[(HERE, text)]).sent(HERE), expected);
    }
    for text in ["", "a", "=1", ";a=1", "a=1\r\nx: y", "a=\0"] {
        assert_eq!(refused(HERE, text), Refused::Malformed, "{text:?}");
    }
}

#[test]
fn all_good_cookies_of_an_answer_are_kept() {
    let mut headers = HeaderMap::new();
    for value in [
        &b"a=1; Path=/"[..],
        b"nonsense",
        b"b=\xff",
        b"c=1; Domain=com",
        b"d=1; Path=/",
    ] {
        headers.append(header::SET_COOKIE, HeaderValue::from_bytes(value).unwrap());
    }
    let mut jar = CookieJar::default();
    assert!(jar.is_empty());
    assert_eq!(jar.header(&url(HERE)), None);
    jar.store(&url(HERE), &headers);
    assert_eq!(jar.header(&url(HERE)).unwrap(), "a=1; d=1");
}

#[test]
fn a_jar_holds_no_more_than_browsers_do() {
    let long = "x".repeat(4096);
    assert_eq!(refused(HERE, &format!("a={long}")), Refused::TooLong);
    let path = "/".repeat(1025);
    let client = Client::with(&[(HERE, &format!("a={}; Path={path}", &long[1..]))]);
    assert_eq!(client.sent(HERE).len(), 4097);

    let mut client = Client::default();
    for number in 0..200 {
        client.set(HERE, &format!("n{number}=1")).unwrap();
        client.set(HERE, "again=1").unwrap();
    }
    let sent = client.sent(HERE);
    assert_eq!(sent.matches('=').count(), 180);
    assert!(!sent.contains("n20=") && sent.contains("n21=") && sent.contains("n199="));
    assert!(sent.contains("again="), "set last, though it is the oldest");

    for number in 0..3100 {
        let from = format!("http://h{number}.shop.test/");
        client.set(&from, "a=1").unwrap();
    }
    let kept = serde_json::to_value(&client.0).unwrap();
    assert_eq!(kept.as_array().map(Vec::len), Some(3000));
    assert_eq!(client.sent(HERE), "");
    assert_eq!(client.sent("http://h3099.shop.test/"), "a=1");
}

#[test]
fn what_has_expired_makes_room_first() {
    let mut client = Client::with(&[(HERE, "first=1"), (HERE, "brief=1; Max-Age=1")]);
    for number in 0..178 {
        client.set(HERE, &format!("n{number}=1")).unwrap();
    }
    client.0.set_at(&url(HERE), "last=1", NOW + 1).unwrap();
    let sent = client.sent_at(HERE, NOW + 1);
    assert!(sent.starts_with("first=1; n0=1; "), "{sent}");
    assert!(sent.ends_with("; last=1"), "{sent}");
}

fn cookies() -> Cookies {
    Cookies::new(Rc::default(), |text| {
        let base = url("https://shop.test/v2/");
        base.join(text).map_err(|error| error.to_string())
    })
}

#[test]
fn a_journey_reads_and_changes_its_cookies() {
    let cookies = cookies();
    cookies
        .set("/", "sid=abc; HttpOnly; Secure; Max-Age=60")
        .unwrap();
    cookies.set("/basket", "sid=def; Path=/basket").unwrap();
    assert_eq!(cookies.get("/", "sid").as_deref(), Some("abc"));
    assert_eq!(
        cookies.get("https://shop.test/basket", "sid").as_deref(),
        Some("def")
    );
    assert_eq!(cookies.get("http://shop.test/", "sid"), None);
    assert_eq!(cookies.get("/", "other"), None);
    assert_eq!(cookies.get("http://", "sid"), None);

    let all = cookies.all();
    assert_eq!(all.len(), 2);
    assert_eq!((&*all[0].path, &*all[1].path), ("/basket", "/"));
    assert_eq!((&*all[1].name, &*all[1].value), ("sid", "abc"));
    assert_eq!((&*all[1].domain, all[1].host_only), ("shop.test", true));
    assert!(all[1].secure && all[1].http_only && !all[0].secure);
    assert!(all[0].expires.is_none());
    let left = all[1].expires.unwrap().duration_since(SystemTime::now());
    assert!((50..=60).contains(&left.unwrap().as_secs()));

    assert!(cookies.remove("/", "sid"));
    assert!(!cookies.remove("/", "sid"));
    assert_eq!(cookies.all().len(), 1);
    cookies.clear();
    assert!(cookies.all().is_empty());
}

#[test]
fn a_cookie_that_no_browser_would_take_is_an_error_that_says_why() {
    let cookies = cookies();
    let error = cookies.set("/", "sid=secret; Domain=test").unwrap_err();
    assert_eq!(error.kind(), "request");
    assert_eq!(
        error.to_string(),
        "cookie \"sid\": its Domain \"test\" is a public suffix, which belongs to nobody alone"
    );
    let error = cookies.set("http://", "sid=secret").unwrap_err();
    assert_eq!(error.to_string(), "cookie \"sid\": empty host");
}

#[test]
fn a_snapshot_brings_the_visitor_back() {
    let first = cookies();
    first.set("/", "sid=abc; Path=/; Max-Age=3600").unwrap();
    first
        .set("/", "theme=dark; Path=/x; Domain=shop.test; Secure")
        .unwrap();
    let snapshot = first.snapshot();
    first.clear();
    let saved = serde_json::to_value(&snapshot).unwrap();
    assert_eq!(saved[0]["name"], "theme");
    assert_eq!(saved[1]["value"], "abc");
    let second = cookies();
    second.restore(serde_json::from_value(saved).unwrap());
    assert_eq!(second.all(), {
        first.restore(snapshot);
        first.all()
    });
}

#[test]
fn a_jar_is_read_from_little_and_refuses_nonsense() {
    let little = json!([{"name": "a", "value": "1", "domain": "shop.test", "path": "/"}]);
    let cookies = cookies();
    cookies.restore(serde_json::from_value(little).unwrap());
    assert_eq!(
        cookies.get("http://www.shop.test/", "a").as_deref(),
        Some("1")
    );
    for (name, value, path) in [
        ("", "1", "/"),
        ("a", "1; b=2", "/"),
        ("a", "1\r\n", "/"),
        ("a", "1", "x"),
    ] {
        let bad = json!([{"name": name, "value": value, "domain": "shop.test", "path": path}]);
        assert!(serde_json::from_value::<CookieJar>(bad).is_err());
    }
}

#[test]
fn values_are_not_shown() {
    let cookies = cookies();
    cookies.set("/", "sid=secret").unwrap();
    for shown in [
        format!("{cookies:?}"),
        format!("{:?}", cookies.snapshot()),
        format!("{:#?}", cookies.all()),
    ] {
        assert!(
            shown.contains("sid") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
