use http::HeaderValue;

use super::*;

const HERE: &str = "https://shop.test/a/b?q=1#top";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn at(location: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, HeaderValue::from_bytes(location).unwrap());
    headers
}

fn followed(method: &Method, from: &str, status: u16, location: &str) -> Next {
    let status = StatusCode::from_u16(status).unwrap();
    follow(method, &url(from), status, &at(location.as_bytes()))
        .unwrap()
        .unwrap()
}

fn refused(location: &[u8]) -> String {
    follow(&Method::GET, &url(HERE), StatusCode::FOUND, &at(location))
        .unwrap()
        .unwrap_err()
}

#[test]
fn only_a_redirect_with_a_location_is_followed() {
    for status in [200, 201, 300, 304, 305, 306, 400, 404] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(follow(&Method::GET, &url(HERE), status, &at(b"/c")), None);
    }
    for headers in [HeaderMap::new(), at(b"")] {
        for status in [301, 302, 303, 307, 308] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(follow(&Method::GET, &url(HERE), status, &headers), None);
        }
    }
}

#[test]
fn the_method_changes_as_it_does_in_browsers() {
    for (status, method, expected) in [
        (301, "GET", "GET"),
        (301, "HEAD", "HEAD"),
        (301, "POST", "GET"),
        (301, "PUT", "PUT"),
        (302, "POST", "GET"),
        (302, "PATCH", "PATCH"),
        (302, "DELETE", "DELETE"),
        (303, "GET", "GET"),
        (303, "HEAD", "HEAD"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "DELETE", "GET"),
        (307, "POST", "POST"),
        (307, "PUT", "PUT"),
        (308, "POST", "POST"),
        (308, "HEAD", "HEAD"),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let next = followed(&method, HERE, status, "/c");
        assert_eq!(next.method.as_str(), expected, "{method} {status}");
        assert_eq!(next.keep_body, method == next.method, "{method} {status}");
    }
}

#[test]
fn a_location_is_relative_to_the_url_before_and_keeps_its_fragment() {
    for (location, expected) in [
        ("/c", "https://shop.test/c#top"),
        ("c?x", "https://shop.test/a/c?x#top"),
        ("../c", "https://shop.test/c#top"),
        ("?q=2", "https://shop.test/a/b?q=2#top"),
        ("//other.test/c", "https://other.test/c#top"),
        ("  /c  ", "https://shop.test/c#top"),
        ("/c#bottom", "https://shop.test/c#bottom"),
        ("/c#", "https://shop.test/c#"),
        ("#bottom", "https://shop.test/a/b?q=1#bottom"),
        ("HTTPS://SHOP.TEST:443/c", "https://shop.test/c#top"),
        ("/a b\\c", "https://shop.test/a%20b/c#top"),
    ] {
        let next = followed(&Method::GET, HERE, 302, location);
        assert_eq!(next.url.as_str(), expected, "{location}");
    }
}

#[test]
fn bytes_beyond_ascii_are_escaped_as_they_are() {
    let utf8 = follow(
        &Method::GET,
        &url(HERE),
        StatusCode::FOUND,
        &at("/füße?ü#ü".as_bytes()),
    );
    assert_eq!(
        utf8.unwrap().unwrap().url.as_str(),
        "https://shop.test/f%C3%BC%C3%9Fe?%C3%BC#%C3%BC"
    );
    let latin1 = follow(
        &Method::GET,
        &url(HERE),
        StatusCode::FOUND,
        &at(b"/f\xfc\xdfe"),
    );
    assert_eq!(
        latin1.unwrap().unwrap().url.as_str(),
        "https://shop.test/f%FC%DFe#top"
    );
    let host = followed(&Method::GET, HERE, 302, "https://bücher.test/");
    assert_eq!(host.url.host_str(), Some("xn--bcher-kva.test"));
}

