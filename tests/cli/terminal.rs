//! The live display and the summary on a real terminal.

use tests::terminal::Terminal;

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");

fn run(size: (u16, u16), environment: &[&str], duration: &str) -> Terminal {
    let command = [QUICKSTART, "scenario", "test", "quickstart", "--duration"];
    let command = [&command[..], &[duration]].concat();
    Terminal::start(size, environment, &command)
}

fn has(rows: &[String], text: &str) -> bool {
    rows.iter().any(|row| row.contains(text))
}

/// The bar stands in nothing that stays.
fn displays(text: &str) -> usize {
    text.lines().filter(|line| line.contains('━')).count()
}

/// A machine that is busy with something else makes a run invalid, which is not what this is about.
fn came_to_its_end(terminal: &Terminal) {
    assert!(matches!(terminal.end(), 0 | 3), "{}", terminal.all());
    let shown = terminal.shown();
    let last = shown.iter().rfind(|row| !row.is_empty()).unwrap();
    let verdict = ["✓ passed", "✗ invalid"]
        .iter()
        .any(|verdict| last.starts_with(verdict));
    assert!(verdict, "{}", terminal.all());
}

#[test]
fn a_display_that_is_resized_again_and_again_leaves_nothing_on_the_screen() {
    let terminal = run((60, 40), &[], "9s");
    terminal.wait_for("a display", |rows| has(rows, "so far"));
    for (columns, rows) in [(120, 30), (80, 50), (42, 40)] {
        let narrower = columns < 60;
        terminal.resize(columns, rows);
        let before = terminal.shown();
        terminal.wait_for("the next second", |rows| {
            has(rows, "so far") && has(rows, "errors") && rows != before
        });
        // What a narrower terminal breaks may have left the screen, out of reach.
        let seen = if narrower {
            terminal.shown().join("\n")
        } else {
            terminal.all()
        };
        assert!(displays(&seen) <= 1, "{columns}: {seen}");
        assert!(seen.matches("so far").count() <= 1, "{columns}: {seen}");
    }
    came_to_its_end(&terminal);
    let shown = terminal.shown().join("\n");
    assert_eq!(displays(&shown), 0, "{shown}");
}

#[test]
fn a_display_that_was_narrow_for_a_while_is_whole_and_there_once() {
    // A new terminal of tmux moves rows out of sight when it breaks others, though there is room.
    let terminal = run((100, 24), &[], "12s");
    terminal.wait_for("a display", |rows| has(rows, "Failing and slowest"));
    for columns in [45, 120, 33, 100] {
        terminal.resize(columns, 24);
        let before = terminal.shown();
        terminal.wait_for("the next second", |rows| {
            has(rows, "so far") && has(rows, "errors") && rows != before
        });
        let shown = terminal.shown().join("\n");
        for part in [
            "quickstart::quickstart",
            " / 0:12",
            "so far",
            "errors ",
            "errors.rate",
        ] {
            assert_eq!(shown.matches(part).count(), 1, "{part}, {columns}: {shown}");
        }
    }
    came_to_its_end(&terminal);
    let all = terminal.all();
    let (_, summary) = all.rsplit_once("quickstart::quickstart").unwrap();
    assert!(summary.contains("Journeys"), "{all}");
    assert_eq!(displays(summary), 0, "{all}");
}

#[test]
fn a_display_is_no_higher_than_the_terminal_and_does_not_scroll() {
    let terminal = run((60, 6), &[], "5s");
    terminal.wait_for("the third second", |rows| has(rows, "0:03 / "));
    let shown = terminal.shown();
    for part in ["━", "http.p99 < 250ms", "requests ", "errors 0", "users "] {
        assert!(has(&shown, part), "{part} in {shown:?}");
    }
    let all = terminal.all();
    assert_eq!(displays(&all), 1, "{all}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let coloured = run((80, 24), &[], "2s");
    coloured.wait_for("a display", |rows| has(rows, "so far"));
    assert!(coloured.all().contains('\u{1b}'), "{}", coloured.all());
    let plain = run((80, 24), &["NO_COLOR=1"], "2s");
    plain.wait_for("a display", |rows| has(rows, "so far"));
    came_to_its_end(&plain);
    assert!(!plain.all().contains('\u{1b}'), "{}", plain.all());
}

#[test]
fn a_dumb_terminal_gets_lines() {
    let terminal = run((80, 40), &["TERM=dumb"], "3s");
    came_to_its_end(&terminal);
    let all = terminal.all();
    assert!(!all.contains('\u{1b}') && displays(&all) == 0, "{all}");
    assert!(all.contains("1.0s  ramp  users "), "{all}");
}

#[test]
fn the_names_that_fail_and_the_slow_ones_are_shown_where_there_is_room() {
    let terminal = run((80, 40), &[], "4s");
    terminal.wait_for("the names", |rows| has(rows, "Failing and slowest"));
    terminal.wait_for("a name", |rows| has(rows, "GET /item/:id"));
    let low = run((80, 14), &[], "4s");
    low.wait_for("the third second", |rows| has(rows, "0:03 / "));
    assert!(!has(&low.shown(), "Failing and slowest"));
}
