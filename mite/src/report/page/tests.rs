use super::*;
use crate::report::fixture;

/// What stands in the element that holds the report.
fn held(page: &str) -> &str {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"report\">")
        .unwrap();
    rest.split_once("</script>").unwrap().0
}

fn html(report: &Report) -> String {
    String::from_utf8(Html.render(report).unwrap()).unwrap()
}

#[test]
fn the_page_holds_the_whole_report() {
    let report = fixture::full();
    let page = html(&report);
    assert_eq!(serde_json::from_str::<Report>(held(&page)).unwrap(), report);
}

#[test]
fn no_text_from_outside_can_end_the_element_it_is_in() {
    let evil = "</script><script>alert(1)</script><!--<script> %script% %report% & \" ' \u{2028}\n";
    let mut report = fixture::full();
    report.scenario = evil.into();
    report.errors[0].message = evil.into();
    report.transactions[0].transaction = evil.into();
    report.http.requests_by_name[0].name = evil.into();
    report.config.insert(evil.into(), evil.into());
    let page = html(&report);
    assert_eq!(serde_json::from_str::<Report>(held(&page)).unwrap(), report);
    let tags = |page: &str| page.matches('<').count();
    assert_eq!(tags(&page), tags(&html(&fixture::full())));
    assert!(!page.contains("alert(1)</script>"));
}

#[test]
fn only_our_own_script_and_style_are_followed() {
    let page = html(&fixture::full());
    let between = |from: &str, to: &str| {
        let (_, rest) = page.rsplit_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    for (kind, text) in [
        ("script-src", between("<script>", "</script>")),
        ("style-src", between("<style>", "</style>")),
    ] {
        let hash = STANDARD.encode(Sha256::digest(&text));
        assert!(
            page.contains(&format!("{kind} 'sha256-{hash}';")),
            "{kind} of {} characters",
            text.len()
        );
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for page in [html(&fixture::full()), live()] {
        for loading in ["src=", "url(http", "@import", "href=\"http", "import("] {
            assert!(!page.contains(loading), "{loading}");
        }
    }
    assert!(html(&fixture::full()).contains("connect-src 'none'"));
}

#[test]
fn elements_are_made_of_text_and_never_of_markup() {
    for markup in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
    ] {
        assert!(!SCRIPT.contains(markup), "{markup}");
    }
}

#[test]
fn the_live_page_has_no_report_and_asks_its_server_alone() {
    let page = live();
    assert_eq!(held(&page), "");
    assert!(page.contains("connect-src 'self'"));
    for place in ["/api/batches", "/api/events", "/api/stop", "/api/volume"] {
        assert!(page.contains(place), "{place}");
    }
}