#[test]
fn credentials_stay_with_their_origin() {
    for (location, dropped) in [
        ("/c", false),
        ("https://shop.test:443/c", false),
        ("http://shop.test/c", true),
        ("https://shop.test:8443/c", true),
        ("https://www.shop.test/c", true),
        ("https://other.test/c", true),
    ] {
        let next = followed(&Method::GET, HERE, 302, location);
        assert_eq!(next.drop_credentials, dropped, "{location}");
    }
}

#[test]
fn a_user_in_a_url_goes_along_on_the_same_origin_only() {
    let from = "https://joe:secret@shop.test/a";
    for (location, expected) in [
        ("/c", "https://joe:secret@shop.test/c"),
        ("https://shop.test/c", "https://joe:secret@shop.test/c"),
        ("https://ann:pw@shop.test/c", "https://ann:pw@shop.test/c"),
        ("https://other.test/c", "https://other.test/c"),
        ("https://ann@other.test/c", "https://ann@other.test/c"),
    ] {
        let next = followed(&Method::GET, from, 302, location);
        assert_eq!(next.url.as_str(), expected, "{location}");
    }
}

#[test]
fn a_location_that_cannot_be_asked_for_is_an_error_without_its_secrets() {
    let told = refused(b"ftp://joe:secret@shop.test/c?token=secret");
    assert_eq!(
        told,
        "the answer is a redirect to \"ftp://shop.test/c\", which has the scheme \"ftp\"; only \
         http:// and https:// can be followed"
    );
    let told = refused(b"http://joe:secret@:80/?token=secret");
    assert!(told.contains("which is not a URL"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    refused(b"javascript:alert(1)");
    refused(b"http://[::1/");
}

#[test]
fn several_locations_are_an_error_unless_they_are_the_same() {
    let mut headers = at(b"/c");
    headers.append(header::LOCATION, HeaderValue::from_static("/c"));
    let next = follow(&Method::GET, &url(HERE), StatusCode::FOUND, &headers);
    assert_eq!(next.unwrap().unwrap().url.path(), "/c");
    headers.append(header::LOCATION, HeaderValue::from_static("/d"));
    let next = follow(&Method::GET, &url(HERE), StatusCode::FOUND, &headers);
    assert_eq!(
        next.unwrap().unwrap_err(),
        "the answer is a redirect to several locations"
    );
}

fn all_headers() -> HeaderMap {
    [
        "authorization",
        "cookie",
        "proxy-authorization",
        "host",
        "content-type",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "expect",
        "accept",
        "x-request-id",
    ]
    .into_iter()
    .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")))
    .collect()
}

fn left(next: &Next) -> Vec<String> {
    let mut headers = all_headers();
    next.strip(&mut headers);
    let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
    names.sort();
    names
}

#[test]
fn headers_of_a_dropped_body_and_of_another_origin_are_stripped() {
    let same = followed(&Method::POST, HERE, 307, "/c");
    assert_eq!(left(&same).len(), all_headers().len());
    let other = followed(&Method::POST, HERE, 303, "http://other.test/");
    assert_eq!(left(&other), ["accept", "x-request-id"]);
    let body_kept = followed(&Method::POST, HERE, 308, "http://other.test/");
    assert!(left(&body_kept).contains(&"content-type".to_owned()));
    assert!(!left(&body_kept).contains(&"authorization".to_owned()));
    let origin_kept = followed(&Method::POST, HERE, 302, "/c");
    assert!(!left(&origin_kept).contains(&"content-type".to_owned()));
    assert!(left(&origin_kept).contains(&"authorization".to_owned()));
}

#[test]
fn too_many_redirects_show_their_chain() {
    let chain = [
        url("http://joe:secret@shop.test/a?token=secret"),
        url("http://shop.test/b"),
        url("https://shop.test/b"),
    ];
    assert_eq!(
        too_many(2, &chain),
        "redirected more than 2 times: http://shop.test/a -> /b -> https://shop.test/b"
    );
    let circle =
        ["/a", "/b", "/a", "/b", "/a"].map(|path| url("http://shop.test").join(path).unwrap());
    assert_eq!(
        too_many(4, &circle),
        "redirected more than 4 times: http://shop.test/a -> /b -> /a and so on, in a circle"
    );
}
