//! What there is: `list`, help, versions, and names that do not exist.

use crate::program::clumsy;

#[test]
fn list_shows_every_name_with_its_first_line_and_its_place() {
    let ended = clumsy(&["list"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    for row in [
        "Journeys\n",
        "Scenarios\n",
        "Datapools\n",
        "  clumsy::journeys::idle  (tests/clumsy/journeys.rs:",
        "      Does nothing, and that well.\n",
        "  clumsy::scenarios::well  (",
        "  clumsy::pools::users  (",
    ] {
        assert!(ended.stdout.contains(row), "{row}: {ended}");
    }
}

#[test]
fn an_unknown_name_lists_what_there_is_and_suggests_the_nearest() {
    for (arguments, nearest, another) in [
        (
            ["journey", "run", "gret"],
            "greet",
            "clumsy::journeys::idle",
        ),
        (
            ["journey", "test", "gret"],
            "greet",
            "clumsy::journeys::idle",
        ),
        (
            ["scenario", "test", "wel"],
            "well",
            "clumsy::scenarios::minute",
        ),
        (
            ["scenario", "plan", "wel"],
            "well",
            "clumsy::scenarios::minute",
        ),
    ] {
        let nearest = format!("::{nearest}?");
        let wanted = format!("\"{}\"", arguments[2]);
        clumsy(&arguments).refused(&[&wanted, "did you mean clumsy::", &nearest, another]);
    }
    clumsy(&["journey", "run", "greet", "--datapool", "user"])
        .refused(&["no datapool \"user\"", "did you mean clumsy::pools::users?"]);
}

#[test]
fn help_tells_defaults_and_goes_to_stdout() {
    for (arguments, words) in [
        (vec!["--help"], vec!["list", "journey", "scenario", "130"]),
        (
            vec!["scenario", "test", "--help"],
            vec![
                "[default: 1000]",
                "[default: 100000]",
                "[default: 10s]",
                "[default: 30s]",
                "[default: one a core]",
                "http.p99 < 250ms",
                "MITE_CONF_",
            ],
        ),
        (
            vec!["journey", "test", "--help"],
            vec!["--users", "--rate", "[default: 1]"],
        ),
    ] {
        let ended = clumsy(&arguments);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{ended}"
        );
        for word in words {
            assert!(ended.stdout.contains(word), "{word}: {ended}");
        }
    }
}

#[test]
fn the_version_is_that_of_mite() {
    let ended = clumsy(&["--version"]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.starts_with("mite "), "{ended}");
}

#[test]
fn arguments_that_are_none_are_refused() {
    for arguments in [
        &["nonsense"][..],
        &["journey", "run"],
        &["journey", "run", "idle", "more"],
        &["scenario", "test", "well", "--nonsense"],
    ] {
        clumsy(arguments).refused(&[]);
    }
    for arguments in [&[][..], &["journey"], &["scenario"]] {
        let ended = clumsy(arguments);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains("Commands:"), "{ended}");
    }
}

#[test]
fn a_plan_is_drawn_and_sends_nothing() {
    let ended = clumsy(&["scenario", "plan", "well"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended}"
    );
    assert!(ended.stdout.contains("clumsy::journeys::idle"), "{ended}");
    assert!(ended.stdout.contains("20/s"), "{ended}");
}
