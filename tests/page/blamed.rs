//! Who the page says is to blame when the load was not what was asked for.

use serde_json::{Value, json};
use tests::browser::Browser;

use crate::runs::full;

fn suspicion(name: &str, cause: Option<&str>, invalid: bool) -> Value {
    let mut row = json!({
        "name": name, "value": 1.0, "limit": 0.1, "invalid": invalid, "message": "It was so.",
    });
    if let Some(cause) = cause {
        row["cause"] = cause.into();
    }
    row
}

#[test]
fn the_generator_is_blamed_only_for_what_is_its_own() {
    const OWN: &str = "The load generator is to blame";
    const NOT_OWN: &str = "Nothing speaks against the load generator";
    let lag = || suspicion("loop_lag", Some("generator"), true);
    let steal = || suspicion("steal", Some("generator"), false);
    let starts = |cause| suspicion("starts", Some(cause), true);
    let cases = [
        (vec![], vec![NOT_OWN], "Nothing speaks", "good"),
        (
            vec![starts("server")],
            vec!["because of the server", NOT_OWN],
            "not to blame",
            "doubt",
        ),
        (
            vec![starts("data")],
            vec!["because of the data", NOT_OWN],
            "not to blame",
            "doubt",
        ),
        (
            vec![suspicion("measured", Some("scenario"), true), steal()],
            vec![
                "because of the scenario",
                "may be part of the cause: 1 warning",
            ],
            "came near its limits",
            "doubt",
        ),
        (
            vec![starts("server"), lag()],
            vec![OWN, "because of the server"],
            "did not do what was asked of it",
            "bad",
        ),
        (
            vec![suspicion("starts", None, true)],
            vec![OWN],
            "did not do what was asked of it",
            "bad",
        ),
    ];
    let mut browser = Browser::start();
    for (suspicions, sentences, word, style) in cases {
        let mut report = full().json.clone();
        report["generator"]["suspicions"] = suspicions.clone().into();
        let written = full().with(&report);
        let mut page = browser.open(&written.url(), 1280);
        let told = page.evaluate(
            "[...document.querySelectorAll('#verdict .striking a[href=\"#generator\"]')]
                .map((line) => line.textContent)",
        );
        let told = told.as_array().unwrap();
        assert_eq!(told.len(), sentences.len(), "{told:?} of {suspicions:?}");
        for (line, sentence) in told.iter().zip(sentences) {
            assert!(
                line.as_str().unwrap().contains(sentence),
                "{line} of {suspicions:?}"
            );
        }
        let found = page.evaluate(
            "(({ className, textContent }) => className + ': ' + textContent)(
                document.querySelector('#generator p'))",
        );
        let found = found.as_str().unwrap();
        assert!(found.starts_with(style) && found.contains(word), "{found}");
    }
}
